// The list of conversations: real links, so that one can be opened in a new tab, with a dot for what goes on in each.

import { element, set } from './element.js';
import { has, t } from './i18n.js';

/**
 * Dots by state: filled = being written, ring = waiting to be sent, half = cut off, full = ended unseen.
 * @type {Record<string, string>}
 */
const DOTS = {
  sending: 'active', waiting: 'active', streaming: 'active', 'catching-up': 'active', reconnecting: 'active',
  queued: 'waiting', offline: 'waiting', interrupted: 'interrupted', failed: 'interrupted', finished: 'finished',
};

export class List {
  /**
   * @param {HTMLElement} nav
   * @param {object} on
   * @param {(conversation: string) => void} on.open
   * @param {() => void} on.new
   * @param {() => void} on.export
   * @param {(file: File) => void} on.import
   */
  constructor(nav, on) {
    this.nav = nav;
    this.on = on;
    this.list = /** @type {HTMLElement} */ (nav.querySelector('[data-part=conversations]'));
    /** @type {string | null} */
    this.shown = null;
    this.file = /** @type {HTMLInputElement} */ (nav.querySelector('input[name=file]'));
    nav.addEventListener('click', (event) => this.#clicked(event));
    this.file.addEventListener('change', () => this.#chosen());
  }

  #chosen() {
    const [file] = this.file.files ?? [];
    if (file) this.on.import(file);
    this.file.value = ''; // the same file may be chosen again
  }

  /** @param {unknown} items [{id, title, state, updated}], newest first */
  show(items) {
    const usable = (Array.isArray(items) ? items : []).filter((item) => typeof item?.id === 'string');
    const links = new Map([...this.list.querySelectorAll('a')].map((link) => [link.dataset.conversation, link]));
    const rows = usable.map((item) => row(links.get(item.id) ?? document.createElement('a'), item));
    // A list that has not changed its order keeps its nodes, and with them the focus.
    const same = rows.length === this.list.children.length && rows.every((each, i) => each === this.list.children[i]);
    if (!same) this.list.replaceChildren(...rows);
    this.mark(this.shown);
  }

  /** @param {string | null} conversation */
  mark(conversation) {
    this.shown = conversation;
    for (const link of this.list.querySelectorAll('a')) {
      link.ariaCurrent = link.dataset.conversation === conversation ? 'page' : null;
    }
  }

  /** @param {string | null} conversation */
  titleOf(conversation) {
    const link = [...this.list.querySelectorAll('a')].find((each) => each.dataset.conversation === conversation);
    return link?.firstChild?.textContent ?? null;
  }

  /**
   * @param {string} conversation
   * @returns {boolean} its answer has ended while nobody looked
   */
  finished(conversation) {
    const links = [...this.list.querySelectorAll('a')];
    return links.some((link) => link.dataset.conversation === conversation && link.dataset.dot === 'finished');
  }

  close() {
    if (this.nav.matches(':popover-open')) this.nav.hidePopover();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = event.target instanceof Element ? event.target.closest('a, button') : null;
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0;
    if (target instanceof HTMLButtonElement && target.name === 'new') this.on.new();
    else if (target instanceof HTMLButtonElement && target.name === 'export') this.on.export();
    else if (target instanceof HTMLButtonElement && target.name === 'import') this.file.click();
    else if (target instanceof HTMLAnchorElement && !elsewhere) {
      event.preventDefault();
      this.on.open(String(target.dataset.conversation));
    } else return;
    this.close();
  }
}

/**
 * One entry; the service worker prints it too.
 * @param {HTMLAnchorElement} link
 * @param {Record<string, any>} item
 * @returns {HTMLElement}
 */
export function row(link, item) {
  const paper = link.ownerDocument;
  const dot = Object.hasOwn(DOTS, item.state) ? DOTS[item.state] : '';
  const words = has(`list.${dot}`) ? t(`list.${dot}`) : '';
  const place = item.server === true ? t('list.server') : '';
  // Words stand there for what goes away only by opening it: others would make the list jump while one reads it.
  const note = [dot === 'finished' ? words : '', place].filter(Boolean).join(' · ');
  const name = element(paper, 'span', { dir: 'auto' }, titleOf(item));
  link.replaceChildren(name, ...(note ? [element(paper, 'small', {}, note)] : []));
  const hint = dot === 'finished' ? null : words || null;
  const href = `?c=${encodeURIComponent(item.id)}`;
  set(link, { 'data-conversation': item.id, href, 'data-dot': dot, title: hint, 'aria-description': hint });
  const holder = link.parentElement ?? paper.createElement('li');
  holder.append(link);
  return holder;
}

/** @param {Record<string, any>} item */
export const titleOf = (item) => String(item.title || t('list.untitled'));
