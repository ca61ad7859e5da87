// A worker that starts before Python's, while PyScript still makes that one: it reads the kept memory and has Python's code
// compiled. The page itself could do so, but would be held up by every piece that comes.

import {compiled} from './code.mjs';
import {read} from './kept.mjs';

/** Milliseconds that it stays: a browser stores the machine code that it goes on making for the one who had the code compiled. */
const LASTING = 30_000;

/** @typedef {{kind: import('./kept.mjs').Kind, file: Uint8Array<ArrayBuffer>, code: WebAssembly.Module | null}} Given */

/** Null when nothing is kept. @returns {Promise<Given | null>} */
async function begun() {
  const found = await read();
  if (!found) return null;
  const [file, code] = await Promise.all([found.file, compiled()]);
  return {kind: found.kind, file, code};
}

const given = begun();
given.catch(() => {}); // told to the one who asks

/** @param {MessageEvent<MessagePort>} event the port of the one who asks, which is told once */
onmessage = async ({data: port}) => {
  try {
    const found = await given;
    port.postMessage(found, found ? [found.file.buffer] : []);
  } catch (error) {
    port.postMessage(error instanceof Error ? error : new Error(String(error)));
  }
  setTimeout(close, LASTING);
};

postMessage('here');
