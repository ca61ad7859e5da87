// The composer owns the drafts, one per conversation, which it stores with every keystroke, and the prompts that the
// engine has not confirmed yet: after a reload they are sent again, under the same id.

import { NEW } from '../../shared/address.js';
import { promptOf } from '../../shared/invisible.js';
import '../../shared/uuid.js';
import { growField, hintEnter, isSending } from '../page/field.js';
import { loadDrafts, storeDrafts } from '../page/tab.js';

/** @typedef {import('../page/tab.js').Pending} Pending */

export class Composer {
  /** @type {(pending: Pending) => void} */
  onsend = () => {};
  onstop = () => {};

  /**
   * @param {HTMLFormElement} form
   * @param {object} on
   * @param {() => string} on.last the last visible message
   * @param {() => void} on.unsaved the browser refuses to store the draft
   */
  constructor(form, on) {
    this.on = on;
    this.prompt = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('prompt'));
    this.sendButton = /** @type {HTMLButtonElement} */ (form.elements.namedItem('send'));
    this.stopButton = /** @type {HTMLButtonElement} */ (form.elements.namedItem('stop'));
    this.drafts = loadDrafts();
    this.stored = true; // a failure is reported once
    this.live = false; // an answer is being written
    /** @type {string | null} */
    this.conversation = null;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.prompt.addEventListener('input', () => this.#typed());
    this.prompt.addEventListener('keydown', (event) => this.#key(event));
    hintEnter(this.prompt);
    this.stopButton.addEventListener('click', () => this.onstop());
  }

  /** The prompts that are on their way to the engine. */
  get pending() {
    return this.drafts.pending;
  }

  /** Shows the draft of a conversation. @param {string | null} conversation */
  show(conversation) {
    this.conversation = conversation;
    const { draft } = this.prompt.dataset;
    delete this.prompt.dataset.draft;
    // pre_paint.js has put it there, and the person may have typed since.
    if (draft !== undefined && draft === conversation) this.#typed();
    else this.fill(this.drafts.texts[conversation ?? NEW] ?? '');
  }

  /** The new conversation has got its id, and takes the draft along. @param {string} conversation */
  adopt(conversation) {
    const { texts } = this.drafts;
    if (texts[NEW]) texts[conversation] = texts[NEW];
    delete texts[NEW];
    this.conversation = conversation;
    this.#store();
  }

  /**
   * Puts a text that was taken out of a conversation back into its draft, before the text that is there.
   * @param {string | null} conversation
   * @param {string} text
   */
  putBack(conversation, text) {
    const key = conversation ?? NEW;
    const whole = [text, this.drafts.texts[key]].filter(Boolean).join('\n\n');
    if (conversation === this.conversation) {
      this.fill(whole);
      this.prompt.focus();
      return;
    }
    this.drafts.texts[key] = whole;
    this.#store();
  }

  /** Adds a text from outside at the end of the draft. @param {string} text */
  add(text) {
    this.fill([this.prompt.value, text].filter(Boolean).join('\n\n'));
    this.prompt.focus();
    this.prompt.setSelectionRange(this.prompt.value.length, this.prompt.value.length);
    this.prompt.scrollTop = this.prompt.scrollHeight;
  }

  /** A conversation has gone: its draft goes to the new one. @param {string} conversation */
  bequeath(conversation) {
    const text = this.drafts.texts[conversation];
    delete this.drafts.texts[conversation];
    if (text) this.putBack(null, text);
  }

  /** A conversation was deleted, with its draft. @param {string} conversation */
  forget(conversation) {
    delete this.drafts.texts[conversation];
    this.#store();
  }

  /** Prompts that were taken back are not sent again. @param {unknown} messages their ids */
  drop(messages) {
    const gone = new Set(Array.isArray(messages) ? messages : []);
    this.drafts.pending = this.pending.filter(({ message }) => !gone.has(message));
    this.#store();
  }

  /** Sends a text as if it had been typed. @param {string} text */
  ask(text) {
    this.fill(text);
    this.#send();
  }

  /** @param {string} text */
  fill(text) {
    if (this.prompt.value !== text) this.prompt.value = text;
    this.#typed();
  }

  /**
   * Forgets the prompts that the engine has stored.
   * @param {Map<string, {status: {state: string}}>} turns with the engine's states
   */
  confirm(turns) {
    const waiting = this.pending.filter(({ message }) => (turns.get(message)?.status.state ?? 'sending') === 'sending');
    if (waiting.length === this.pending.length) return;
    this.drafts.pending = waiting;
    this.#store();
  }

  /** @param {boolean} live an answer is being written */
  mode(live) {
    this.live = live;
    this.#showButtons();
  }

  /** Send or Stop: they share one place, until there is a text that can wait behind the answer. */
  #showButtons() {
    const typed = promptOf(this.prompt.value) !== '';
    this.sendButton.disabled = !typed;
    this.#show(this.stopButton, this.live);
    this.#show(this.sendButton, typed || !this.live);
  }

  /** @param {HTMLButtonElement} button @param {boolean} there */
  #show(button, there) {
    if (!there && document.activeElement === button) this.prompt.focus();
    button.hidden = !there;
  }

  #typed() {
    const { value } = this.prompt;
    this.#showButtons();
    growField(this.prompt);
    const key = this.conversation ?? NEW;
    if ((this.drafts.texts[key] ?? '') === value) return;
    if (value) this.drafts.texts[key] = value;
    else delete this.drafts.texts[key];
    this.#store();
  }

  #store() {
    const before = this.stored;
    this.stored = storeDrafts(this.drafts);
    if (before && !this.stored) this.on.unsaved();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!isSending(event)) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    const text = promptOf(this.prompt.value);
    if (text) this.#prompt({ text });
  }

  /** Sends a new version of a question. @param {string} text @param {string} edits the question */
  sendEdited(text, edits) {
    this.#prompt({ text, edits });
  }

  /** @param {{text: string, edits?: string}} prompt */
  #prompt(prompt) {
    const pending = { conversation: this.conversation, message: crypto.randomUUID(), after: this.on.last(), ...prompt };
    this.pending.push(pending);
    if (prompt.edits) this.#store();
    else this.fill('');
    this.onsend(pending);
  }
}
