// The snapshot that this browser keeps, made by itself (`own`) or, where it could not make one that loads, the build's; and what a
// start needs with it. It is a file of OPFS, which says first of which build and browser it is, since either may change what memory
// looks like. Beside it lies how often a snapshot of this build has failed.
//
// Cache Storage would do, but hands 20 MB over in small pieces, by way of the browser's own process; a worker reads a file of
// OPFS by itself. Only a worker may, so this is for workers.

import {BUILD, base, bytes} from './parts.mjs';

/** @typedef {'own' | 'snapshot'} Kind who made it: this browser, or the build */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{memory: Bytes, stdlib: Bytes, app: Bytes}} Parts a started Python's memory, and the zips that it imports from */
/** @typedef {{of: string} & Record<string, any>} Said what a file says of itself: `of` a build and a browser */

// After two that did not load or could not be made the build's is tried, and after that none.
const OWN_TRIES = 2;
const TRIES = 3;
/** The part of the storage from which on nothing is kept that can be made again; as in sw.js. */
const ROOM = 0.95;

/** One for each copy of the app; quota.py knows how it begins. */
const FOLDER = `midstream-snapshot ${encodeURIComponent(new URL('../..', base).pathname)}`;
const SNAPSHOT = 'snapshot';
const FAILED = 'failed';
/** The browser in numbers: another version of it may lay out memory in another way. */
const OF = `${BUILD.id} ${navigator.userAgent}`;
/** Bytes in which a file says what it is, filled up with zeros. */
const HEAD = 4096;

/**
 * @typedef {{read: (into: Uint8Array, from: {at: number}) => number, write: (bytes: Uint8Array, to: {at: number}) => number,
 *   truncate: (size: number) => void, getSize: () => number, flush: () => void, close: () => void}} Access
 */

/**
 * The types of a page do not have it.
 * @param {FileSystemFileHandle} file @param {object} [options] @returns {Promise<Access>}
 */
const opened = async (file, options) => /** @type {any} */ (file).createSyncAccessHandle(options);

/** @param {boolean} create */
async function folder(create) {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, {create});
}

/**
 * The file, if it is of this build and browser; null when there is none, or none can be had: storage is denied, another tab
 * writes it, or (not in Chromium) reads it.
 * @param {string} name
 * @returns {Promise<{said: Said, rest: Bytes} | null>}
 */
async function ours(name) {
  try {
    const file = await (await folder(false)).getFileHandle(name);
    const access = await opened(file, {mode: 'read-only'});
    try {
      const head = new Uint8Array(HEAD);
      access.read(head, {at: 0});
      const said = JSON.parse(new TextDecoder().decode(head.subarray(0, head.indexOf(0))));
      if (said.of !== OF) return null;
      const rest = new Uint8Array(access.getSize() - HEAD);
      access.read(rest, {at: HEAD});
      return {said, rest};
    } finally {
      access.close();
    }
  } catch {
    return null;
  }
}

/**
 * In the place of an older one. What it says comes last: half a file says nothing.
 * @param {string} name @param {object} said @param {Bytes} [rest]
 */
async function put(name, said, rest = new Uint8Array()) {
  const file = await (await folder(true)).getFileHandle(name, {create: true});
  const access = await opened(file);
  try {
    access.truncate(0);
    access.truncate(HEAD + rest.length);
    access.write(rest, {at: HEAD});
    access.flush();
    access.write(new TextEncoder().encode(JSON.stringify({of: OF, ...said})), {at: 0});
    access.flush();
  } finally {
    access.close();
  }
}

/**
 * Who made the kept memory, and all its parts, which come later; null when there is none. They raise an Error where they cannot be
 * used.
 * @returns {Promise<{kind: Kind, parts: Promise<Parts>} | null>}
 */
export async function read() {
  const found = await ours(SNAPSHOT);
  return found && {kind: found.said.kind, parts: sound(found.said, found.rest)};
}

/** @param {Said} said @param {Bytes} rest */
async function sound({hash, sizes}, rest) {
  if (hash !== await hashOf(rest)) throw new Error('the kept snapshot is damaged');
  const [memory, stdlib] = sizes;
  return {memory: rest.subarray(0, memory), stdlib: rest.subarray(memory, memory + stdlib), app: rest.subarray(memory + stdlib)};
}

/**
 * What is to be done about a snapshot: make one, fetch the build's, or nothing. It raises an Error where none could be kept.
 * @returns {Promise<'' | Kind>}
 */
export async function wanted() {
  if (await ours(SNAPSHOT)) return '';
  const count = await failures();
  await put(FAILED, {count}); // as it was: whether a file can be written shows when one is
  if (count < OWN_TRIES) return 'own';
  return count < TRIES ? 'snapshot' : '';
}

/**
 * Keeps a snapshot in the place of an older one.
 * @param {Kind} kind @param {Parts} parts
 */
export async function keep(kind, {memory, stdlib, app}) {
  const file = new Uint8Array(await new Blob([memory, stdlib, app]).arrayBuffer());
  // Not every WebKit says.
  const {usage = 0, quota = Infinity} = (await navigator.storage.estimate?.()) ?? {};
  if (usage + file.length > ROOM * quota) throw new Error('the storage is nearly full');
  await put(SNAPSHOT, {kind, hash: await hashOf(file), sizes: [memory.length, stdlib.length]}, file);
}

/** The memory that the build has taken. */
export function fetched() {
  return bytes(BUILD.snapshot);
}

/** Notes that a snapshot could not be made or loaded; the kept one is gone. */
export async function failed() {
  await put(FAILED, {count: await failures() + 1});
  await (await folder(false)).removeEntry(SNAPSHOT).catch(() => {}); // where none could be made there is none
}

async function failures() {
  return Number((await ours(FAILED))?.said.count) || 0;
}

/** @param {Bytes} file */
async function hashOf(file) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}
