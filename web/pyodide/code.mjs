// Python's code, compiled by the browser as it comes.

import {base} from './parts.mjs';

export const WASM = 'pyodide.asm.wasm';

/** Whether this browser compiles what has not come whole. */
export const streams = Boolean(WebAssembly.compileStreaming);

/**
 * Many a static host has no name for WebAssembly. What is not called so is not compiled, and Pyodide would wait for ever.
 * @param {Response} response
 */
export function named(response) {
  const type = 'application/wasm';
  const known = response.headers.get('Content-Type') === type;
  return known ? response : new Response(response.body, {headers: {'Content-Type': type}});
}

/** @returns {Promise<WebAssembly.Module | null>} null where it cannot be had before Pyodide asks for it */
export async function compiled() {
  return streams ? WebAssembly.compileStreaming(fetch(base + WASM).then(named)) : null;
}
