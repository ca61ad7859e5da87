// A limit for work of Python that may not come back by itself, as a regular expression on hostile text. A timer of this worker
// would wait for that work. Python itself looks here, every few thousand steps of any work, as it looks for Ctrl+C.

const SIGINT = 2;

let last = Infinity;

/** In place of the shared memory by which another thread would interrupt: that needs headers a static host does not send. */
const buffer = {
  get 0() {
    if (performance.now() < last) return 0;
    last = Infinity; // it interrupts once
    return SIGINT;
  },
  set 0(_) {}, // Python takes the signal away
};

/**
 * Gives Python `midstreamTimeLimit` (py/midstream/engine/browser/watchdog.py).
 * @param {any} python
 */
export function offerTimeLimit(python) {
  /** @type {any} */ (globalThis).midstreamTimeLimit = {
    begin(/** @type {number} */ milliseconds) {
      last = performance.now() + milliseconds;
      python.setInterruptBuffer(buffer);
    },
    end() {
      last = Infinity;
      python.setInterruptBuffer(undefined);
    },
  };
}
