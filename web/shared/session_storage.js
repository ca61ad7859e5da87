// What this tab keeps itself where the browser has no database for us: the engine's records, in sessionStorage, one item for
// each. They live as long as the tab, over reloads. The engine says what to write (message `keep`) before it says what to
// paint, and is given all of it back by the greeting (intent `kept`).

/** @typedef {[store: string, key: unknown, record: Record<string, any> | null]} Change null: it goes */

const PREFIX = 'midstream.tab/';
/** The browser has refused to write, and that has been said. */
let refused = false;
/** It refuses everything, not just what is too much. */
let denied = false;

/** Whether the browser denies the tab even this: tried by writing. It is for the asker to say, and not said by `keep` any more. */
export function tried() {
  put(`${PREFIX}settings/probe`, { id: 'probe' });
  put(`${PREFIX}settings/probe`, null);
  return denied;
}

/** Nothing is kept at all. */
export const lost = () => denied;

/**
 * Writes what the engine has committed.
 * @param {Change[]} changes
 * @returns {boolean} false, once, when the browser refuses: full, or no such storage
 */
export function keep(changes) {
  const before = refused;
  for (const [store, key, record] of changes) put(name(store, key), record);
  return before || !refused;
}

/**
 * @param {string} item
 * @param {Record<string, any> | null} record
 */
function put(item, record) {
  if (denied) return;
  try {
    if (record) sessionStorage.setItem(item, JSON.stringify(record));
    else sessionStorage.removeItem(item);
  } catch (error) {
    refused = true;
    denied = !(error instanceof DOMException && error.name === 'QuotaExceededError');
    console.warn('midstream: not kept', item, error);
  }
}

/** As the engine's key of a record: an id, or [message, n] for a row. @param {string} store @param {unknown} key */
const name = (store, key) => `${PREFIX}${store}/${Array.isArray(key) ? JSON.stringify(key) : key}`;

/**
 * All that this tab has kept; nothing where the database keeps it.
 * @returns {[store: string, record: Record<string, any>][]}
 */
export function records() {
  /** @type {[string, Record<string, any>][]} */
  const found = [];
  try {
    for (let i = 0; i < sessionStorage.length; i++) {
      const record = read(sessionStorage.key(i) ?? '');
      if (record) found.push(record);
    }
  } catch (error) {
    console.warn('midstream: nothing kept', error);
  }
  return found;
}

/**
 * @param {string} item
 * @returns {[string, Record<string, any>] | null}
 */
function read(item) {
  if (!item.startsWith(PREFIX)) return null;
  try {
    const record = JSON.parse(sessionStorage.getItem(item) ?? 'null');
    return record && typeof record === 'object' ? [item.slice(PREFIX.length).split('/', 1)[0], record] : null;
  } catch (error) {
    console.warn('midstream: unusable', item, error);
    return null;
  }
}

/** What the greeting of an engine begins with. @returns {{type: 'kept', records: [string, Record<string, any>][]}[]} */
export function greeting() {
  const kept = records();
  return kept.length ? [{ type: 'kept', records: kept }] : [];
}
