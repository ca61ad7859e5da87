// Turns that are far from the screen cost nothing while an answer grows: the browser leaves them out of layout and
// paint (`content-visibility`) and uses the size of their last layout. So every turn must have been laid out once, and
// once more after a change of the width; with guessed sizes the text would jump under a reader who scrolls up.

/** Milliseconds without a change after which the sizes count as final. */
const QUIET = 500;

export class ContentVisibility {
  /** @param {HTMLElement} log */
  constructor(log) {
    this.log = log;
    this.width = -1;
    this.timer = 0;
    new ResizeObserver(() => this.#resized(log.clientWidth)).observe(log);
    new MutationObserver(() => this.reset()).observe(log, { childList: true });
  }

  /** @param {number} width */
  #resized(width) {
    if (width === this.width) return;
    this.width = width;
    this.reset();
  }

  /** Sizes may have changed: all is laid out again. Nothing is measured here: a long text comes in many patches. */
  reset() {
    if (this.log.dataset.settled === '') {
      delete this.log.dataset.settled;
      for (const turn of this.log.querySelectorAll(':scope > [data-far]')) turn.removeAttribute('data-far');
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#mark(), QUIET);
  }

  /** Turns near the screen are not marked: while the browser changes their state it leaves them out for a moment. */
  #mark() {
    const far = [...this.log.children].filter((turn) => {
      if (turn.getAttribute('data-author') === 'user') return false; // small: the browser's watch would cost more
      const { top, bottom } = turn.getBoundingClientRect();
      return bottom < -innerHeight || top > 2 * innerHeight;
    });
    for (const turn of far) turn.setAttribute('data-far', '');
    this.log.dataset.settled = '';
  }
}
