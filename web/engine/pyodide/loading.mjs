// Counts the bytes of Python that have come and sends them to the engine's document while that takes long: over a slow network a
// start must not look like a failure. `loading <done>/<total>`, in bytes after unpacking.

import { BUILD, base } from './parts.mjs';

/** Milliseconds after which a start is slow, and then between two messages. */
const SLOW = 2000;
const EACH = 500;

/** A stored file comes at once; counted it would come as a stream of our own, and the browser's stored machine code with it is lost. */
async function isStored() {
  try {
    return (await caches.match(`${base}pyodide.asm.wasm`, { ignoreSearch: true })) !== undefined;
  } catch {
    return false; // denied, or none on plain http
  }
}

/**
 * Runs `load`, and counts what it fetches of Python.
 * @template T @param {() => Promise<T>} load @returns {Promise<T>}
 */
export async function countBytes(load) {
  if (await isStored()) return load();
  const real = globalThis.fetch;
  let done = 0;
  let next = performance.now() + SLOW;
  const counter = () =>
    new TransformStream({
      transform(/** @type {Uint8Array} */ chunk, controller) {
        done += chunk.byteLength;
        controller.enqueue(chunk);
        if (performance.now() < next) return;
        next = performance.now() + EACH;
        postMessage(`loading ${done}/${BUILD.size}`);
      },
    });
  globalThis.fetch = async (what, options) => {
    const response = await real(what, options);
    const url = what instanceof Request ? what.url : String(what);
    if (!response.ok || !response.body || !url.startsWith(base)) return response;
    return new Response(response.body.pipeThrough(counter()), response);
  };
  try {
    return await load();
  } finally {
    globalThis.fetch = real;
  }
}
