// Questions that are being edited, in their places. What was typed is kept with every keystroke, so that a reload, or another
// version of the conversation being shown, loses none of it.

import { element } from '../../shared/element.js';
import { grow, isComposed } from '../page/field.js';
import { t } from '../../shared/i18n.js';
import { load, store } from '../../shared/tab.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {Record<string, {conversation: string | null, text: string}>} Kept by question */

const KEY = 'midstream.edits';

export class Edits {
  /**
   * @param {object} on
   * @param {(text: string, turn: Turn) => void} on.send
   * @param {() => string | null} on.conversation that is shown
   * @param {() => void} on.unsaved the browser refuses to store it
   */
  constructor(on) {
    this.on = on;
    this.kept = true; // that it is not is said once
  }

  /** Opens those that were being edited. @param {Iterable<Turn>} turns */
  restore(turns) {
    const kept = read();
    for (const turn of turns) if (Object.hasOwn(kept, turn.id) && !turn.applier) this.#open(turn, kept[turn.id].text);
  }

  /** @param {Turn} turn */
  open(turn) {
    const area = this.#open(turn, turn.content.textContent ?? '');
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  /** A conversation was deleted, and what was typed in it goes with it. @param {string} conversation */
  forget(conversation) {
    const kept = Object.entries(read()).filter(([, each]) => each.conversation !== conversation);
    this.#keep(Object.fromEntries(kept));
  }

  /**
   * @param {Turn} turn
   * @param {string} text
   */
  #open(turn, text) {
    const there = turn.article.querySelector('textarea');
    if (there) return there;
    const label = { name: 'edited', rows: '1', dir: 'auto', 'aria-label': t('label.edited'), enterkeyhint: 'send' };
    const area = /** @type {HTMLTextAreaElement} */ (element(document, 'textarea', label));
    const ask = /** @type {HTMLButtonElement} */ (element(document, 'button', { type: 'submit', name: 'ask' }, t('button.send')));
    const cancel = element(document, 'button', { type: 'button', name: 'cancel' }, t('button.cancel'));
    const buttons = element(document, 'div', {}, cancel, ask);
    const form = element(document, 'form', { 'data-part': 'editor' }, area, buttons);
    const send = () => {
      const words = area.value.trim();
      if (!words) return;
      this.#close(turn, form);
      this.on.send(words, turn);
    };
    form.addEventListener('submit', (event) => (event.preventDefault(), send()));
    cancel.addEventListener('click', () => this.#close(turn, form));
    area.addEventListener('keydown', (event) => {
      if (isComposed(event)) return;
      if (event.key === 'Escape') this.#close(turn, form);
      else if (event.key === 'Enter' && !event.shiftKey) send();
      else return;
      event.preventDefault();
    });
    area.addEventListener('input', () => {
      ask.disabled = !area.value.trim();
      grow(area);
      this.#keep({ ...read(), [turn.id]: { conversation: this.on.conversation(), text: area.value } });
    });
    area.value = text;
    turn.content.after(form);
    turn.article.toggleAttribute('data-editing', true);
    grow(area);
    return area;
  }

  /**
   * @param {Turn} turn
   * @param {Element} form
   */
  #close(turn, form) {
    const within = form.contains(document.activeElement);
    form.remove();
    turn.article.removeAttribute('data-editing');
    const { [turn.id]: gone, ...others } = read();
    if (gone) this.#keep(others);
    if (within) turn.actions.find(({ name }) => name === 'edit')?.focus({ preventScroll: true });
  }

  /** @param {Kept} kept */
  #keep(kept) {
    const before = this.kept;
    this.kept = store('localStorage', KEY, kept);
    if (before && !this.kept) this.on.unsaved();
  }
}

/** Anew each time: other tabs have edits of their own. @returns {Kept} */
function read() {
  const entries = Object.entries(load('localStorage', KEY) ?? {}).filter(([, each]) => typeof each?.text === 'string');
  return Object.fromEntries(entries);
}
