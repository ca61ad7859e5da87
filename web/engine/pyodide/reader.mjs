// A worker that engine/engine.js starts before PyScript makes Python's: meanwhile it reads the kept snapshot and has Python's code compiled.
// Python's worker (boot.mjs) has enough to do when it is there, and in the page itself this would hold up the screen.

import {compiled} from './compiled_code.mjs';
import {read} from './snapshot_store.mjs';
import {BUILD} from './parts.mjs';

/** @typedef {{id: string, kind: import('./snapshot_store.mjs').Kind, parts: import('./snapshot_store.mjs').Parts, code: WebAssembly.Module | null}} Found */

/** Null when nothing is kept. @returns {Promise<Found | null>} */
async function find() {
  const kept = await read();
  if (!kept) return null;
  const [parts, code] = await Promise.all([kept.parts, compiled()]);
  return {id: BUILD.id, kind: kept.kind, parts, code};
}

const found = find();
found.catch(() => {}); // told to the one who asks

/** What was found, or an Error, goes to the port of the one who asks. @param {MessageEvent} event */
onmessage = async ({ports: [port]}) => {
  try {
    const given = await found;
    port.postMessage(given, given ? [given.parts.memory.buffer] : []); // all parts lie in it
  } catch (error) {
    port.postMessage(error instanceof Error ? error : new Error(String(error)));
  }
  close();
};

postMessage('here');
