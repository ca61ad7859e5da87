// The person's keys come first. A key that meets the frame of a growing answer waits for it, and in a long conversation on a slow
// machine that frame takes longer than a key may. So while somebody types, what the engine says waits for the frame that
// shows the next key, and is shown after it, all at once and in its order.

/** Milliseconds after a key in which another one is to be expected. */
const TYPING = 500;
/** What the engine says waits that long at least while keys come, in milliseconds: a slow machine is not done with its frame
    when the next key is there, so not every key gets one after it. */
const SHORTEST = 150;
/** And never longer than that: slow typists see the answer grow too. */
const LONGEST = 400;

/** @template T */
export class Pace {
  /** @type {T[]} */
  #held = [];
  #until = 0;
  #since = 0; // when the first of them came
  #timer = 0;

  /** @param {(what: T) => void} go */
  constructor(go) {
    this.go = go;
    // In the capture phase, and for every field: renaming and searching are typing too.
    addEventListener('input', () => this.#typed(), { capture: true, passive: true });
  }

  /** @param {T} what to go on with, at once unless somebody types */
  take(what) {
    if (!this.#held.length && performance.now() >= this.#until) return this.go(what);
    if (!this.#held.length) this.#since = performance.now();
    this.#held.push(what);
    this.#timer ||= setTimeout(() => this.#release(), LONGEST);
  }

  #typed() {
    this.#until = performance.now() + TYPING;
    // The task after the frame, not the frame's own callback, which runs before it is drawn.
    requestAnimationFrame(() => setTimeout(() => performance.now() - this.#since >= SHORTEST && this.#release()));
  }

  #release() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    for (const what of this.#held.splice(0)) this.go(what);
  }
}
