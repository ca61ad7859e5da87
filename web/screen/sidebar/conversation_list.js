// The list of conversations at work. An entry that shows the same as before is left alone.

import { t } from '../../shared/i18n.js';
import { groupByDay, makeEntry, makeSection } from '../../shared/conversation_entries.js';

/** @typedef {import('../../shared/conversation_entries.js').Item} Item */

/**
 * @typedef {object} Handlers
 * @property {(conversation: string) => void} open
 * @property {() => void} new
 * @property {() => void} export
 * @property {(file: File) => void} import
 */

export class ConversationList {
  /** @param {HTMLElement} nav */
  constructor(nav) {
    this.nav = nav;
    this.list = /** @type {HTMLElement} */ (nav.querySelector('[data-part=conversations]'));
    /** @type {string | null} */
    this.current = null;
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** The content of each entry. @type {WeakMap<HTMLAnchorElement, string>} */
    this.contents = new WeakMap();
    this.file = /** @type {HTMLInputElement} */ (nav.querySelector('input[name=file]'));
  }

  /** @param {Handlers} on */
  listen(on) {
    this.nav.addEventListener('click', (event) => this.#clicked(event, on));
    this.file.addEventListener('change', () => this.#chosen(on));
  }

  /** @param {Handlers} on */
  #chosen(on) {
    const [file] = this.file.files ?? [];
    if (file) on.import(file);
    this.file.value = ''; // the same file may be chosen again
  }

  /** @param {unknown} items newest first */
  show(items) {
    const usable = (Array.isArray(items) ? items : []).filter((item) => typeof item?.id === 'string');
    this.items = new Map(usable.map((item) => [item.id, item]));
    const focused = document.activeElement;
    const links = new Map([...this.list.querySelectorAll('a')].map((link) => [link.dataset.conversation, link]));
    const sections = groupByDay(usable, Date.now()).map(([group, items]) => {
      const standing = this.list.querySelector(`[data-group=${group}]`);
      const rows = items.map((item) => this.#row(links.get(item.id), item));
      if (!standing) return makeSection(document, group, rows);
      arrange(/** @type {Element} */ (standing.lastElementChild), rows);
      return standing;
    });
    arrange(this.list, sections);
    // An entry that was moved has lost the focus.
    const moved = focused !== document.activeElement && this.list.contains(focused);
    if (moved && focused instanceof HTMLElement) focused.focus();
    this.mark(this.current);
  }

  /**
   * A list comes with every change of a state; an entry with the same content is left alone.
   * @param {HTMLAnchorElement | undefined} link
   * @param {Item} item
   * @returns {HTMLElement}
   */
  #row(link, item) {
    const content = JSON.stringify([item.title, item.state, item.server]);
    const holder = link?.parentElement;
    if (link && holder && this.contents.get(link) === content) return holder;
    const entry = link ?? document.createElement('a');
    this.contents.set(entry, content);
    return makeEntry(entry, item);
  }

  /** In another language. */
  relabel() {
    this.contents = new WeakMap();
    for (const section of this.list.querySelectorAll('[data-group]')) {
      const heading = section.firstElementChild;
      if (heading) heading.textContent = t(`list.${section.getAttribute('data-group')}`);
    }
    this.show([...this.items.values()]);
  }

  /** @param {string | null} conversation */
  mark(conversation) {
    this.current = conversation;
    for (const link of this.list.querySelectorAll('a')) {
      link.ariaCurrent = link.dataset.conversation === conversation ? 'page' : null;
    }
  }

  /** @param {string | null} conversation @returns {HTMLAnchorElement | undefined} */
  link(conversation) {
    return [...this.list.querySelectorAll('a')].find((each) => each.dataset.conversation === conversation);
  }

  /** Another name, until the next list comes. @param {HTMLAnchorElement} link @param {string} title */
  name(link, title) {
    if (link.firstChild) link.firstChild.textContent = title;
    this.contents.delete(link);
  }

  /** @param {string | null} conversation */
  titleOf(conversation) {
    return this.link(conversation)?.firstChild?.textContent ?? null;
  }

  /** @param {string} conversation @returns {boolean} its answer has ended while nobody looked */
  finished(conversation) {
    return this.link(conversation)?.dataset.dot === 'finished';
  }

  close() {
    if (this.nav.matches(':popover-open')) this.nav.hidePopover();
  }

  /** @param {MouseEvent} event @param {Handlers} on */
  #clicked(event, on) {
    const target = event.target instanceof Element ? event.target.closest('a, button') : null;
    const inNewTab = event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0;
    if (target instanceof HTMLButtonElement && target.name === 'new') on.new();
    else if (target instanceof HTMLButtonElement && target.name === 'export') on.export();
    else if (target instanceof HTMLButtonElement && target.name === 'import') this.file.click();
    else if (target instanceof HTMLAnchorElement && this.list.contains(target) && !inNewTab) {
      event.preventDefault();
      on.open(String(target.dataset.conversation));
    } else return;
    this.close();
  }
}

/**
 * Puts children into an order. One that stands right is not touched: it would lose focus and scroll position.
 * @param {Element} parent
 * @param {Element[]} wanted
 */
function arrange(parent, wanted) {
  let next = parent.firstElementChild;
  for (const child of wanted) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  while (next) {
    const gone = next;
    next = next.nextElementSibling;
    gone.remove();
  }
}
