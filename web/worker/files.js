// The app's own files in Cache Storage: they are fetched, held against the hashes of the build, and dropped.
//
// A file is kept under its address and the hash of its content, so versions share what has not changed, and a version that
// waits is stored beside the one that runs. Nothing enters unless it has its hash. A file that has lost it (a disk's bit, a body
// cut short) is dropped and fetched again: small files are checked before they are used, large ones by check().

/// <reference lib="webworker" />

/** @typedef {{url: string, hash: string, size: number}} Listed `url` relative to the scope, `hash` as in an integrity attribute */
/** @typedef {{version: string, shell: Listed[], runtime: Listed[], late?: Listed[]}} Build `late`: stored when it is first requested */
/** @typedef {{version: string, done: number, total: number, bytes: number, size: number}} State files and bytes, stored and in all */

/** @typedef {{response: Response, failure: unknown}} Fetched and why it is not stored, if so: a full storage stops no page */

/** Bytes of the largest file that is looked at before each first use: that takes about a millisecond. */
const SMALL = 300_000;
/** How long one file may take: an event of the worker is killed after 300 s, and nobody would hear what became of it. */
const FETCH_LIMIT = 270_000;
const WASM = 'application/wasm';

export class Files {
  /** @type {Map<string, Listed>} by absolute address */
  #listed;
  /** @type {Set<string>} those that are not stored before a page requests them */
  #lazy;
  /** Those that were right when this worker looked at them. @type {Set<string>} */
  #sound = new Set();
  /** @type {Map<string, Promise<Fetched>>} */
  #coming = new Map();
  #name;

  /**
   * @param {Build} build
   * @param {string} scope
   * @param {string} name of the cache
   */
  constructor(build, scope, name) {
    /** @param {Listed} entry @returns {[string, Listed]} */
    const entry = (entry) => [new URL(entry.url, scope).href, entry];
    this.version = build.version;
    this.shell = build.shell.map((each) => entry(each)[0]);
    const lazy = build.late ?? [];
    this.#listed = new Map([...build.shell, ...build.runtime, ...lazy].map(entry));
    this.#lazy = new Set(lazy.map((each) => entry(each)[0]));
    this.#name = name;
  }

  /** @param {string} href */
  has(href) {
    return this.#listed.has(href);
  }

  /** Those that are stored before a page requests them. */
  get all() {
    return this.every.filter((href) => !this.#lazy.has(href));
  }

  get every() {
    return [...this.#listed.keys()];
  }

  cache() {
    return caches.open(this.#name);
  }

  /** Where each file is kept, of this version. @returns {Record<string, string>} */
  keys() {
    return Object.fromEntries(this.every.map((href) => [href, this.#key(href)]));
  }

  /** The file as it was built, stored or fetched; rejects rather than giving another version's. @param {string} href */
  async get(href) {
    return (await this.#stored(href)) ?? (await this.#fetched(href)).response.clone();
  }

  /** Fetches a file and stores it; rejects when either is not possible. @param {string} href */
  async store(href) {
    const { failure } = await this.#fetched(href);
    if (failure) throw failure;
  }

  /** @param {string[]} files */
  async missing(files) {
    const stored = new Set((await (await this.cache()).keys()).map((request) => request.url));
    return files.filter((href) => !stored.has(this.#key(href)));
  }

  /** @returns {Promise<State>} */
  async state() {
    const missing = new Set(await this.missing(this.all));
    const entries = [...this.#listed].filter(([href]) => !this.#lazy.has(href));
    const sum = (/** @type {[string, Listed][]} */ some) => some.reduce((bytes, [, { size }]) => bytes + size, 0);
    const stored = entries.filter(([href]) => !missing.has(href));
    return {
      version: this.version,
      done: stored.length,
      total: entries.length,
      bytes: sum(stored),
      size: sum(entries),
    };
  }

  /** Whether a stored file is what was built; if it is not, it is dropped. @param {string} href */
  async check(href) {
    const stored = await this.#match(href);
    const sound = stored !== undefined && (await hashOf(stored)) === this.#entry(href).hash;
    if (stored && !sound) await (await this.cache()).delete(this.#key(href));
    return sound;
  }

  /** Drops all files but those under these addresses. @param {Set<string>} keys */
  async dropOthers(keys) {
    const cache = await this.cache();
    const others = (await cache.keys()).filter((request) => !keys.has(request.url));
    await Promise.all(others.map((request) => cache.delete(request)));
  }

  /** @param {string} href */
  #entry(href) {
    const entry = this.#listed.get(href);
    if (!entry) throw new Error(`${href} is not in the list`);
    return entry;
  }

  /** @param {string} href */
  #key(href) {
    return `${href}?${encodeURIComponent(this.#entry(href).hash)}`;
  }

  /** @param {string} href */
  async #stored(href) {
    if (this.#entry(href).size <= SMALL && !this.#sound.has(href)) {
      if (!(await this.check(href))) return undefined;
      this.#sound.add(href);
    }
    return this.#match(href);
  }

  /** In one question to the browser; to open the cache first would be a second one, for each file. @param {string} href */
  #match(href) {
    return caches.match(this.#key(href), { cacheName: this.#name });
  }

  /** Two requests for one file share one fetch. @param {string} href */
  #fetched(href) {
    const coming = this.#coming.get(href) ?? this.#fetch(href).finally(() => this.#coming.delete(href));
    this.#coming.set(href, coming);
    return coming;
  }

  /** @param {string} href @returns {Promise<Fetched>} */
  async #fetch(href) {
    // The page itself may have loaded it a moment ago, and the hash tells whether that one is right: not sent twice.
    const { hash } = this.#entry(href);
    const response = usable(
      await fetchExactly(href, hash, 'force-cache').catch(() => fetchExactly(href, hash, 'reload')),
      href,
    );
    const failure = await this.#put(href, response.clone()).catch((error) => error);
    if (!failure) this.#sound.add(href);
    return { response, failure };
  }

  /** @param {string} href @param {Response} response */
  async #put(href, response) {
    await (await this.cache()).put(this.#key(href), response);
  }
}

/**
 * Fetches a file that must have this hash: the browser checks it, and fails the fetch when it has not.
 * @param {string} href
 * @param {string} integrity
 * @param {RequestCache} cache
 */
export async function fetchExactly(href, integrity, cache) {
  const response = await fetch(href, { integrity, cache, signal: AbortSignal.timeout(FETCH_LIMIT) });
  if (!response.ok) throw new Error(`${href}: ${response.status}`);
  return response;
}

/**
 * A navigation refuses a response that was redirected, as hosts do that hide `.html`; and only a
 * response of the type of WebAssembly is compiled while it comes.
 * @param {Response} response
 * @param {string} href
 */
function usable(response, href) {
  const mistyped = href.endsWith('.wasm') && response.headers.get('Content-Type') !== WASM;
  if (!response.redirected && !mistyped) return response;
  const headers = new Headers(response.headers);
  if (mistyped) headers.set('Content-Type', WASM);
  return new Response(response.body, { status: response.status, headers });
}

/** In the form of an integrity attribute. @param {Response} response */
async function hashOf(response) {
  const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}
