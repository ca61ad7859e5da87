// The closed vocabulary of an answer, the same as in midstream/patch.py, checked a second time here. So a fault or a
// break-in on the engine's side cannot bring in a script, a foreign request or a name that shadows ours.
//
// Addresses are parsed as well, since the browser's reading of an address decides where it leads, not its looks.

import { SCHEMES, TAGS, VALUES } from './constants.js';

/** Attributes that hold an address. */
const ADDRESSES = new Set(['href', 'data-src']);
const PATTERNS = new Map(
  Object.entries(VALUES).map(([name, form]) => [name, new RegExp(`^(?:${form})$`, ADDRESSES.has(name) ? 'i' : '')]),
);

/** @param {unknown} tag */
export const isTag = (tag) => typeof tag === 'string' && Object.hasOwn(TAGS, tag);

/**
 * May `tag` carry this attribute?
 * @param {string} tag in lower case, one of TAGS
 * @param {unknown} name
 * @returns {name is string}
 */
export const isAttribute = (tag, name) => typeof name === 'string' && isTag(tag) && TAGS[tag].includes(name);

/** The value as it may stand in that attribute; null when it may not. @param {string} name @param {unknown} value */
export function admitted(name, value) {
  if (typeof value !== 'string' || !(PATTERNS.get(name)?.test(value) ?? true)) return null;
  return ADDRESSES.has(name) ? (address(value)?.href ?? null) : value;
}

/**
 * The parsed address of a link or an image, without a user name before the host (a favourite of forgers); null when its
 * scheme is not allowed. Parsed without a base: a relative address would point into the app.
 * @param {string} value
 */
function address(value) {
  const url = parseUrl(value);
  if (!url || !SCHEMES.includes(url.protocol)) return null;
  url.username = '';
  url.password = '';
  return url;
}

/** @param {string} value */
export function parseUrl(value) {
  return URL.canParse(value) ? new URL(value) : null;
}

/** The part of an address that a person should know before following it. @param {URL} url */
export const hostOf = (url) => url.host || url.pathname;
