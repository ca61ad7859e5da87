// Work that takes long, in slices: in between the browser draws and hears the person.

/** Milliseconds of one slice. */
const SLICE = 8;

/** By a message: timers wait for a second each while the tab is hidden. @returns {Promise<void>} */
export function pause() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

export class Slices {
  #end = performance.now() + SLICE;

  /** To be awaited after every small step: goes on at once as long as the slice lasts, else in a task of its own. */
  async rest() {
    if (performance.now() < this.#end) return;
    await pause();
    this.#end = performance.now() + SLICE;
  }
}
