// The person's keys come first. A key that meets the frame of a growing answer waits for it, and in a long conversation
// on a slow machine that frame takes too long. So while somebody types, the engine's messages wait for the frame that
// shows the next key, and are handled after it, all at once and in their order.

/** Milliseconds after a key in which another one is to be expected. */
const TYPING = 500;
/** Messages wait at least that long while keys come, in milliseconds. On a slow machine their frame may not be done
    when the next key comes, so not every key is followed by one. */
const SHORTEST = 150;
/** And at most that long: slow typists see the answer grow too. */
const LONGEST = 400;

/** @template T */
export class TypingPriority {
  /** @type {T[]} */
  #held = [];
  #until = 0;
  #since = 0; // when the first of them came
  #timer = 0;

  /** @param {(item: T) => void} handle */
  constructor(handle) {
    this.handle = handle;
    // In the capture phase, and for every field: renaming and searching are typing too.
    addEventListener('input', () => this.#typed(), { capture: true, passive: true });
  }

  /** Hands an item on, at once unless somebody types. @param {T} item */
  take(item) {
    if (!this.#held.length && performance.now() >= this.#until) return this.handle(item);
    if (!this.#held.length) this.#since = performance.now();
    this.#held.push(item);
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
    for (const item of this.#held.splice(0)) this.handle(item);
  }
}
