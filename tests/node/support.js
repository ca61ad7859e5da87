// What the tests in this folder share: the English words, a document of the service worker's, ops from nested arrays.

import { readFileSync } from 'node:fs';

import { Applier } from '../../web/shared/apply.js';
import { setCatalogue } from '../../web/shared/i18n.js';
import { MiniDocument } from '../../web/worker/mini_dom.js';

/** @param {string} name of a file in this folder, or a path from it @returns {any} */
export const json = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** The English texts of the page, as the build completes them (conftest.py), from here on. */
export const speak = () => setCatalogue('en', JSON.parse(readFileSync(process.env.MIDSTREAM_ENGLISH, 'utf8')));

export const paper = /** @type {Document} */ (/** @type {unknown} */ (new MiniDocument()));

/** What may be wrong in the test's input is said to the console, and is not of interest. */
export function hush() {
  console.warn = () => {};
}

/** An applier on an empty content. */
export const applier = () => new Applier(paper.createElement('div'));

/**
 * Ops of nested arrays: `['p', 'text', ['em', 'x'], {name: 'value'}]`; a string is text.
 * @param {any[]} nodes
 * @returns {any[][]}
 */
export function opsOf(...nodes) {
  let next = 1;
  /** @param {any} node @param {number} parent @returns {any[][]} */
  const of = (node, parent) => {
    if (typeof node === 'string') return [[1, parent, node]];
    if (!Array.isArray(node)) return Object.entries(node).map(([name, value]) => [2, parent, name, value]);
    const id = next++;
    return [[0, parent, node[0], id], ...node.slice(1).flatMap((each) => of(each, id))];
  };
  return nodes.flatMap((node) => of(node, 0));
}

/**
 * All elements of that name below, in their order.
 * @param {Element} root
 * @param {string} tag
 */
export const elements = (root, tag) => [...root.querySelectorAll('*')].filter(({ localName }) => localName === tag);
