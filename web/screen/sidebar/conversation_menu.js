// The menu of a conversation in the list: renaming it in place, pinning, files, printing, deleting and taking that
// back.

import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { titleOf } from '../../shared/conversation_entries.js';
import { find, part } from '../page/page.js';

/** Pixels between the menu and the edges of the window. */
const EDGE = 8;
/** The buttons of the menu that make a file. @type {Record<string, import('../page/port_types.js').ExportIntent['format']>} */
const FORMATS = { 'export-markdown': 'markdown', 'export-html': 'html', 'export-json': 'json' };
/** The texts of such a file beside the messages. The engine fills `n` in. */
const fileTexts = () => ({
  language: document.documentElement.lang,
  user: t('turn.user'),
  assistant: t('file.answer'),
  reasoning: t('file.reasoning'),
  partial: t('file.partial', { n: '{n}' }),
});
/** The buttons for a conversation that only the server has. */
const SERVER = ['delete'];

export class ConversationMenu {
  /**
   * @param {import('./conversation_list.js').ConversationList} list
   * @param {object} on
   * @param {(intent: import('../page/port.js').Intent) => unknown} on.send
   * @param {(conversation: string) => void} on.visit
   * @param {(conversation: string) => void} on.gone it is deleted for good
   * @param {(text: string) => void} on.say
   */
  constructor(list, on) {
    this.list = list;
    this.on = on;
    this.menu = find('#menu');
    this.line = part('undo');
    /** The conversation of the menu. */
    this.chosen = '';
    /** The one that was current when it was deleted: taken back, it is shown again. */
    this.left = '';
    /** @type {import('../../shared/conversation_entries.js').Item[]} that can be taken back, the last one first */
    this.deleted = [];
    list.list.addEventListener('click', (event) => this.#open(event));
    list.list.addEventListener('scroll', () => this.menu.matches(':popover-open') && this.menu.hidePopover());
    this.menu.addEventListener('click', (event) => this.#pick(event));
    this.menu.addEventListener('keydown', (event) => this.#key(event));
    this.line.querySelector('button')?.addEventListener('click', () => this.#undo());
  }

  // The menu

  /** @param {Event} event */
  #open(event) {
    const button = event.target instanceof Element ? event.target.closest('button') : null;
    const id = button?.parentElement?.querySelector('a')?.dataset.conversation;
    const item = this.list.items.get(id ?? '');
    if (!button || !item) return;
    this.chosen = item.id;
    for (const each of this.menu.querySelectorAll('button')) {
      each.hidden = item.server === true && !SERVER.includes(each.name);
      if (each.name === 'pin') each.textContent = t(item.pinned === true ? 'button.unpin' : 'button.pin');
      if (each.name === 'print') each.hidden ||= item.id !== this.list.current;
    }
    this.menu.ariaLabel = t('list.more', { title: titleOf(item) });
    this.menu.showPopover({ source: button });
    this.#put(button.getBoundingClientRect());
    this.#choices()[0]?.focus();
  }

  /** @param {DOMRect} beside */
  #put({ left, right, bottom, top }) {
    const { offsetWidth: width, offsetHeight: height } = this.menu;
    const start = getComputedStyle(this.menu).direction === 'rtl' ? left : right - width;
    const x = Math.max(EDGE, Math.min(start, innerWidth - width - EDGE));
    const y = bottom + height + EDGE > innerHeight ? Math.max(EDGE, top - height) : bottom;
    Object.assign(this.menu.style, { left: `${x}px`, top: `${y}px` });
  }

  #choices() {
    return [...this.menu.querySelectorAll('button')].filter((button) => !button.hidden);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const choices = this.#choices();
    const at = choices.findIndex((button) => button === document.activeElement);
    const last = choices.length - 1;
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, Home: 0, End: last };
    if (event.key === 'Tab') this.menu.hidePopover();
    if (!Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    choices[steps[event.key]]?.focus();
  }

  /** @param {Event} event */
  #pick(event) {
    const name = event.target instanceof Element ? event.target.closest('button')?.name : undefined;
    const conversation = this.chosen;
    const item = this.list.items.get(conversation);
    if (!name || !item) return;
    this.menu.hidePopover();
    if (name === 'rename') this.#rename(item);
    else if (name === 'pin') this.on.send({ type: 'pin', conversation, on: item.pinned !== true });
    else if (name === 'delete') this.#delete(item);
    else if (name === 'print') print();
    else this.on.send({ type: 'export', conversation, format: FORMATS[name], words: fileTexts() });
  }

  // A name

  /** @param {import('../../shared/conversation_entries.js').Item} item */
  #rename(item) {
    const link = this.list.link(item.id);
    if (!link || link.hidden) return;
    const before = titleOf(item);
    const field = { name: 'title', dir: 'auto', autocomplete: 'off', maxlength: '200', 'aria-label': t('label.title') };
    const input = /** @type {HTMLInputElement} */ (element(document, 'input', field));
    let ended = false; // taking the focus away ends it too
    const end = (/** @type {boolean} */ keep) => {
      if (ended) return;
      ended = true;
      const title = input.value.trim();
      link.hidden = false;
      if (document.activeElement === input) link.focus();
      input.remove();
      if (!keep || !title || title === before) return;
      // Before the engine says so: the old name must not stand there once more.
      this.list.name(link, title);
      this.on.send({ type: 'rename', conversation: item.id, title });
    };
    input.addEventListener('keydown', (event) => {
      if (event.isComposing || !['Enter', 'Escape'].includes(event.key)) return;
      event.preventDefault(); // Escape would close the sheet
      event.stopPropagation();
      end(event.key === 'Enter');
    });
    input.addEventListener('blur', () => end(true));
    input.value = before;
    link.hidden = true;
    link.after(input);
    input.focus();
    input.select();
  }

  // Deleting

  /** @param {import('../../shared/conversation_entries.js').Item} item */
  #delete(item) {
    const conversation = item.id;
    if (!this.on.send({ type: 'delete', conversation })) return;
    this.left = conversation === this.list.current ? conversation : '';
    const links = [...this.list.list.querySelectorAll('a')];
    const at = links.findIndex((link) => link.dataset.conversation === conversation);
    (links[at + 1] ?? links[at - 1] ?? find('button[name=new]')).focus();
    this.list.close(); // the line with Undo stands below the sheet
  }

  /** Shows the deletion that can be taken back. @param {unknown} deleted */
  showDeleted(deleted) {
    const now = (Array.isArray(deleted) ? deleted : []).filter((item) => typeof item?.id === 'string');
    for (const { id } of this.deleted) {
      if (!now.some((item) => item.id === id) && !this.list.items.has(id)) this.on.gone(id);
    }
    const [newest] = now;
    const text = newest ? t('undo.deleted', { title: titleOf(newest) }) : '';
    const isNew = newest && newest.id !== this.deleted[0]?.id && now.length > this.deleted.length;
    this.deleted = now;
    this.line.hidden = !newest;
    const span = this.line.querySelector('span');
    if (span && span.textContent !== text) span.textContent = text;
    if (isNew) this.on.say(text);
  }

  /** In another language. */
  relabel() {
    this.showDeleted(this.deleted);
  }

  #undo() {
    const [newest] = this.deleted;
    if (!newest) return;
    this.on.send({ type: 'undelete', conversation: newest.id });
    if (newest.id === this.left && this.list.current === null) this.on.visit(newest.id);
  }
}
