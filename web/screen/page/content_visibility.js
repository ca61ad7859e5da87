// What stands far from the screen costs nothing while an answer grows: the browser leaves it out of layout and paint
// (`content-visibility`) and takes the size that it had when it was laid out last. So all of it has to be laid out once first,
// and once more at another width, and turns that come later too; with guessed sizes the text would jump while one scrolls up.

/** Milliseconds of quiet after which the sizes are the last ones. */
const QUIET = 500;

export class Settle {
  /** @param {HTMLElement} log */
  constructor(log) {
    this.log = log;
    this.width = -1;
    this.timer = 0;
    new ResizeObserver(() => this.#resized(log.clientWidth)).observe(log);
    new MutationObserver(() => this.again()).observe(log, { childList: true });
  }

  /** @param {number} width */
  #resized(width) {
    if (width === this.width) return;
    this.width = width;
    this.again();
  }

  /** Sizes have changed, or may have: they are taken anew. Nothing is measured here: a long text comes in many patches. */
  again() {
    if (this.log.dataset.settled === '') {
      delete this.log.dataset.settled;
      for (const turn of this.log.querySelectorAll(':scope > [data-far]')) turn.removeAttribute('data-far');
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#settle(), QUIET);
  }

  /** What is near the screen is left alone: on its way into this state the browser leaves it out for a moment. */
  #settle() {
    const far = [...this.log.children].filter((turn) => {
      if (turn.getAttribute('data-author') === 'user') return false; // small: being watched would cost more
      const { top, bottom } = turn.getBoundingClientRect();
      return bottom < -innerHeight || top > 2 * innerHeight;
    });
    for (const turn of far) turn.setAttribute('data-far', '');
    this.log.dataset.settled = '';
  }
}
