// The spool: connections to endpoints that know nothing of resuming, kept by the service worker while pages come and go.
//
//   upstream ──▶ Connection (tail in memory) ──▶ chunks in IndexedDB
//                     └──────────┬──────────────────────┘
//                             reader  one position: chunks below `committed`, the tail above it, then news
//
// Bytes only: no event is parsed here. The request (URL, headers, body) is never stored, so no key ever is.
// A browser ends a worker that has nothing to do, and one whose event takes 300 s (Firefox: 61 s) together with all
// connections. So no event here waits for a stream's end: each gets a slice of bounded length, and the engine's pings
// bring new ones. See docs/service-worker.md.

/// <reference lib="webworker" />

import { isTextMap, mayRequest, noContent, OWN_HEADERS, errorResponse, warn, within } from './common.js';
import { concatenated, Connection } from './connection.js';
import { chunksOf, result } from './store.js';

/** @typedef {import('./connection.js').UpstreamRequest} UpstreamRequest */
/** @typedef {import('./store.js').WorkerStore} WorkerStore */
/** @typedef {import('./store.js').Chunk} Chunk */
/** @typedef {import('./store.js').SpoolRow} SpoolRow */
/** @typedef {import('./store.js').SpoolState} SpoolState */

const SPOOL_DAYS = 1;
const READ_CHUNKS = 64; // at most so many are handed over in one piece
/** How long an event keeps the worker alive: below the 300 s after which Chromium kills it for that. */
const SLICE_MS = 240_000;
const NO_BODY = [204, 205, 304];

/** The code of the error when a spool has no answer of its upstream. @type {Partial<Record<SpoolState, string>>} */
const NO_ANSWER = { failed: 'unreachable', stopped: 'stopped', lost: 'lost' };

export class Spool {
  /** The live connections, and those whose end could not be stored. @type {Map<string, Connection>} */
  #connections = new Map();
  #store;
  #lock;
  /** @type {Promise<unknown> | null} */
  #tidied = null;

  /**
   * @param {WorkerStore} store
   * @param {string} scope
   */
  constructor(store, scope) {
    this.#store = store;
    this.#lock = `midstream-spool ${scope}`;
  }

