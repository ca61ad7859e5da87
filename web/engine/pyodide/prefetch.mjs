// What Pyodide fetches, one after the other, is asked for at once and before it; the answers are handed to it when it asks.
//
// Pyodide has no option for that: it calls `fetch`, which is exchanged here for one that knows what is on its way.

import {base} from './parts.mjs';

/** By the address, each to be used once: what has failed is asked for again. @type {Map<string, Promise<Response>>} */
const begun = new Map();

/** @param {string} name @param {RequestInit} [options] */
export function begin(name, options) {
  const response = fetch(base + name, options);
  response.catch(() => {}); // told when it is asked for
  begun.set(base + name, response);
}

import(`${base}pyodide.asm.mjs`).catch(() => {});

/**
 * What the next request for the file is answered with.
 * @param {string} name @param {Response} response
 */
export function give(name, response) {
  begun.set(base + name, Promise.resolve(response));
}

const real = globalThis.fetch;
/** @type {typeof fetch} */
globalThis.fetch = function (input, ...options) {
  const url = input instanceof Request ? input.url : String(input);
  const found = begun.get(url);
  begun.delete(url);
  return found ?? real(input, ...options);
};
