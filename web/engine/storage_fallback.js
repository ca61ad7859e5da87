// PyScript opens databases of its own, in its page and in its worker, for packages that the app never uses. Where the browser
// denies storage, or its storage is full, PyScript would not start at all. So it gets databases here that are empty and store
// nothing. Imported before PyScript, in both scripts; every other database is the browser's.

import '../shared/uuid.js';

/** How PyScript's names begin. */
const THEIRS = 'IDBMap/';

/** A request that succeeds. @param {unknown} result */
function requestThatGives(result) {
  /** @type {{result: unknown, onsuccess?: (event: object) => void}} */
  const request = { result };
  queueMicrotask(() => request.onsuccess?.({ target: request }));
  return request;
}

/** @type {Record<string, unknown>} of its reading methods; the others have none */
const RESULTS = { count: 0, getAll: [], getAllKeys: [] };
const store = new Proxy({}, { get: (_, method) => () => requestThatGives(RESULTS[String(method)]) });
const database = { transaction: () => ({ objectStore: () => store }), close() {} };

/** @returns {IDBFactory | undefined} */
function ownFactory() {
  try {
    return globalThis.indexedDB;
  } catch (error) {
    console.warn('midstream: no database', error);
    return undefined;
  }
}

const real = ownFactory();
const openReal = real?.open.bind(real);
/**
 * @param {string} name
 * @param {number} [version]
 */
function openDatabase(name, version) {
  if (name.startsWith(THEIRS)) return requestThatGives(database);
  if (openReal) return openReal(name, version);
  throw new DOMException('There is no IndexedDB here.', 'NotSupportedError');
}
/** A channel without a receiver. Where all storage is denied Firefox denies those as well; no other tab shares anything then. */
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

if (real) Object.defineProperty(real, 'open', { value: openDatabase });
else Object.defineProperty(globalThis, 'indexedDB', { value: { open: openDatabase }, configurable: true });
