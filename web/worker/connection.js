// One connection of the spool to an upstream, and the bytes that have come over it so far.

/// <reference lib="webworker" />

import { delay, warn } from './common.js';

/** @typedef {import('./store.js').SpoolRow} SpoolRow */
/** @typedef {import('./store.js').SpoolState} SpoolState */
/** @typedef {import('./store.js').WorkerStore} WorkerStore */

/** @typedef {{url: string, headers: Record<string, string>, body: string}} UpstreamRequest */

const SPOOL_CAP = 32 * 1024 * 1024; // bytes; an answer that long is somebody's mistake
const BATCH_MS = 100;
const BATCH_BYTES = 64 * 1024;
const AGAIN_MS = 1000; // until the next try when storage refuses
const ANSWER_HEADERS = ['content-type', 'retry-after'];

/** From the request to the last byte. */
export class Connection {
  /** @type {SpoolRow} */
  row;
  /** How many bytes have come. */
  size = 0;
  /** How many of them are committed. */
  committed = 0;
  /** The reason when there is no answer. */
  failure = '';
  /** The bytes from `saved` on. @type {Uint8Array<ArrayBuffer>[]} */
  #tail = [];
  /** The state that was committed last. @type {SpoolState | ''} */
  #stored = '';
  #news = Promise.withResolvers();
  #upstream = new AbortController();
  #store;
  /** Fulfilled when the upstream's headers have come, or when it is clear that they never will. */
  begun;
  /** Fulfilled when nothing more comes, all of it is stored and the end is noted. */
  done;

  /**
   * @param {WorkerStore} store
   * @param {string} key
   * @param {UpstreamRequest} request
   * @param {(line: Connection) => Promise<void>} ended called when nothing more comes and all of it is stored
   */
  constructor(store, key, request, ended) {
    this.#store = store;
    this.row = { key, state: 'live', status: 0, headers: {}, size: 0, created: Date.now() };
    const answered = Promise.withResolvers();
    this.begun = answered.promise;
    this.done = this.#run(request, () => answered.resolve(undefined))
      .then(() => ended(this))
      .catch(warn);
  }

  get live() {
    return this.row.state === 'live';
  }

  /** Whether storage has all of it. */
  get settled() {
    return this.committed === this.size && this.#stored === this.row.state;
  }

  /** Closes the connection, unless it has ended by itself. @param {SpoolState} state what it becomes */
  end(state) {
    if (!this.live) return;
    this.row.state = state;
    this.#upstream.abort();
    this.#wake();
  }

  /** Fulfilled at the next byte or change of state. */
  get news() {
    return this.#news.promise;
  }

  /** The bytes from `position` on that are not committed yet. @param {number} position at or above `saved` */
  after(position) {
    return concatenated(this.#tail, position - this.committed);
  }

  #wake() {
    this.#news.resolve(undefined);
    this.#news = Promise.withResolvers();
  }

  /**
   * @param {UpstreamRequest} request
   * @param {() => void} answered
   */
  async #run(request, answered) {
    await this.#commit().catch(warn); // before the request: after a crash the row says that it may have been made
    try {
      const reader = this.live ? await this.#open(request) : null;
      const saving = this.#storeAll();
      answered();
      if (reader) await this.#read(reader);
      else this.end('ended');
      await saving;
    } catch (error) {
      this.failure = String(error instanceof Error ? error.message : error);
      this.end('failed');
      answered();
    }
    if (this.#stored !== this.row.state) await this.#commit().catch(warn);
  }

  /** @param {UpstreamRequest} asked */
  async #open({ url, headers, body }) {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: this.#upstream.signal,
    });
    this.row.status = response.status;
    const kept = ANSWER_HEADERS.map((name) => [name, response.headers.get(name)]);
    this.row.headers = Object.fromEntries(kept.filter(([, value]) => value !== null));
    return response.body?.getReader() ?? null;
  }

  /** @param {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} reader */
  async #read(reader) {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.#take(value);
      }
      this.end('ended');
    } catch {
      this.end('failed'); // when somebody has ended it here, it has its state already
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  #take(bytes) {
    if (!this.live || !bytes.length) return;
    const piece = bytes.subarray(0, SPOOL_CAP - this.size);
    this.#tail.push(piece);
    this.size += piece.length;
    this.#wake();
    if (piece.length < bytes.length) this.end('full');
  }

  /** Stores all bytes, in batches: one transaction at a time, and bytes that come meanwhile go with the next. */
  async #storeAll() {
    while (this.live) {
      if (this.size === this.committed) await this.news;
      await this.#batch();
      // Storage may be full: the bytes stay in memory, for the readers and the next try.
      await this.#commit().catch((error) => (warn(error), this.live && delay(AGAIN_MS)));
    }
  }

  /** Waits until there is enough to write, or BATCH_MS are over, or nothing more comes. */
  async #batch() {
    let late = false;
    const limit = delay(BATCH_MS).then(() => (late = true));
    while (this.live && !late && this.size - this.committed < BATCH_BYTES) await Promise.race([this.news, limit]);
  }

  /** Commits the row together with the bytes that have come. */
  async #commit() {
    const pieces = this.#tail.length;
    const bytes = concatenated(this.#tail, 0);
    const row = { ...this.row, size: this.committed + bytes.length };
    await this.#store.transact(['spools', 'chunks'], 'readwrite', (transaction) => {
      transaction.objectStore('spools').put(row);
      if (bytes.length) transaction.objectStore('chunks').put({ key: row.key, at: this.committed, bytes });
    });
    this.#tail.splice(0, pieces);
    this.#stored = row.state;
    this.committed = this.row.size = row.size;
  }
}

/** The bytes of `pieces` from `skip` on. @param {Uint8Array<ArrayBuffer>[]} pieces @param {number} skip */
export function concatenated(pieces, skip) {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, -skip));
  let at = -skip;
  for (const piece of pieces) {
    if (at + piece.length > 0) all.set(piece.subarray(Math.max(-at, 0)), Math.max(at, 0));
    at += piece.length;
  }
  return all;
}
