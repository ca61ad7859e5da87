// The outbox: requests that have to reach a gateway even if there is no network and no page now. It sends each entry until it gets
// an answer, in order within a conversation. The gateway takes the same Idempotency-Key for the same run, so a request that is sent
// twice makes one run.
//
//   queued ──▶ sending ──2xx──▶ sent (a tombstone with the run's id)
//     ▲           ├──4xx──▶ failed, with what the gateway said
//     └──back off─┘  network, 5xx, 408, 409 (the conversation has a running answer), 425, 429, 401 of our own gateway (sign in)
//
// An entry is sent and its answer stored before it leaves the queue. (Workbox takes it out first and loses it when the
// worker is ended in between.)

/// <reference lib="webworker" />

import { OWN_HEADERS, errorResponse, warn, within } from './common.js';
import { entryIn, FIRST_WAIT_MS, send, waits } from './outbox_entry.js';
import { result } from './store.js';

/** @typedef {import('./outbox_entry.js').Entry} Entry */
/** @typedef {import('./store.js').WorkerStore} WorkerStore */

const OUTBOX_LOCK = 'midstream-outbox';
export const OUTBOX_TAG = 'midstream-outbox';
const OUTBOX_DAYS = 7; // for tombstones
const REPLAY_MS = 240_000; // as long as an event may wait for a replay

export class Outbox {
  #store;
  #registration;
  /** Keys on their way now. A stored `sending` that is not here is one of a worker that was ended. @type {Set<string>} */
  #sending = new Set();
  /** @type {Promise<void> | null} */
  #replaying = null;
  /** A replay was requested and has not begun; the one that is running learns of it by `#called`. */
  #again = false;
  #called = Promise.withResolvers();
  /** Try also entries that are not due; a worker that has just started does. */
  #now = true;
  /** @type {Promise<unknown> | null} */
  #tidied = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {WorkerStore} store
   * @param {ServiceWorkerRegistration} registration
   */
  constructor(store, registration) {
    this.#store = store;
    this.#registration = registration;
  }

