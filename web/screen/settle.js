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
    new ResizeObserver(() => log.clientWidth !== this.width && this.again()).observe(log);
    new MutationObserver(() => this.again()).observe(log, { childList: true });
  }

  /** Sizes have changed, or may have: they are taken anew. */
  again() {
    this.width = this.log.clientWidth;
    delete this.log.dataset.settled;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.log.dataset.settled = ''), QUIET);
  }
}
