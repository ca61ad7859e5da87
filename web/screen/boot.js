// Whether there is an engine: it is expected within a time, comes, or has failed, which is said; one that comes late is as
// good as any. The one writer of `data-engine`.

import { duration, t } from '../shared/i18n.js';
import { find, html, part } from './page/page.js';

/** Milliseconds until an engine that does not answer is said to have failed; it may still come. */
const BOOT_LIMIT = 60_000;
/** Milliseconds after which it is said that the engine is still coming. */
const SLOW = 3000;
/** The same as BOOT_LIMIT once Python runs. */
const HELLO_LIMIT = 10_000;
/** How often within these milliseconds an engine that was lost is started again. */
const AGAIN = 3;
const AGAIN_WITHIN = 60_000;

export class Boot {
  /**
   * @param {object} on
   * @param {(words: string) => void} on.failed there is none
   * @param {() => void} on.ready there is one, maybe after all
   */
  constructor(on) {
    this.on = on;
    this.timer = 0;
    this.slow = 0; // the timer of the words that stand where the endpoint will
    /** When it was started again. @type {number[]} */
    this.restarts = [];
  }

  get ready() {
    return html.dataset.engine === 'ready';
  }

  /** @param {boolean} running Python runs already */
  expect(running) {
    if (html.dataset.engine !== 'booting') return;
    clearTimeout(this.timer);
    const limit = running ? HELLO_LIMIT : BOOT_LIMIT;
    const reason = t('engine.failed.timeout', { seconds: duration(limit / 1000) });
    this.timer = setTimeout(() => this.fail(reason), limit);
  }

  /** The page is there: what is still loaded is said, if that takes a while. */
  begin() {
    this.expect(false);
    this.slow = setTimeout(() => (part('endpoint').textContent = t('engine.loading')), SLOW);
  }

  /**
   * It is on its way, over a slow line: as long as something comes there is no failure.
   * @param {number} done bytes
   * @param {number} total
   */
  loading(done, total) {
    if (html.dataset.engine !== 'booting') return;
    this.expect(false);
    clearTimeout(this.slow);
    part('endpoint').textContent = t('engine.loading.count', { done: Math.min(done, total) / 1e6, total: total / 1e6 });
  }

  /** Nothing is waited for any more. */
  #settle() {
    clearTimeout(this.timer);
    clearTimeout(this.slow);
    if (html.dataset.engine === 'booting') part('endpoint').textContent = ''; // the engine says which one there is
  }

  come() {
    this.#settle();
    html.dataset.engine = 'ready';
    part('engine').hidden = true;
    performance.mark('midstream:engine');
    this.on.ready();
  }

  /** The engine is lost. False, and said, when it has been too often: it would only be lost again. */
  again() {
    const now = performance.now();
    this.restarts = this.restarts.filter((time) => time > now - AGAIN_WITHIN);
    if (this.restarts.length >= AGAIN) {
      this.fail(t('engine.failed.again'));
      return false;
    }
    this.restarts.push(now);
    html.dataset.engine = 'booting';
    this.expect(false);
    return true;
  }

  /** @param {string} reason */
  fail(reason) {
    this.#settle();
    html.dataset.engine = 'failed';
    const words = t('engine.failed', { reason });
    find('[data-part=engine] span').textContent = words;
    part('engine').hidden = false;
    this.on.failed(words);
  }
}
