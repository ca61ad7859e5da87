// The stored snapshot: a started Python's memory, made by this browser (`own`) or, where it could not make one that loads, the
// build's; with it the zips that a start needs. It is a file of OPFS whose header names the build and the browser, since either may
// change the layout of the memory. A file beside it counts how often a snapshot of this build has failed.
//
// Cache Storage would do, but it hands 20 MB over in small pieces, by way of the browser's own process. A worker reads a file of
// OPFS by itself. Only a worker may, so this is for workers.

import { isBeyondLimit } from '../../shared/storage_limit.js';
import { BUILD, base, fetchPart } from './parts.mjs';

/** @typedef {'own' | 'snapshot'} Kind who made it: this browser, or the build */
/** @typedef {Uint8Array<ArrayBuffer>} Bytes */
/** @typedef {{memory: Bytes, stdlib: Bytes, app: Bytes}} Parts a started Python's memory, and the zips that it imports from */
/** @typedef {{of: string} & Record<string, any>} Header of a file: `of` a build and a browser */

// After two of its own that failed the browser tries the build's snapshot, and after that none.
const OWN_TRIES = 2;
const TRIES = 3;

/** One for each copy of the app; quota.py knows how it begins. */
const FOLDER = `midstream-snapshot ${encodeURIComponent(new URL('../..', base).pathname)}`;
const SNAPSHOT = 'snapshot';
const FAILED = 'failed';
/** The browser in numbers: another version of it may lay out memory in another way. */
const OF = `${BUILD.id} ${navigator.userAgent}`;
/** Bytes of a header, filled up with zeros. */
const HEAD = 4096;

/**
 * @typedef {{read: (into: Uint8Array, from: {at: number}) => number, write: (bytes: Uint8Array, to: {at: number}) => number,
 *   truncate: (size: number) => void, getSize: () => number, flush: () => void, close: () => void}} Access
 */

/**
 * The types of a page do not have it.
 * @param {FileSystemFileHandle} file @param {object} [options] @returns {Promise<Access>}
 */
const openAccess = async (file, options) => /** @type {any} */ (file).createSyncAccessHandle(options);

/** @param {boolean} create */
async function openFolder(create) {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create });
}

/**
 * The file, if it is of this build and browser; null when there is none, or none can be had: storage is denied, another tab
 * writes it, or (not in Chromium) reads it.
 * @param {string} name
 * @returns {Promise<{header: Header, rest: Bytes} | null>}
 */
async function readFile(name) {
  try {
    const file = await (await openFolder(false)).getFileHandle(name);
    const access = await openAccess(file, { mode: 'read-only' });
    try {
      const head = new Uint8Array(HEAD);
      access.read(head, { at: 0 });
      const header = JSON.parse(new TextDecoder().decode(head.subarray(0, head.indexOf(0))));
      if (header.of !== OF) return null;
      const rest = new Uint8Array(access.getSize() - HEAD);
      access.read(rest, { at: HEAD });
      return { header, rest };
    } finally {
      access.close();
    }
  } catch {
    return null;
  }
}

/**
 * Replaces an older file. The header is written last, so that half a file has none.
 * @param {string} name @param {object} header @param {Bytes} [rest]
 */
async function writeFile(name, header, rest = new Uint8Array()) {
  const file = await (await openFolder(true)).getFileHandle(name, { create: true });
  const access = await openAccess(file);
  try {
    access.truncate(0);
    access.truncate(HEAD + rest.length);
    access.write(rest, { at: HEAD });
    access.flush();
    access.write(new TextEncoder().encode(JSON.stringify({ of: OF, ...header })), { at: 0 });
    access.flush();
  } finally {
    access.close();
  }
}

/**
 * The maker of the stored snapshot and, later, its parts; null when there is none. The parts reject when they are damaged.
 * @returns {Promise<{kind: Kind, parts: Promise<Parts>} | null>}
 */
export async function loadSnapshot() {
  const file = await readFile(SNAPSHOT);
  return file && { kind: file.header.kind, parts: checkedParts(file.header, file.rest) };
}

/** @param {Header} header @param {Bytes} rest */
async function checkedParts({ hash, sizes }, rest) {
  if (hash !== (await hashOf(rest))) throw new Error('the stored snapshot is damaged');
  const [memory, stdlib] = sizes;
  return {
    memory: rest.subarray(0, memory),
    stdlib: rest.subarray(memory, memory + stdlib),
    app: rest.subarray(memory + stdlib),
  };
}

/**
 * The kind of snapshot that is to be stored now, "" for none. Rejects where none could be stored.
 * @returns {Promise<'' | Kind>}
 */
export async function neededKind() {
  if (await readFile(SNAPSHOT)) return '';
  const count = await failures();
  await writeFile(FAILED, { count }); // as it was: whether a file can be written shows when one is
  if (count < OWN_TRIES) return 'own';
  return count < TRIES ? 'snapshot' : '';
}

/**
 * Stores a snapshot in the place of an older one.
 * @param {Kind} kind @param {Parts} parts
 */
export async function storeSnapshot(kind, { memory, stdlib, app }) {
  const file = new Uint8Array(await new Blob([memory, stdlib, app]).arrayBuffer());
  if (await isBeyondLimit(file.length)) throw new Error('the storage is nearly full');
  await writeFile(SNAPSHOT, { kind, hash: await hashOf(file), sizes: [memory.length, stdlib.length] }, file);
}

/** The memory that the build has taken. */
export function fetchBuilt() {
  return fetchPart(BUILD.snapshot);
}

/** Counts a snapshot that could not be made or loaded, and drops the stored one. */
export async function recordFailure() {
  await writeFile(FAILED, { count: (await failures()) + 1 });
  await (await openFolder(false)).removeEntry(SNAPSHOT).catch(() => {}); // where none could be made there is none
}

async function failures() {
  return Number((await readFile(FAILED))?.header.count) || 0;
}

/** @param {Bytes} file */
async function hashOf(file) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
