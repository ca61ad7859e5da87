// The fixed parts of the page around the transcript: finding and labelling them, the notice line, the state of the
// connection.

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

/** Does the engine answer? Boot (screen/boot.js) writes this state. */
export const isEngineReady = () => html.dataset.engine === 'ready';

/** How the text of an attribute is written. @type {Record<string, (element: Element, text: string) => void>} */
const LABELS = {
  'data-words': (element, text) => (element.textContent = text),
  'data-label': (element, text) => (element.ariaLabel = text),
  'data-placeholder': (element, text) => element.setAttribute('placeholder', text),
};

/** Writes the texts into the markup of index.html. */
export function label() {
  for (const [name, write] of Object.entries(LABELS)) {
    for (const each of document.querySelectorAll(`[${name}]`)) write(each, t(String(each.getAttribute(name))));
  }
}

/** Notices that end as soon as another one comes: those of a storage that refused. @type {Record<string, string[]>} */
const ENDS = { 'saved-again': ['full', 'not-saved'] };

/**
 * On plain http a browser keeps less, and no setting changes that: some notices have other words there.
 * @param {string} code
 * @param {string} detail
 */
function noticeText(code, detail) {
  const keys = [...(isSecureContext ? [] : [`notice.${code}.insecure`]), `notice.${code}`, 'notice.other'];
  return t(keys.find(has) ?? '', { code, detail, n: detail });
}

/** @typedef {{code: string, words: () => string, error: boolean, at: number}} Notice */

/** One line above the composer, also spoken. An error stays until it is closed, and later notices wait behind it. */
export class Notices {
  /** @param {import('./announce.js').Announcer} announcer */
  constructor(announcer) {
    this.announcer = announcer;
    this.line = part('notice');
    this.timer = 0;
    /** @type {Notice[]} the first one is visible */
    this.open = [];
    this.line.querySelector('button')?.addEventListener('click', () => this.close());
  }

  /**
   * @param {string} code its text is in the catalogue as notice.<code>
   * @param {string | (() => string)} [detail] a function where it has words of the page's language
   * @param {boolean} [error]
   */
  show(code, detail = '', error = false) {
    const words = () => noticeText(code, typeof detail === 'string' ? detail : detail());
    const ended = ENDS[code] ?? [];
    // A success gives way to the next notice at once; of each kind of error there is one.
    this.open = this.open.filter((each) => each.error && each.code !== code && !ended.includes(each.code));
    this.open.push({ code, words, error, at: performance.now() });
    if (error) this.announcer.alarm(words());
    else this.announcer.say(words());
    this.#draw();
  }

  close() {
    this.open.shift();
    const fresh = performance.now() - NOTICE_TIME;
    this.open = this.open.filter(({ error, at }) => error || at > fresh);
    this.#draw();
  }

  /** Writes the visible one, in the page's language. */
  relabel() {
    const [first] = this.open;
    if (first) find('[data-part=notice] span').textContent = first.words();
  }

  #draw() {
    const [first] = this.open;
    clearTimeout(this.timer);
    this.line.hidden = !first;
    if (!first) return;
    this.relabel();
    if (!first.error) this.timer = setTimeout(() => this.close(), NOTICE_TIME);
  }
}

/**
 * @param {unknown} state online | offline | reconnecting: of this browser, with all of its answers
 * @param {boolean} here an answer of the current conversation reconnects; the words stand over no other one
 */
export function showConnection(state, here) {
  if (state !== 'online' && state !== 'offline' && state !== 'reconnecting') return;
  html.dataset.connection = state;
  const said = state === 'online' || (state === 'reconnecting' && !here) ? '' : t(`connection.${state}`);
  if (part('connection').textContent !== said) part('connection').textContent = said;
}
