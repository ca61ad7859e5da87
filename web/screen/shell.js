// What the service worker says about the shell, in words: being stored, ready for offline use, a new version waiting. Nothing
// here reloads by itself; the person is asked, and not while an answer is being written.

import { t } from './i18n.js';

/** Without a service worker: said, and nothing else follows from it. */
const WITHOUT = new Set(['denied', 'insecure']);
const STATES = new Set(['installing', 'offline-ready', 'update-ready']);

export class Shell {
  /**
   * @param {HTMLElement} note one quiet line in the list
   * @param {HTMLElement} bar the offer to reload
   * @param {object} on
   * @param {() => void} on.accept the person wants the new version
   */
  constructor(note, bar, on) {
    this.note = note;
    this.bar = bar;
    this.busy = false;
    this.accepted = false;
    this.held = false; // accepted, but the service worker holds an answer's connection
    bar.querySelector('button')?.addEventListener('click', () => {
      this.accepted = true;
      on.accept();
    });
  }

  /** @param {Record<string, any>} message {state, done, total} */
  show({ state, done, total }) {
    if (state === 'updated' && this.accepted) return location.reload();
    if (state === 'update-held') this.held = true;
    if (WITHOUT.has(state)) this.note.textContent = t(`shell.${state}`);
    if (!STATES.has(state)) return this.#offer();
    document.documentElement.dataset.shell = state;
    const counted = state === 'installing' && total > 0;
    this.note.textContent = t(counted ? 'shell.installing.count' : `shell.${state}`, { done, total });
    this.#offer();
  }

  /** @param {boolean} busy an answer is being written */
  hold(busy) {
    this.busy = busy;
    this.#offer();
  }

  #offer() {
    const words = this.bar.querySelector('span');
    if (words) words.textContent = t(this.held ? 'shell.update-held' : 'shell.update-ready');
    const button = this.bar.querySelector('button');
    if (button) button.hidden = this.held;
    const ready = document.documentElement.dataset.shell === 'update-ready';
    this.bar.hidden = !ready || (this.busy && !this.held);
  }
}
