// The search above the list: its field, the results, and the way into a conversation. The engine searches.

import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { problemText } from '../../shared/problem.js';
import { isEngineReady } from '../page/page.js';

/** Milliseconds without a key before a search. */
const PAUSE = 150;

/** @typedef {{conversation: string, message: string, spellings: string[]}} Hit as in answer/search_highlight.js */

export class Search {
  /**
   * @param {HTMLElement} nav
   * @param {object} on
   * @param {(intent: import('../page/port.js').Intent) => void} on.send
   * @param {(hit: Hit) => void} on.open
   * @param {() => void} on.end the query is empty again
   */
  constructor(nav, on) {
    this.on = on;
    this.field = /** @type {HTMLInputElement} */ (nav.querySelector('input[name=search]'));
    this.list = /** @type {HTMLElement} */ (nav.querySelector('[data-part=conversations]'));
    this.panel = /** @type {HTMLElement} */ (nav.querySelector('[data-part=found]'));
    this.line = /** @type {HTMLElement} */ (this.panel.querySelector('p'));
    this.results = /** @type {HTMLElement} */ (this.panel.querySelector('ul'));
    /** The results. @type {Record<string, any>[]} */
    this.items = [];
    this.n = 0; // of the newest search: results of an older one come too late
    this.timer = 0;
    this.words = () => ''; // of the line
    this.field.addEventListener('input', () => this.#typed());
    this.field.addEventListener('keydown', (event) => this.#inField(event));
    this.panel.addEventListener('keydown', (event) => this.#inResults(event));
    this.panel.addEventListener('click', (event) => this.#clicked(event));
    if (this.text) this.#typed(); // before these scripts were there, or kept by the browser
  }

  get text() {
    return this.field.value.trim();
  }

  #typed() {
    clearTimeout(this.timer);
    this.n += 1;
    const { text } = this;
    this.list.hidden = text !== '';
    this.panel.hidden = text === '';
    if (text) this.#say(() => t(isEngineReady() ? 'search.searching' : 'search.booting'));
    else this.#end();
    if (text) this.timer = setTimeout(() => this.on.send({ type: 'search', text, n: this.n }), PAUSE);
  }

  #end() {
    this.results.replaceChildren();
    this.on.send({ type: 'search', text: '', n: this.n });
    this.on.end();
  }

  clear() {
    this.field.value = '';
    this.#typed();
  }

  /** @param {import('../page/port_types.js').FoundMessage} message */
  show({ n, items, more, done, failed, problem }) {
    if (n !== this.n || !this.text) return;
    this.items = listed(items).filter((item) => typeof item?.id === 'string');
    const at = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.found : undefined;
    this.results.replaceChildren(...this.items.map(result));
    if (at) [...this.results.querySelectorAll('a')].find((link) => link.dataset.found === at)?.focus();
    const count = { n: this.items.length };
    if (!done && !failed) return;
    if (failed) this.#say(() => t('search.failed', { detail: problemText(failed, problem) }));
    else this.#say(() => (count.n ? t(more ? 'search.more' : 'search.found', count) : t('search.none')));
  }

  /** @param {() => string} words */
  #say(words) {
    this.words = words;
    this.line.textContent = words();
  }

  /** In another language. */
  relabel() {
    this.#say(this.words);
    for (const name of this.results.querySelectorAll('[data-untitled]')) name.textContent = t('list.untitled');
  }

  /** The engine answers from now on. */
  engineReady() {
    if (this.text) this.#say(() => t('search.searching'));
  }

  /** @param {KeyboardEvent} event */
  #inField(event) {
    if (event.isComposing) return;
    const [first] = this.results.querySelectorAll('a');
    if (event.key === 'Escape' && this.field.value) this.clear();
    else if (event.key === 'Enter' && first) first.click();
    else if (event.key === 'ArrowDown' && first) first.focus();
    else return;
    event.preventDefault(); // Escape would close the sheet
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  #inResults(event) {
    const links = [...this.results.querySelectorAll('a')];
    const at = links.findIndex((link) => link === document.activeElement);
    if (event.key === 'ArrowDown') links[at + 1]?.focus();
    else if (event.key === 'ArrowUp') (links[at - 1] ?? this.field).focus();
    else if (event.key === 'Escape') {
      this.clear();
      this.field.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    for (const each of this.results.querySelectorAll('a')) each.ariaCurrent = each === link ? 'true' : null;
    const item = this.items.find(({ id }) => id === link.dataset.found);
    if (item) this.on.open(hitOf(item));
  }
}

/** @param {unknown} value @returns {any[]} */
function listed(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {Record<string, any>} item @returns {Hit} */
function hitOf({ id, message, spellings }) {
  const usable = listed(spellings).filter((each) => each && typeof each === 'string');
  return { conversation: id, message: String(message ?? ''), spellings: usable };
}

/** @param {Record<string, any>} item */
function result({ id, title, snippet }) {
  const link = { href: `?c=${encodeURIComponent(id)}`, 'data-found': id };
  const named = marked(title);
  const name = element(document, 'span', { dir: 'auto' }, ...(named.length ? named : [t('list.untitled')]));
  name.toggleAttribute('data-untitled', !named.length);
  const text = marked(snippet);
  const around = text.length ? [element(document, 'small', { dir: 'auto' }, ...text)] : [];
  return element(document, 'li', {}, element(document, 'a', link, name, ...around));
}

/** @param {unknown} parts [[text, is it a match], …] */
function marked(parts) {
  const usable = listed(parts).filter((part) => Array.isArray(part) && part[0]);
  return usable.map(([text, hit]) => (hit ? element(document, 'mark', {}, String(text)) : String(text)));
}
