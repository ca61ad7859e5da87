// The fixed parts of the page around the transcript: finding them, the notice line, the connection word, the first page.

import { has, t } from '../../shared/i18n.js';

/** Milliseconds after which a notice of a success goes away. */
const NOTICE_TIME = 8000;

export const html = document.documentElement;

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 */
export const find = (selector) => /** @type {T} */ (document.querySelector(selector));
/** @param {string} name */
export const part = (name) => find(`[data-part=${name}]`);

/** The conversation that the list says is shown; at first the one that the service worker has painted, if it did. */
export const listed = () => document.querySelector('[data-part=list] a[aria-current]')?.getAttribute('data-conversation') ?? null;

/** What ends by itself as soon as another thing is said: the notices of a storage that refuses. @type {Record<string, string[]>} */
const ENDS = { 'saved-again': ['full', 'not-saved'] };

/** @typedef {{code: string, words: string, error: boolean, at: number}} Notice */

/** One line above the composer, also spoken. An error stays until it is closed, and what comes meanwhile waits behind it. */
export class Notices {
  /** @param {import('./announce.js').Announcer} announcer */
  constructor(announcer) {
    this.announcer = announcer;
    this.line = part('notice');
    this.timer = 0;
    /** @type {Notice[]} the first one is shown */
    this.open = [];
    this.line.querySelector('button')?.addEventListener('click', () => this.close());
  }

  /**
   * @param {string} code its words are in the catalogue as notice.<code>
   * @param {string} [detail]
   * @param {boolean} [error]
   * @param {import('../../shared/i18n.js').Values} [more] for its words
   */
  show(code, detail = '', error = false, more = {}) {
    const words = has(`notice.${code}`) ? t(`notice.${code}`, { ...more, detail, n: detail }) : t('notice.other', { code, detail });
    const ended = ENDS[code] ?? [];
    // A success makes place for the next notice at once; of an error there is one of each kind.
    this.open = this.open.filter((each) => each.error && each.code !== code && !ended.includes(each.code));
    this.open.push({ code, words, error, at: performance.now() });
    if (error) this.announcer.alarm(words);
    else this.announcer.say(words);
    this.#draw();
  }

  close() {
    this.open.shift();
    const fresh = performance.now() - NOTICE_TIME;
    this.open = this.open.filter(({ error, at }) => error || at > fresh);
    this.#draw();
  }

  #draw() {
    const [first] = this.open;
    clearTimeout(this.timer);
    this.line.hidden = !first;
    if (!first) return;
    find('[data-part=notice] span').textContent = first.words;
    if (!first.error) this.timer = setTimeout(() => this.close(), NOTICE_TIME);
  }
}

/** @param {unknown} state online | offline | reconnecting; blank when all is well */
export function connection(state) {
  if (state !== 'online' && state !== 'offline' && state !== 'reconnecting') return;
  html.dataset.connection = state;
  part('connection').textContent = state === 'online' ? '' : t(`connection.${state}`);
}

/**
 * What could be asked, on the first page.
 * @param {(words: string) => void} choose
 */
export function suggest(choose) {
  for (const n of [1, 2, 3]) {
    const words = t(`empty.try.${n}`);
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', name: 'suggestion', textContent: words });
    button.addEventListener('click', () => choose(words));
    const item = document.createElement('li');
    item.append(button);
    part('suggestions').append(item);
  }
}
