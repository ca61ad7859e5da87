// The snapshot that this browser keeps, in Cache Storage: made by itself (`own`) or, where it could not make one that loads, the
// build's. One entry for each copy of the app; its address names the build and the browser, since either may change what
// memory looks like. Beside it lies how often a snapshot of this build has failed.

import {BUILD, base, bytes} from './parts.mjs';

/** @typedef {'own' | 'snapshot'} Kind who made it: this browser, or the build */

// After two that did not load or could not be made the build's is tried, and after that none.
const OWN_TRIES = 2;
const TRIES = 3;
/** The part of the storage from which on nothing is kept that can be made again; as in sw.js. */
const ROOM = 0.95;

/** The browser in numbers: another version of it may lay out memory in another way. */
const KEY = `${base}kept/${BUILD.id}?${encodeURIComponent(navigator.userAgent)}`;
const FAILED = `${KEY}&failed`;

// room.py knows this name; the scope comes last, as in the service worker's.
const CACHE = `midstream-snapshot ${new URL('..', base).href}`;
const opened = async () => caches.open(CACHE);
const found = async () => caches.match(KEY, {cacheName: CACHE}); // opened, it would be made

/**
 * Who made the kept memory, and its file, which comes later; null when there is none. It raises an Error where it cannot be used.
 * @returns {Promise<{kind: Kind, file: Promise<Uint8Array<ArrayBuffer>>} | null>}
 */
export async function read() {
  // Where there is no Cache Storage (denied, or plain http) nothing was ever kept.
  const entry = await found().catch(() => undefined);
  if (!entry) return null;
  const kind = entry.headers.get('midstream-kind') === 'own' ? 'own' : 'snapshot';
  return {kind, file: sound(entry)};
}

/** @param {Response} entry */
async function sound(entry) {
  const file = new Uint8Array(await entry.arrayBuffer());
  if (entry.headers.get('midstream-hash') !== await hashOf(file)) throw new Error('the kept snapshot is damaged');
  return file;
}

/** What is to be done about a snapshot: make one, fetch the build's, or nothing. @returns {Promise<'' | Kind>} */
export async function wanted() {
  const cache = await opened();
  if (await cache.match(KEY)) return '';
  const failed = await failures(cache);
  if (failed < OWN_TRIES) return 'own';
  return failed < TRIES ? 'snapshot' : '';
}

/**
 * Keeps a snapshot in the place of all older ones.
 * @param {Kind} kind @param {Uint8Array<ArrayBuffer>} file
 */
export async function keep(kind, file) {
  // Not every WebKit says.
  const {usage = 0, quota = Infinity} = (await navigator.storage?.estimate?.()) ?? {};
  if (usage + file.length > ROOM * quota) throw new Error('the storage is nearly full');
  const cache = await opened();
  for (const request of await cache.keys()) if (!request.url.startsWith(KEY)) await cache.delete(request);
  const headers = {'midstream-kind': kind, 'midstream-hash': await hashOf(file)};
  await cache.put(KEY, new Response(file, {headers}));
}

/** The build's snapshot, as a file. */
export function fetched() {
  return bytes(BUILD.snapshot);
}

/** Notes that a snapshot could not be made or loaded; the kept one is gone. */
export async function failed() {
  const cache = await opened();
  await cache.delete(KEY);
  await cache.put(FAILED, new Response(String(await failures(cache) + 1)));
}

/** @param {Cache} cache */
async function failures(cache) {
  const noted = await cache.match(FAILED);
  return Number(noted ? await noted.text() : 0) || 0;
}

/** @param {Uint8Array<ArrayBuffer>} file */
async function hashOf(file) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}
