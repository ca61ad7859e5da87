// Long work in short chunks: between them the browser draws and handles input.

/** Milliseconds of one chunk. */
const CHUNK = 8;

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

export class Chunks {
  #end = performance.now() + CHUNK;

  /** To be awaited after every small step: goes on at once as long as the chunk lasts, else in a task of its own. */
  async rest() {
    if (performance.now() < this.#end) return;
    await pause();
    this.#end = performance.now() + CHUNK;
  }
}
