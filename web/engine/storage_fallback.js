// PyScript opens databases of its own, in its page and in its worker, to keep packages in that we never ask it for; where
// the browser denies storage, or has no room left, it would not start at all. So it gets empty ones here that keep nothing.
// Imported before PyScript, in both places; every other database is the browser's.

import '../shared/uuid.js';

/** How PyScript's names begin. */
const THEIRS = 'IDBMap/';

/** A request that succeeds. @param {unknown} result */
function done(result) {
  /** @type {{result: unknown, onsuccess?: (event: object) => void}} */
  const request = { result };
  queueMicrotask(() => request.onsuccess?.({ target: request }));
  return request;
}

/** @type {Record<string, unknown>} what its reading methods find; the others find nothing too */
const FOUND = { count: 0, getAll: [], getAllKeys: [] };
const store = new Proxy({}, { get: (_, method) => () => done(FOUND[String(method)]) });
const database = { transaction: () => ({ objectStore: () => store }), close() {} };

/** @returns {IDBFactory | undefined} */
function browsers() {
  try {
    return globalThis.indexedDB;
  } catch (error) {
    console.warn('midstream: no database', error);
    return undefined;
  }
}

const real = browsers();
const openReal = real?.open.bind(real);
/**
 * @param {string} name
 * @param {number} [version]
 */
function opened(name, version) {
  if (name.startsWith(THEIRS)) return done(database);
  if (openReal) return openReal(name, version);
  throw new DOMException('There is no IndexedDB here.', 'NotSupportedError');
}
/** A channel that nobody hears. Where all storage is denied Firefox denies those as well; no other tab shares anything then. */
class Silent extends EventTarget {
  onmessage = null;
  postMessage() {}
  close() {}
}

try {
  new BroadcastChannel('midstream').close();
} catch (error) {
  console.warn('midstream: no channel to other tabs', error);
  Object.defineProperty(globalThis, 'BroadcastChannel', { value: Silent, configurable: true });
}

if (real) Object.defineProperty(real, 'open', { value: opened });
else Object.defineProperty(globalThis, 'indexedDB', { value: { open: opened }, configurable: true });
