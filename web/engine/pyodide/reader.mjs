// A worker that engine/engine.js starts before PyScript makes Python's worker. It reads the stored snapshot and has Python's code
// compiled. Python's worker (boot.mjs) has enough to do once it is there, and in the page this work would hold up the screen.

import { compile } from './compiled_code.mjs';
import { loadSnapshot } from './snapshot_store.mjs';
import { BUILD } from './parts.mjs';

/** @typedef {{id: string, kind: import('./snapshot_store.mjs').Kind, parts: import('./snapshot_store.mjs').Parts, code: WebAssembly.Module | null}} Snapshot */

/** Null when nothing is stored. @returns {Promise<Snapshot | null>} */
async function find() {
  const stored = await loadSnapshot();
  if (!stored) return null;
  const [parts, code] = await Promise.all([stored.parts, compile()]);
  return { id: BUILD.id, kind: stored.kind, parts, code };
}

const snapshot = find();
snapshot.catch(() => {}); // the request gets the error

/** Sends the snapshot, or an Error, to the port that comes with the request. @param {MessageEvent} event */
self.onmessage = async ({ ports: [port] }) => {
  try {
    const loaded = await snapshot;
    port.postMessage(loaded, loaded ? [loaded.parts.memory.buffer] : []); // all parts lie in it
  } catch (error) {
    port.postMessage(error instanceof Error ? error : new Error(String(error)));
  }
  close();
};

postMessage('here');
