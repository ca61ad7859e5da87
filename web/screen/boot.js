// The state of the engine: it is expected within a time, comes, or has failed, which the page shows; one that comes
// late works like any other. This is the one writer of `data-engine`.

import { duration, t } from '../shared/i18n.js';
import { find, html, part } from './page/page.js';

/** Milliseconds until an engine that does not answer counts as failed; it may still come. */
const BOOT_LIMIT = 60_000;
/** Milliseconds after which the page says that the engine is still loading. */
const SLOW = 3000;
/** The same as BOOT_LIMIT once Python runs. */
const HELLO_LIMIT = 10_000;
/** How often within these milliseconds an engine that was lost is started again. */
const AGAIN = 3;
const AGAIN_WITHIN = 60_000;

export class Boot {
  /**
   * @param {object} on
   * @param {(text: string) => void} on.failed with the text that the page shows
   * @param {() => void} on.ready it has come, maybe after a failure
   */
  constructor(on) {
    this.on = on;
    this.timer = 0;
    this.slow = 0; // the timer of the text that stands in the endpoint's place
    this.words = () => ''; // that text
    this.reason = () => ''; // of a failure
    /** When it was started again. @type {number[]} */
    this.restarts = [];
  }

  /** @param {boolean} running Python runs already */
  expect(running) {
    if (html.dataset.engine !== 'booting') return;
    clearTimeout(this.timer);
    const limit = running ? HELLO_LIMIT : BOOT_LIMIT;
    const reason = () => t('engine.failed.timeout', { seconds: duration(limit / 1000) });
    this.timer = setTimeout(() => this.fail(reason), limit);
  }

  /** The page is there: if the engine takes a while, the page says that it is loading. */
  begin() {
    this.expect(false);
    this.slow = setTimeout(() => this.#say(() => t('engine.loading')), SLOW);
  }

  /**
   * Some of it has come over a slow connection: as long as bytes come there is no failure.
   * @param {number} done bytes
   * @param {number} total
   */
  loading(done, total) {
    if (html.dataset.engine !== 'booting') return;
    this.expect(false);
    clearTimeout(this.slow);
    this.#say(() => t('engine.loading.count', { done: Math.min(done, total) / 1e6, total: total / 1e6 }));
  }

  /** @param {() => string} words */
  #say(words) {
    this.words = words;
    part('endpoint').textContent = words();
  }

  #stopWaiting() {
    clearTimeout(this.timer);
    clearTimeout(this.slow);
    if (html.dataset.engine === 'booting') this.#say(() => ''); // the engine says which one there is
  }

  come() {
    this.#stopWaiting();
    html.dataset.engine = 'ready';
    part('engine').hidden = true;
    performance.mark('midstream:engine');
    this.on.ready();
  }

  /** The engine is lost. @returns {boolean} false, with a failure, after too many times: it would be lost again */
  restart() {
    const now = performance.now();
    this.restarts = this.restarts.filter((time) => time > now - AGAIN_WITHIN);
    if (this.restarts.length >= AGAIN) {
      this.fail(() => t('engine.failed.again'));
      return false;
    }
    this.restarts.push(now);
    html.dataset.engine = 'booting';
    this.expect(false);
    return true;
  }

  /** @param {() => string} reason in the page's language */
  fail(reason) {
    this.#stopWaiting();
    this.reason = reason;
    html.dataset.engine = 'failed';
    part('engine').hidden = false;
    this.on.failed(this.#explain());
  }

  #explain() {
    const text = t('engine.failed', { reason: this.reason() });
    find('[data-part=engine] span').textContent = text;
    return text;
  }

  /** In another language. */
  relabel() {
    if (html.dataset.engine === 'failed') this.#explain();
    if (html.dataset.engine === 'booting') this.#say(this.words);
  }
}