  /** Whether any worker of this scope, an older version's too, holds a connection. */
  async busy() {
    return navigator.locks.request(this.#lock, { ifAvailable: true }, (lock) => lock === null);
  }

  /**
   * The answer to a request below `spool/`.
   * @param {FetchEvent} event
   * @param {string} path what follows `spool/`
   * @returns {Promise<Response>}
   */
  async answer(event, path) {
    this.#tidied ??= this.#tidy().catch(warn);
    const { method } = event.request;
    if (path === '') return method === 'GET' ? noContent({ 'Midstream-Spool': '1' }) : errorResponse(405, 'GET it.');
    if (path === 'ping') return (event.waitUntil(this.#slice()), noContent());
    const [, key, stop] = /^([\w.~-]{1,200})(\/stop)?$/.exec(path) ?? [];
    if (!key) return errorResponse(400, 'This is no key of a spool.');
    if (stop) return method === 'POST' ? this.#stop(key) : errorResponse(405, 'POST it.');
    if (method === 'POST') return this.#post(event, key);
    if (method === 'DELETE') return this.#forget(key);
    if (method === 'GET' || method === 'HEAD') return this.#get(key, method === 'HEAD');
    return errorResponse(405, 'GET, HEAD, POST or DELETE it.');
  }

  /** Keeps an event, and so the worker, alive while a connection is; but never for long. */
  #slice() {
    return within(SLICE_MS, Promise.all([...this.#connections.values()].map((connection) => connection.done)));
  }

  /**
   * @param {FetchEvent} event
   * @param {string} key
   */
  async #post(event, key) {
    const request = requestIn(await event.request.json().catch(() => null));
    if (!request)
      return errorResponse(
        400,
        'This is no request that may be made: {url, headers, body}, with https or to this machine.',
        'refused',
        {},
        'spool_refused',
      );
    const row = await this.#row(key);
    // From here to the entry in the map nothing is waited for: two tabs that ask at once make one request.
    const connection = this.#connections.get(key) ?? (row ? null : this.#open(key, request));
    if (!connection) return this.#get(key, false);
    event.waitUntil(this.#slice());
    return this.#get(key, false);
  }

  /**
   * @param {string} key
   * @param {UpstreamRequest} request
   */
  #open(key, request) {
    const connection = new Connection(this.#store, key, request, (ended) => this.#ended(ended));
    this.#connections.set(key, connection);
    navigator.locks.request(this.#lock, { mode: 'shared' }, () => connection.done).catch(warn);
    return connection;
  }

  /** @param {Connection} connection */
  async #ended(connection) {
    const { key, status, state } = connection.row;
    if (status === 0 && state === 'failed')
      await this.#remove(key); // it may be asked again
    // What could not be stored is served from memory for as long as there is one.
    else if (connection.settled) this.#connections.delete(key);
  }

  /**
   * @param {string} key
   * @returns {Promise<SpoolRow | undefined>}
   */
  #row(key) {
    return this.#store.read('spools', (store) => store.get(key)).catch(warn);
  }

  /**
   * @param {string} key
   * @param {boolean} bare without the bytes
   */
  async #get(key, bare) {
    const connection = this.#connections.get(key);
    await within(SLICE_MS, connection?.begun);
    if (connection?.row.status === 0 && connection.live)
      return errorResponse(503, 'The endpoint has not answered yet.', 'waiting', { 'Midstream-Spool': 'live' });
    if (connection?.row.status === 0) await connection.done;
    const row = connection?.row ?? (await this.#row(key));
    return row
      ? this.#reply(row, connection, bare)
      : errorResponse(404, 'There is no such spool.', 'refused', {}, 'spool_gone');
  }

  /**
   * @param {SpoolRow} row
   * @param {Connection | undefined} connection
   * @param {boolean} bare
   */
  #reply(row, connection, bare) {
    const state = !connection && row.state === 'live' ? 'lost' : row.state;
    const headers = { 'Midstream-Run': row.key, 'Midstream-Spool': state };
    if (!row.status)
      return errorResponse(502, connection?.failure || `The request was ${state}.`, NO_ANSWER[state], headers);
    const body = bare || NO_BODY.includes(row.status) ? null : this.#body(row, connection);
    return new Response(body, { status: row.status, headers: { ...row.headers, ...headers, ...OWN_HEADERS } });
  }

  /**
   * The bytes from the first on, as the reader pulls them. It ends normally whatever became of the upstream: an error could
   * take bytes away that are on their way to the reader.
   * @param {SpoolRow} row
   * @param {Connection | undefined} connection
   */
  #body(row, connection) {
    let position = 0;
    /** @param {ReadableStreamDefaultController} controller */
    const pull = async (controller) => {
      const bytes = await this.#next(row, connection, position);
      if (!bytes) return controller.close();
      position += bytes.length;
      controller.enqueue(bytes);
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }

  /**
   * The bytes after `position`, as soon as there are some; null at the end.
   * @param {SpoolRow} row
   * @param {Connection | undefined} connection
   * @param {number} position
   */
  async #next(row, connection, position) {
    for (;;) {
      if (position < (connection?.committed ?? row.size)) return this.#stored(row.key, position);
      if (!connection) return null;
      if (position < connection.size) return connection.after(position);
      if (!connection.live) return null;
      await connection.news;
    }
  }

  /**
   * Committed bytes from `position` on, which may lie within a chunk; null when they have been deleted meanwhile.
   * @param {string} key
   * @param {number} position
   */
  async #stored(key, position) {
    const chunks = await this.#store.transact(['chunks'], 'readonly', async (transaction) => {
      const store = transaction.objectStore('chunks');
      const within = IDBKeyRange.bound([key, 0], [key, position]);
      const first = await result(store.openKeyCursor(within, 'prev'));
      /** @type {Chunk[]} */
      const found = first ? await result(store.getAll(chunksOf(key, Object(first.key)[1]), READ_CHUNKS)) : [];
      return found;
    });
    const pieces = chunks.map(({ bytes }) => bytes);
    return chunks.length ? concatenated(pieces, position - chunks[0].at) : null;
  }

  /** @param {string} key */
  async #stop(key) {
    const connection = this.#connections.get(key);
    connection?.end('stopped');
    await connection?.done;
    return noContent();
  }

  /** @param {string} key */
  async #forget(key) {
    await this.#stop(key);
    await this.#remove(key);
    return noContent();
  }

  /** @param {string} key */
  async #remove(key) {
    this.#connections.delete(key);
    await this.#store.transact(['spools', 'chunks'], 'readwrite', (transaction) => drop(transaction, key));
  }

  /** Once per life of the worker. */
  async #tidy() {
    const limit = Date.now() - SPOOL_DAYS * 86_400_000;
    await this.#store.transact(['spools', 'chunks'], 'readwrite', async (transaction) => {
      /** @type {SpoolRow[]} */
      const rows = await result(transaction.objectStore('spools').getAll());
      for (const { key, created } of rows) if (created < limit && !this.#connections.has(key)) drop(transaction, key);
    });
  }
}

/** @param {IDBTransaction} transaction @param {string} key */
function drop(transaction, key) {
  transaction.objectStore('spools').delete(key);
  transaction.objectStore('chunks').delete(chunksOf(key));
}

/**
 * The request that a page wants made; null when it is none or may not be made.
 * @param {any} value
 * @returns {UpstreamRequest | null}
 */
function requestIn(value) {
  const { url, headers = {}, body } = value ?? {};
  return mayRequest(url) && isTextMap(headers) && typeof body === 'string' ? { url, headers, body } : null;
}
