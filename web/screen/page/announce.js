// Announcements for screen readers: one polite region for states, one assertive region for errors. The growing
// transcript itself is silent: a screen reader that reads out every token cannot be used. People who want to hear the
// text get it in a third region, block by block or when it is complete (answer/speech.js).

import { element } from '../../shared/element.js';

/** Milliseconds between two polite announcements; of several in that time only the last one is spoken. */
const SPACING = 5000;
/** Blocks that stay in the region. Older ones can go: a screen reader has taken their text when they came. */
const MOST = 20;

export class Announcer {
  /** @param {HTMLElement} polite @param {HTMLElement} assertive @param {HTMLElement} reading */
  constructor(polite, assertive, reading) {
    this.polite = polite;
    this.assertive = assertive;
    this.reading = reading;
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

  /** Has the text of these blocks read, after those before them. @param {Element[]} blocks */
  read(blocks) {
    for (const { textContent } of blocks) this.reading.append(element(document, 'p', {}, textContent?.trim() ?? ''));
    while (this.reading.children.length > MOST) this.reading.firstChild?.remove();
  }
}
