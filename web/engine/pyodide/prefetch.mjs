// Pyodide fetches its files one after the other. Here they are requested at once and before, and Pyodide gets the answers.
//
// Pyodide has no option for that: it calls `fetch`, which is exchanged here for one that knows the requests on their way.

import { base } from './parts.mjs';

/** By the address, each to be used once: after a failure the file is requested again. @type {Map<string, Promise<Response>>} */
const coming = new Map();

/** @param {string} name @param {RequestInit} [options] */
export function prefetch(name, options) {
  const response = fetch(base + name, options);
  response.catch(() => {}); // Pyodide gets the error
  coming.set(base + name, response);
}

import(`${base}pyodide.asm.mjs`).catch(() => {});

/**
 * Answers the next request for the file.
 * @param {string} name @param {Response} response
 */
export function answerWith(name, response) {
  coming.set(base + name, Promise.resolve(response));
}

const real = globalThis.fetch;
/** @type {typeof fetch} */
globalThis.fetch = (input, ...options) => {
  const url = input instanceof Request ? input.url : String(input);
  const found = coming.get(url);
  coming.delete(url);
  return found ?? real(input, ...options);
};
