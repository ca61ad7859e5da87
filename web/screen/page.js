// The fixed parts of the page around the transcript: finding them, the notice line, the connection word, the first page.

import { has, t } from './i18n.js';

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

/** One line above the composer, also spoken. An error stays until it is closed. */
export class Notices {
  /** @param {import('./announce.js').Announcer} announcer */
  constructor(announcer) {
    this.announcer = announcer;
    this.line = part('notice');
    this.timer = 0;
    this.line.querySelector('button')?.addEventListener('click', () => this.close());
  }

  /**
   * @param {string} code its words are in the catalogue as notice.<code>
   * @param {string} [detail]
   * @param {boolean} [error]
   */
  show(code, detail = '', error = false) {
    const words = has(`notice.${code}`) ? t(`notice.${code}`, { detail, n: detail }) : t('notice.other', { code, detail });
    find('[data-part=notice] span').textContent = words;
    this.line.hidden = false;
    clearTimeout(this.timer);
    if (error) this.announcer.alarm(words);
    else this.announcer.say(words);
    if (!error) this.timer = setTimeout(() => this.close(), NOTICE_TIME);
  }

  close() {
    this.line.hidden = true;
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
    find('[data-part=empty] ul').append(item);
  }
}
