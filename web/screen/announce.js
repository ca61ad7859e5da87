// Spoken words: one polite region for states, one assertive region for errors. The transcript itself is never spoken while
// it grows: a screen reader that reads out every token cannot be used.

/** Milliseconds between two polite announcements; of several in that time only the last one is spoken. */
const SPACING = 5000;

export class Announcer {
  /**
   * @param {HTMLElement} polite
   * @param {HTMLElement} assertive
   */
  constructor(polite, assertive) {
    this.polite = polite;
    this.assertive = assertive;
    this.last = -SPACING;
    this.waiting = '';
    this.timer = 0;
  }

  /** @param {string} text */
  say(text) {
    this.waiting = text;
    if (this.timer) return;
    const wait = Math.max(0, this.last + SPACING - performance.now());
    this.timer = setTimeout(() => this.#speak(), wait);
  }

  #speak() {
    this.timer = 0;
    this.last = performance.now();
    this.polite.textContent = this.waiting;
  }

  /** @param {string} text */
  alarm(text) {
    this.assertive.textContent = text;
  }
}
