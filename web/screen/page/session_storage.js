// The engine's records in this tab, in sessionStorage, for browsers that have no database for us: one item for each
// record. They live as long as the tab, over reloads. The engine sends what it has committed (message `keep`) before it
// shows it, and gets all of it back in the greeting (intent `kept`).

/** @typedef {[store: string, key: unknown, record: Record<string, any> | null]} Change null: it goes */

const PREFIX = 'midstream.tab/';

export class SessionRecords {
  /** The browser has refused to write, and `write` has reported it. */
  #refused = false;
  /** The browser refuses everything, not just what is too much: nothing is stored at all. */
  denied = false;

  /** Finds out whether the browser denies the tab even this, by writing. */
  probe() {
    this.#put(`${PREFIX}settings/probe`, { id: 'probe' });
    this.#put(`${PREFIX}settings/probe`, null);
    return this.denied;
  }

  /**
   * Writes the engine's commits.
   * @param {Change[]} changes
   * @returns {boolean} false, once, when the browser refuses: full, or no such storage
   */
  write(changes) {
    const before = this.#refused;
    for (const [store, key, record] of changes) this.#put(itemOf(store, key), record);
    return before || !this.#refused;
  }

  /** @param {string} item @param {Record<string, any> | null} record */
  #put(item, record) {
    if (this.denied) return;
    try {
      if (record) sessionStorage.setItem(item, JSON.stringify(record));
      else sessionStorage.removeItem(item);
    } catch (error) {
      this.#refused = true;
      this.denied = !(error instanceof DOMException && error.name === 'QuotaExceededError');
      console.warn('midstream: not stored', item, error);
    }
  }
}

/** With the engine's key of the record: an id, or [message, n] for a row. @param {string} store @param {unknown} key */
const itemOf = (store, key) => `${PREFIX}${store}/${Array.isArray(key) ? JSON.stringify(key) : key}`;

/**
 * All of the tab's records; none where the database has them.
 * @returns {[store: string, record: Record<string, any>][]}
 */
export function recordsOfTab() {
  try {
    return Object.keys(sessionStorage)
      .map(recordOf)
      .filter((record) => record !== null);
  } catch (error) {
    console.warn('midstream: no records', error);
    return [];
  }
}

/** @param {string} item @returns {[string, Record<string, any>] | null} */
function recordOf(item) {
  if (!item.startsWith(PREFIX)) return null;
  try {
    const record = JSON.parse(sessionStorage.getItem(item) ?? 'null');
    return record && typeof record === 'object' ? [item.slice(PREFIX.length).split('/', 1)[0], record] : null;
  } catch (error) {
    console.warn('midstream: unusable', item, error);
    return null;
  }
}