  /**
   * The answer to a request below `outbox/`.
   * @param {FetchEvent} event
   * @param {string} path what follows `outbox/`
   * @returns {Promise<Response>}
   */
  async answer(event, path) {
    const { method } = event.request;
    if (path === '')
      return method === 'GET'
        ? Response.json(await this.#list(), { headers: OWN_HEADERS })
        : errorResponse(405, 'GET it.');
    if (path === 'replay')
      return (event.waitUntil(this.replay(true)), new Response(null, { status: 202, headers: OWN_HEADERS }));
    const key = decodeURIComponent(path);
    if (!/^[\x21-\x7e]{1,200}$/.test(key)) return errorResponse(400, 'This is no key of an entry.');
    if (method === 'DELETE') return Response.json(await this.#forget(key), { headers: OWN_HEADERS });
    if (method !== 'PUT') return errorResponse(405, 'PUT or DELETE it.');
    const entry = entryIn(key, await event.request.json().catch(() => null));
    if (typeof entry === 'string') return errorResponse(400, entry);
    await this.#add(entry);
    event.waitUntil(this.#register().then(() => this.replay()));
    return new Response(null, { status: 201, headers: OWN_HEADERS });
  }

  /**
   * Sends the entries that are due; resolves when none is left that could be tried now, or after REPLAY_MS.
   * @param {boolean} [now] also those that failed a moment ago: something may have changed
   */
  replay(now = false) {
    this.#again = true;
    this.#now ||= now;
    this.#called.resolve(undefined);
    this.#replaying ??= navigator.locks
      .request(OUTBOX_LOCK, () => this.#drain())
      .catch(warn)
      .finally(() => {
        this.#replaying = null;
        if (this.#again) this.replay();
      });
    return within(REPLAY_MS, this.#replaying);
  }

  /** The browser believes that there is a network. Rejects when something is left, so that it comes again. */
  async synced() {
    await this.replay(true);
    const left = (await this.#list()).filter(waits);
    if (left.length) throw new Error(`${left.length} entries are left`);
  }

  /** Where there is no Background Sync, each use of the app by a page is a trigger. */
  async #register() {
    const { sync } = /** @type {{sync?: {register: (tag: string) => Promise<void>}}} */ (
      /** @type {unknown} */ (this.#registration)
    );
    await sync?.register(OUTBOX_TAG).catch(() => {}); // the person has denied it
  }

  /**
   * Stores an entry, unless its key is there already.
   * @param {Omit<Entry, 'n'>} entry
   */
  #add(entry) {
    return this.#change(async (store) => {
      if (await result(store.index('key').getKey(entry.key))) return;
      /** @type {Entry[]} */
      const others = entry.kind === 'stop' ? await result(store.getAll()) : [];
      for (const { n, kind, conversation, state } of others)
        if (kind === 'resume' && state === 'queued' && conversation === entry.conversation) store.delete(n);
      store.add(entry);
    });
  }

  /** @param {string} key @returns {Promise<{state: Entry['state'] | 'none', run: string | null}>} */
  #forget(key) {
    return this.#change(async (store) => {
      /** @type {Entry | undefined} */
      const entry = await result(store.index('key').get(key));
      if (!entry) return { state: 'none', run: null };
      // On its way: whoever sends it removes it then. If that was a worker that was ended, nobody knows whether it arrived.
      if (this.#sending.has(key)) store.put({ ...entry, gone: true });
      else store.delete(entry.n);
      return { state: entry.state, run: entry.run };
    });
  }

  async #list() {
    /** @type {Entry[]} */
    const entries = await this.#store.read('outbox', (store) => store.getAll());
    return entries.filter(({ gone }) => !gone).map(({ n, headers, body, due, gone, ...shown }) => shown);
  }

  /** Conversations do not wait for each other: an endpoint that says nothing must not hold up a stop for another one. */
  async #drain() {
    clearTimeout(this.#timer);
    await (this.#tidied ??= this.#tidy().catch(warn));
    const flying = new Set();
    let from = 0;
    let tried = new Set();
    for (;;) {
      if (this.#again) {
        from = this.#now ? Infinity : Date.now();
        tried = new Set();
        this.#again = this.#now = false;
        this.#called = Promise.withResolvers();
      }
      const entry = await this.#next(from, tried);
      if (entry) {
        tried.add(entry.n);
        const sent = this.#send(entry)
          .catch(warn)
          .finally(() => flying.delete(sent));
        flying.add(sent);
      } else if (!this.#again) {
        if (!flying.size) break;
        await Promise.race([...flying, this.#called.promise]);
      }
    }
    const next = await this.#next(Infinity, new Set());
    // Only for as long as this worker happens to live; the triggers do the rest.
    if (next) this.#timer = setTimeout(() => this.replay(), Math.max(next.due - Date.now(), FIRST_WAIT_MS));
  }

  /**
   * The first entry that may be sent: none before it in its conversation waits.
   * @param {number} from
   * @param {Set<number>} tried
   */
  async #next(from, tried) {
    /** @type {Entry[]} */
    const entries = await this.#store.read('outbox', (store) => store.getAll());
    /** @type {Map<string, Entry>} */
    const heads = new Map();
    for (const entry of entries.filter(waits).reverse()) heads.set(entry.conversation, entry);
    const ready = [...heads.values()].filter(
      ({ n, key, due }) => due <= from && !tried.has(n) && !this.#sending.has(key),
    );
    return ready.sort((one, other) => one.due - other.due || one.n - other.n)[0];
  }

  /** @param {Entry} entry */
  async #send(entry) {
    this.#sending.add(entry.key);
    try {
      const sending = await this.#update(entry.n, { state: 'sending', attempts: entry.attempts + 1 });
      if (!sending) return; // removed meanwhile
      const { outcome, done } = await send(sending);
      await this.#update(entry.n, outcome);
      await done();
    } finally {
      this.#sending.delete(entry.key);
    }
  }

  /**
   * @param {number} n
   * @param {Partial<Entry>} outcome
   * @returns {Promise<Entry | null>} null when it has been removed
   */
  #update(n, outcome) {
    return this.#change(async (store) => {
      /** @type {Entry | undefined} */
      const entry = await result(store.get(n));
      if (!entry) return null;
      if (entry.gone) return (store.delete(n), null);
      const changed = { ...entry, ...outcome };
      store.put(changed);
      return changed;
    });
  }

  /**
   * Once per life of the worker: drops entries that were removed while an earlier worker sent them, and old tombstones.
   */
  #tidy() {
    const limit = Date.now() - OUTBOX_DAYS * 86_400_000;
    return this.#change(async (store) => {
      /** @type {Entry[]} */
      const entries = await result(store.getAll());
      for (const { n, key, gone, state, created } of entries)
        if ((gone && !this.#sending.has(key)) || (state === 'sent' && created < limit)) store.delete(n);
    });
  }

  /**
   * One transaction on the entries, on disk before it resolves.
   * @template T
   * @param {(store: IDBObjectStore) => Promise<T>} work
   */
  #change(work) {
    return this.#store.transact(
      ['outbox'],
      'readwrite',
      (transaction) => work(transaction.objectStore('outbox')),
      'strict',
    );
  }
}
