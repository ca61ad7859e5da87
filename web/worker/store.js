// The service worker's own database, `midstream-sw`: the state of the spool and the outbox, for the time after the browser has
// ended this worker, which it does whenever it likes. Nobody else opens it.

/// <reference lib="webworker" />

/** @typedef {'spools' | 'chunks' | 'outbox'} StoreName */
/**
 * @typedef {'live' | 'ended' | 'stopped' | 'lost' | 'failed' | 'full'} SpoolState
 * @typedef {object} SpoolRow
 * @property {string} key
 * @property {SpoolState} state as stored: `live` without a line in this worker means `lost`
 * @property {number} status of the upstream's answer; 0 before its headers have come
 * @property {Record<string, string>} headers of the answer, those of ANSWER_HEADERS
 * @property {number} size bytes stored
 * @property {number} created
 * @typedef {{key: string, at: number, bytes: Uint8Array<ArrayBuffer>}} Chunk `at` is the position of its first byte
 */

const STORE_MS = 15_000;

/**
 * One step per version, oldest first; a step that has been released is never changed.
 * @type {((database: IDBDatabase) => void)[]}
 */
const MIGRATIONS = [
  (database) => {
    database.createObjectStore('spools', { keyPath: 'key' });
    database.createObjectStore('chunks', { keyPath: ['key', 'at'] });
    database
      .createObjectStore('outbox', { keyPath: 'n', autoIncrement: true })
      .createIndex('key', 'key', { unique: true });
  },
];

export class WorkerStore {
  /** @type {Promise<IDBDatabase> | null} */
  #database = null;

  /** Opened at the first use: a version that still waits must not upgrade what the active one works with. */
  #open() {
    this.#database ??= openDatabase(() => (this.#database = null)).catch((error) => {
      this.#database = null; // the next caller tries again
      throw error;
    });
    return this.#database;
  }

  /**
   * Runs `work` in one transaction; resolves with what it gave once everything is committed. It may only wait for the
   * transaction's own requests. Rejects after STORE_MS: WebKit can leave a database for ever without an answer.
   * @template T
   * @param {StoreName[]} names
   * @param {IDBTransactionMode} mode
   * @param {(transaction: IDBTransaction) => T | Promise<T>} work
   * @param {IDBTransactionDurability} [durability] strict for what the person wrote
   * @returns {Promise<T>}
   */
  async transact(names, mode, work, durability = 'relaxed') {
    /** @type {IDBTransaction | undefined} */
    let transaction;
    const run = async () => {
      transaction = (await this.#open()).transaction(names, mode, { durability });
      const [result] = await Promise.all([work(transaction), committed(transaction)]);
      return result;
    };
    try {
      return await withTimeout(run());
    } catch (error) {
      try {
        transaction?.abort();
      } catch {
        // It has ended already, with the same error.
      }
      throw error;
    }
  }

  /**
   * @template T
   * @param {StoreName} name
   * @param {(store: IDBObjectStore) => IDBRequest<T>} ask
   * @returns {Promise<T>}
   */
  read(name, ask) {
    return this.transact([name], 'readonly', (transaction) => result(ask(transaction.objectStore(name))));
  }
}

/**
 * @param {() => void} closed called when the connection can no longer be used
 * @returns {Promise<IDBDatabase>}
 */
function openDatabase(closed) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('midstream-sw', MIGRATIONS.length);
    request.onupgradeneeded = (event) => {
      for (const migrate of MIGRATIONS.slice(event.oldVersion)) migrate(request.result);
    };
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = closed;
      // A newer version wants to upgrade: it would wait for ever.
      database.onversionchange = () => (database.close(), closed());
      resolve(database);
    };
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
  });
}

/**
 * @template T
 * @param {Promise<T>} work
 * @param {number} [ms]
 * @returns {Promise<T>}
 */
export function withTimeout(work, ms = STORE_MS) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the database does not answer')), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** All chunks of a spool, or those from byte `at` on. @param {string} key */
export const chunksOf = (key, at = 0) => IDBKeyRange.bound([key, at], [key, Infinity]);
