// The state of the shell, from the service worker: being stored, ready for offline use, a new version waiting. The page
// never reloads by itself: the person is asked, and not while an answer is being written.

import { t } from '../shared/i18n.js';

/** The value of `html[data-shell]` by state; other states change nothing there. @type {Record<string, string>} */
const STATES = {
  installing: 'installing',
  incomplete: 'installing',
  off: 'installing',
  'offline-ready': 'offline-ready',
  'update-ready': 'update-ready',
  updated: 'update-ready',
};
/** There is no service worker: a line says so, and nothing else follows. */
const WITHOUT = new Set(['denied', 'insecure']);
const MEGABYTE = 1_000_000;

export class Shell {
  /**
   * @param {HTMLElement} note one quiet line in the list
   * @param {HTMLElement} bar the offer to reload
   * @param {() => void} accept the person wants the new version
   */
  constructor(note, bar, accept) {
    this.note = note;
    this.bar = bar;
    this.busy = false;
    this.accepted = false;
    this.delayed = false; // accepted, but the service worker holds an answer's connection
    this.outdated = false; // another tab runs a newer version
    this.words = () => ''; // of the note
    bar.querySelector('button')?.addEventListener('click', () => {
      this.accepted = true;
      accept();
    });
  }

  /** @param {Record<string, any>} message {state, done, total, bytes, size, full} */
  show({ state, done, total, bytes = 0, size = 0, full }) {
    if (state === 'updated' && this.accepted) return location.reload();
    if (state === 'update-held') this.delayed = true;
    if (WITHOUT.has(state)) this.#note(() => t(`shell.${state}`));
    if (!(state in STATES)) return this.#offer();
    this.outdated = state === 'updated'; // another tab has accepted: this one goes on with its own files
    document.documentElement.dataset.shell = STATES[state];
    const values = { done, total, mb: bytes / MEGABYTE, of: size / MEGABYTE };
    this.#note(() => t(keyOf(state, total, full), values));
    this.#offer();
  }

  /** @param {() => string} words */
  #note(words) {
    this.words = words;
    this.note.textContent = words();
  }

  /** In another language. */
  relabel() {
    this.#note(this.words);
    this.#offer();
  }

  /** @param {boolean} busy an answer is being written */
  setBusy(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.#offer();
  }

  #offer() {
    const line = this.bar.querySelector('span');
    const key = this.outdated ? 'updated' : this.delayed ? 'update-held' : 'update-ready';
    if (line) line.textContent = t(`shell.${key}`);
    const button = this.bar.querySelector('button');
    if (button) button.hidden = this.delayed && !this.outdated;
    const ready = document.documentElement.dataset.shell === 'update-ready';
    this.bar.hidden = !ready || (this.busy && !this.delayed);
  }
}

/** @param {string} state @param {number} total @param {boolean} [full] */
function keyOf(state, total, full) {
  if (state === 'installing' && total > 0) return 'shell.installing.count';
  return state === 'incomplete' && full ? 'shell.full' : `shell.${state}`;
}
