// Asks Python every few seconds whether it still answers. Its own event loop has to: a worker whose Python has been caught in a
// loop still takes messages.
//
// No time is measured: the clock leaps when the machine has slept. The watchdog counts questions in a row that stayed open, each
// for a time in which the page could have seen the answer.

/** Milliseconds between two questions. */
const BEAT = 5000;
/** Open ones in a row after which Python is lost: a long piece of work on a slow machine must end before. */
const PATIENCE = 6;
/** The same two when there is a reason to think so. */
const BEAT_IN_DOUBT = 1000;
const PATIENCE_IN_DOUBT = 5;

export class Watchdog {
  #ask;
  #lost;
  #timer = 0;
  #asked = false; // and not answered
  #missed = 0;
  #doubt = false;

  /**
   * @param {() => void} ask
   * @param {() => void} lost
   */
  constructor(ask, lost) {
    this.#ask = ask;
    this.#lost = lost;
  }

  /** Python runs, and will answer. */
  begin() {
    this.#next();
  }

  /** It has answered. */
  beat() {
    this.#asked = this.#doubt = false;
    this.#missed = 0;
  }

  /** At least two questions in a row are open. */
  get silent() {
    return this.#missed > 0;
  }

  /** Something has broken in the worker, and it may be the end. */
  suspect() {
    if (!this.#timer) return;
    this.#doubt = true;
    this.#missed = 0;
    this.#next();
  }

  #next() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), this.#doubt ? BEAT_IN_DOUBT : BEAT);
  }

  #look() {
    // Put away, a page is slowed down or stopped, and what it sees of its worker means nothing.
    if (document.hidden) this.#missed = 0;
    else if (this.#asked) this.#missed += 1;
    if (this.#missed >= (this.#doubt ? PATIENCE_IN_DOUBT : PATIENCE)) return this.#lost();
    this.#asked = true;
    this.#ask();
    this.#next();
  }
}
