// The composer owns what is being typed: one draft per conversation, kept in localStorage with every keystroke, and the prompts
// that were sent but not yet confirmed by the engine, which are sent again (under the same id) after a reload.

import '../../shared/uuid.js';
import { grow, isComposed } from '../page/field.js';
import { NEW, drafts, keepDrafts } from '../../shared/tab.js';

/** @typedef {import('../../shared/tab.js').Pending} Pending */

export class Composer {
  /**
   * @param {HTMLFormElement} form
   * @param {object} on
   * @param {(pending: Pending) => void} on.send
   * @param {() => string} on.last the message that is shown last
   * @param {() => void} on.stop
   * @param {() => void} on.unsaved the browser refuses to store the draft
   */
  constructor(form, on) {
    this.on = on;
    this.prompt = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('prompt'));
    this.sendButton = /** @type {HTMLButtonElement} */ (form.elements.namedItem('send'));
    this.stopButton = /** @type {HTMLButtonElement} */ (form.elements.namedItem('stop'));
    this.drafts = drafts();
    this.kept = true; // that they are not is said once
    /** @type {string | null} */
    this.conversation = null;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.prompt.addEventListener('input', () => this.#typed());
    this.prompt.addEventListener('keydown', (event) => this.#key(event));
    this.stopButton.addEventListener('click', () => on.stop());
  }

  /** The prompts that are on their way to the engine. */
  get pending() {
    return this.drafts.pending;
  }

  /**
   * Shows the draft of a conversation.
   * @param {string | null} conversation
   */
  show(conversation) {
    this.conversation = conversation;
    const { draft } = this.prompt.dataset;
    delete this.prompt.dataset.draft;
    // What pre_paint.js has put there may have been typed on since.
    if (draft !== undefined && draft === conversation) this.#typed();
    else this.fill(this.drafts.texts[conversation ?? NEW] ?? '');
  }

  /**
   * The new conversation has got its id: what was typed for it since then goes along.
   * @param {string} conversation
   */
  adopt(conversation) {
    const { texts } = this.drafts;
    if (texts[NEW]) texts[conversation] = texts[NEW];
    delete texts[NEW];
    this.conversation = conversation;
    this.#keep();
  }

  /**
   * Puts a text back that was taken out of a conversation. What is being typed there stays, after it.
   * @param {string | null} conversation
   * @param {string} text
   */
  give(conversation, text) {
    const key = conversation ?? NEW;
    const whole = [text, this.drafts.texts[key]].filter(Boolean).join('\n\n');
    if (conversation === this.conversation) {
      this.fill(whole);
      this.prompt.focus();
      return;
    }
    this.drafts.texts[key] = whole;
    this.#keep();
  }

  /**
   * Adds a text from elsewhere to what is being typed, after it.
   * @param {string} text
   */
  add(text) {
    this.fill([this.prompt.value, text].filter(Boolean).join('\n\n'));
    this.prompt.focus();
    this.prompt.setSelectionRange(this.prompt.value.length, this.prompt.value.length);
    this.prompt.scrollTop = this.prompt.scrollHeight;
  }

  /**
   * A conversation has gone: what was typed for it is not lost with it.
   * @param {string} conversation
   */
  bequeath(conversation) {
    const text = this.drafts.texts[conversation];
    delete this.drafts.texts[conversation];
    if (text) this.give(null, text);
  }

  /**
   * A conversation was deleted, and what was typed for it goes with it.
   * @param {string} conversation
   */
  forget(conversation) {
    delete this.drafts.texts[conversation];
    this.#keep();
  }

  /**
   * Prompts that were taken back are not sent again.
   * @param {unknown} messages their ids
   */
  drop(messages) {
    const gone = new Set(Array.isArray(messages) ? messages : []);
    this.drafts.pending = this.pending.filter(({ message }) => !gone.has(message));
    this.#keep();
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
   * @param {Map<string, {status: {state: string}}>} turns as the engine told them
   */
  confirm(turns) {
    const waiting = this.pending.filter(({ message }) => (turns.get(message)?.status.state ?? 'sending') === 'sending');
    if (waiting.length === this.pending.length) return;
    this.drafts.pending = waiting;
    this.#keep();
  }

  /**
   * Send or Stop: they share one place.
   * @param {boolean} live an answer is being written
   */
  mode(live) {
    const [gone, there] = live ? [this.sendButton, this.stopButton] : [this.stopButton, this.sendButton];
    if (document.activeElement === gone) this.prompt.focus();
    gone.hidden = true;
    there.hidden = false;
  }

  #typed() {
    const { value } = this.prompt;
    this.sendButton.disabled = !value.trim();
    grow(this.prompt);
    const key = this.conversation ?? NEW;
    if ((this.drafts.texts[key] ?? '') === value) return;
    if (value) this.drafts.texts[key] = value;
    else delete this.drafts.texts[key];
    this.#keep();
  }

  #keep() {
    const before = this.kept;
    this.kept = keepDrafts(this.drafts);
    if (before && !this.kept) this.on.unsaved();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== 'Enter' || event.shiftKey || isComposed(event)) return;
    event.preventDefault();
    this.#send();
  }

  #send() {
    const text = this.prompt.value.trim();
    if (!text || this.sendButton.hidden) return;
    this.#give({ text });
  }

  /**
   * Sends words in the place of a question that was asked.
   * @param {string} text
   * @param {string} edits the question
   */
  instead(text, edits) {
    this.#give({ text, edits });
  }

  /** @param {{text: string, edits?: string}} what */
  #give(what) {
    const pending = { conversation: this.conversation, message: crypto.randomUUID(), after: this.on.last(), ...what };
    this.pending.push(pending);
    if (what.edits) this.#keep();
    else this.fill('');
    this.on.send(pending);
  }
}
