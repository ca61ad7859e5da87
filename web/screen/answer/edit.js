// Questions that are being edited, in their places. Every keystroke is stored, so neither a reload nor a change to
// another version of the conversation loses any of the text.

import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { promptOf } from '../../shared/invisible.js';
import { growField, hintEnter, isComposed, isSending } from '../page/field.js';
import { loadItem, storeItem } from '../page/tab.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {Record<string, {conversation: string | null, text: string}>} Stored by question */

const KEY = 'midstream.edits';

export class Edits {
  /**
   * @param {object} on
   * @param {(text: string, turn: Turn) => void} on.send
   * @param {() => void} on.unsaved the browser refuses to store it
   */
  constructor(on) {
    this.on = on;
    this.stored = true; // a failure is reported once
  }

  /**
   * Opens those that were being edited.
   * @param {Iterable<Turn>} turns
   * @param {string | null} conversation of the turns
   */
  reopen(turns, conversation) {
    const stored = read();
    for (const turn of turns) {
      if (Object.hasOwn(stored, turn.id) && !turn.applier) this.#open(turn, conversation, stored[turn.id].text);
    }
  }

  /** @param {Turn} turn @param {string | null} conversation */
  open(turn, conversation) {
    const area = this.#open(turn, conversation, turn.text);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  /** Drops the edits of a deleted conversation. @param {string} conversation */
  forget(conversation) {
    const others = Object.entries(read()).filter(([, each]) => each.conversation !== conversation);
    this.#store(Object.fromEntries(others));
  }

  /** @param {Turn} turn @param {string | null} conversation @param {string} text */
  #open(turn, conversation, text) {
    const there = turn.article.querySelector('textarea');
    if (there) return there;
    const label = {
      name: 'edited',
      rows: '1',
      dir: 'auto',
      'aria-label': t('label.edited'),
      'data-label': 'label.edited',
    };
    const area = /** @type {HTMLTextAreaElement} */ (element(document, 'textarea', label));
    const submit = element(
      document,
      'button',
      { type: 'submit', name: 'ask', 'data-words': 'button.send' },
      t('button.send'),
    );
    const ask = /** @type {HTMLButtonElement} */ (submit);
    const cancel = element(
      document,
      'button',
      { type: 'button', name: 'cancel', 'data-words': 'button.cancel' },
      t('button.cancel'),
    );
    const buttons = element(document, 'div', {}, cancel, ask);
    const form = element(document, 'form', { 'data-part': 'editor' }, area, buttons);
    const send = () => {
      const edited = promptOf(area.value);
      if (!edited) return;
      this.#close(turn, form);
      this.on.send(edited, turn);
    };
    form.addEventListener('submit', (event) => (event.preventDefault(), send()));
    cancel.addEventListener('click', () => this.#close(turn, form));
    area.addEventListener('keydown', (event) => {
      if (isSending(event)) send();
      else if (event.key === 'Escape' && !isComposed(event)) this.#close(turn, form);
      else return;
      event.preventDefault();
    });
    area.addEventListener('input', () => {
      ask.disabled = !area.value.trim();
      growField(area);
      this.#store({ ...read(), [turn.id]: { conversation, text: area.value } });
    });
    hintEnter(area);
    area.value = text;
    turn.content.after(form);
    turn.article.toggleAttribute('data-editing', true);
    growField(area);
    return area;
  }

  /** @param {Turn} turn @param {Element} form */
  #close(turn, form) {
    const within = form.contains(document.activeElement);
    form.remove();
    turn.article.removeAttribute('data-editing');
    const { [turn.id]: gone, ...others } = read();
    if (gone) this.#store(others);
    if (within) turn.actions.find(({ name }) => name === 'edit')?.focus({ preventScroll: true });
  }

  /** @param {Stored} edits */
  #store(edits) {
    const before = this.stored;
    this.stored = storeItem('localStorage', KEY, edits);
    if (before && !this.stored) this.on.unsaved();
  }
}

/** Anew each time: other tabs have edits of their own. @returns {Stored} */
function read() {
  const entries = Object.entries(loadItem('localStorage', KEY) ?? {});
  return Object.fromEntries(entries.filter(([, each]) => typeof each?.text === 'string'));
}
