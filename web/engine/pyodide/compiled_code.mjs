// Python's code: how the browser compiles it, and where its memory is.

import { APART, base } from './parts.mjs';

export const WASM = 'pyodide.asm.wasm';

const streaming = WebAssembly.instantiateStreaming;
const streams = Boolean(streaming);
/** Compiled before Pyodide asks for it. @type {WebAssembly.Module | null} */
let ready = null;
/** The newest one, as it runs. @type {WebAssembly.Instance | null} */
let running = null;

if (streams)
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const started = ready
      ? { module: ready, instance: await WebAssembly.instantiate(ready, imports) }
      : await streaming(named(await source), imports);
    running = started.instance;
    return started;
  };

const TYPE = 'application/wasm';

/**
 * Many a static host has no type for WebAssembly. A response of another type is not compiled, and Pyodide would wait for ever.
 * @param {Response} response
 */
function named(response) {
  return response.headers.get('Content-Type') === TYPE ? response : nameless(response);
}

/** Without its address. @param {Response} response */
function nameless({ body }) {
  return new Response(body, { headers: { 'Content-Type': TYPE } });
}

/** For a start from a snapshot; null where the browser compiles only what has come whole. */
export async function compile() {
  return streams ? WebAssembly.compileStreaming(fetch(base + WASM).then(named), APART) : null;
}

/** For one Python, of which no machine code is kept: a browser keeps it by the address. Null as above. */
export async function compileOnce() {
  return streams ? WebAssembly.compileStreaming(fetch(base + WASM).then(nameless)) : null;
}

/** Has the next Python made of this module, whatever it fetches; with null, of the file that it fetches. @param {WebAssembly.Module | null} module */
export function useModule(module) {
  ready = module;
}

/** The memory of the newest Python. */
export function heap() {
  const memory = running?.exports.memory;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('Python shows no memory');
  return new Uint8Array(memory.buffer);
}
