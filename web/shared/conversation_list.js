// The list of conversations: real links, so that one can be opened in a new tab, with a dot for what goes on in each, grouped by
// the day on which something was last said in it.

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
const GROUPS = ['pinned', 'today', 'yesterday', 'earlier'];

/** @typedef {Record<string, any>} Item {id, title, state, updated, pinned, server} */

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
    /** @type {Map<string, Item>} */
    this.items = new Map();
    /** What each entry was told to say. @type {WeakMap<HTMLAnchorElement, string>} */
    this.says = new WeakMap();
    this.file = /** @type {HTMLInputElement} */ (nav.querySelector('input[name=file]'));
    nav.addEventListener('click', (event) => this.#clicked(event));
    this.file.addEventListener('change', () => this.#chosen());
  }

  #chosen() {
    const [file] = this.file.files ?? [];
    if (file) this.on.import(file);
    this.file.value = ''; // the same file may be chosen again
  }

  /** @param {unknown} items newest first */
  show(items) {
    const usable = (Array.isArray(items) ? items : []).filter((item) => typeof item?.id === 'string');
    this.items = new Map(usable.map((item) => [item.id, item]));
    const focused = document.activeElement;
    const links = new Map([...this.list.querySelectorAll('a')].map((link) => [link.dataset.conversation, link]));
    const sections = grouped(usable, Date.now()).map(([group, items]) => {
      const standing = this.list.querySelector(`[data-group=${group}]`);
      const rows = items.map((item) => this.#row(links.get(item.id), item));
      if (!standing) return section(document, group, rows);
      arrange(/** @type {Element} */ (standing.lastElementChild), rows);
      return standing;
    });
    arrange(this.list, sections);
    // What has changed its place has lost it.
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.list.contains(focused)) focused.focus();
    this.mark(this.shown);
  }

  /**
   * A list comes with every change of a state; an entry that says the same as before is left alone.
   * @param {HTMLAnchorElement | undefined} link
   * @param {Item} item
   * @returns {HTMLElement}
   */
  #row(link, item) {
    const says = JSON.stringify([item.title, item.state, item.server]);
    const holder = link?.parentElement;
    if (link && holder && this.says.get(link) === says) return holder;
    const entry = link ?? document.createElement('a');
    this.says.set(entry, says);
    return row(entry, item);
  }

  /** @param {string | null} conversation */
  mark(conversation) {
    this.shown = conversation;
    for (const link of this.list.querySelectorAll('a')) {
      link.ariaCurrent = link.dataset.conversation === conversation ? 'page' : null;
    }
  }

  /**
   * @param {string | null} conversation
   * @returns {HTMLAnchorElement | undefined}
   */
  link(conversation) {
    return [...this.list.querySelectorAll('a')].find((each) => each.dataset.conversation === conversation);
  }

  /**
   * Another name, until the next list comes.
   * @param {HTMLAnchorElement} link
   * @param {string} title
   */
  name(link, title) {
    if (link.firstChild) link.firstChild.textContent = title;
    this.says.delete(link);
  }

  /** @param {string | null} conversation */
  titleOf(conversation) {
    return this.link(conversation)?.firstChild?.textContent ?? null;
  }

  /**
   * @param {string} conversation
   * @returns {boolean} its answer has ended while nobody looked
   */
  finished(conversation) {
    return this.link(conversation)?.dataset.dot === 'finished';
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
    else if (target instanceof HTMLAnchorElement && this.list.contains(target) && !elsewhere) {
      event.preventDefault();
      this.on.open(String(target.dataset.conversation));
    } else return;
    this.close();
  }
}

/**
 * The groups that are not empty, in their order. The service worker prints by them too.
 * @param {Item[]} items newest first
 * @param {number} now
 * @returns {[string, Item[]][]}
 */
export function grouped(items, now) {
  const [today, yesterday] = [0, 1].map((days) => {
    const midnight = new Date(now);
    midnight.setHours(0, 0, 0, 0);
    midnight.setDate(midnight.getDate() - days); // not by 24 hours: a day may have 23 or 25
    return midnight.getTime();
  });
  /** @param {Item} item */
  const groupOf = ({ pinned, updated }) => {
    if (pinned === true) return 'pinned';
    return updated >= today ? 'today' : updated >= yesterday ? 'yesterday' : 'earlier';
  };
  const groups = GROUPS.map((group) => /** @type {[string, Item[]]} */ ([group, items.filter((item) => groupOf(item) === group)]));
  return groups.filter(([, members]) => members.length);
}

/**
 * @param {Document} paper
 * @param {string} group
 * @param {Node[]} rows
 */
export function section(paper, group, rows) {
  const heading = element(paper, 'h2', {}, t(`list.${group}`));
  return element(paper, 'section', { 'data-group': group }, heading, element(paper, 'ul', {}, ...rows));
}

/**
 * One entry; the service worker prints it too.
 * @param {HTMLAnchorElement} link
 * @param {Item} item
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
  const more = { type: 'button', name: 'more', 'aria-haspopup': 'menu' };
  const holder = link.parentElement ?? element(paper, 'li', {}, link, element(paper, 'button', more));
  set(/** @type {Element} */ (holder.lastChild), { 'aria-label': t('list.more', { title: titleOf(item) }) });
  return holder;
}

/** @param {Item} item */
export const titleOf = (item) => String(item.title || t('list.untitled'));

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
