// What the service worker says about the shell, in words: being stored, ready for offline use, a new version waiting. Nothing
// here reloads by itself; the person is asked, and not while an answer is being written.

import { t } from '../shared/i18n.js';

/** What each state is on `html[data-shell]`; the others change nothing there. @type {Record<string, string>} */
const STATES = {
  installing: 'installing',
  incomplete: 'installing',
  off: 'installing',
  'offline-ready': 'offline-ready',
  'update-ready': 'update-ready',
  updated: 'update-ready',
};
/** Without a service worker: said, and nothing else follows from it. */
const WITHOUT = new Set(['denied', 'insecure']);
const MEGABYTE = 1_000_000;

export class Shell {
  /**
   * @param {HTMLElement} note one quiet line in the list
   * @param {HTMLElement} bar the offer to reload
   * @param {object} on
   * @param {() => void} on.accept the person wants the new version
   * @param {() => void} on.mended stored files that were damaged have been fetched again
   */
  constructor(note, bar, on) {
    this.note = note;
    this.bar = bar;
    this.on = on;
    this.busy = false;
    this.accepted = false;
    this.held = false; // accepted, but the service worker holds an answer's connection
    this.elsewhere = false;
    bar.querySelector('button')?.addEventListener('click', () => {
      this.accepted = true;
      on.accept();
    });
  }

  /** @param {Record<string, any>} message {state, done, total, bytes, size, full} */
  show({ state, done, total, bytes = 0, size = 0, full }) {
    if (state === 'updated' && this.accepted) return location.reload();
    if (state === 'update-held') this.held = true;
    if (state === 'mended') this.on.mended();
    if (WITHOUT.has(state)) this.note.textContent = t(`shell.${state}`);
    if (!(state in STATES)) return this.#offer();
    this.elsewhere = state === 'updated'; // another tab has accepted: this one goes on with its own files
    document.documentElement.dataset.shell = STATES[state];
    this.note.textContent = t(wording(state, total, full), { done, total, mb: bytes / MEGABYTE, of: size / MEGABYTE });
    this.#offer();
  }

  /** @param {boolean} busy an answer is being written */
  hold(busy) {
    if (busy === this.busy) return;
    this.busy = busy;
    this.#offer();
  }

  #offer() {
    const words = this.bar.querySelector('span');
    const key = this.elsewhere ? 'updated' : this.held ? 'update-held' : 'update-ready';
    if (words) words.textContent = t(`shell.${key}`);
    const button = this.bar.querySelector('button');
    if (button) button.hidden = this.held && !this.elsewhere;
    const ready = document.documentElement.dataset.shell === 'update-ready';
    this.bar.hidden = !ready || (this.busy && !this.held);
  }
}

/**
 * @param {string} state
 * @param {number} total
 * @param {boolean} [full]
 */
function wording(state, total, full) {
  if (state === 'installing' && total > 0) return 'shell.installing.count';
  return state === 'incomplete' && full ? 'shell.full' : `shell.${state}`;
}
