// The version that each page runs. After an update the pages that were open go on with the files of their own version, so those
// stay stored for as long as such a page lives. A page that is loaded later gets all files of the new version.

/// <reference lib="webworker" />

import { warn } from './common.js';

/** @typedef {import('./files.js').Files} Files */
/** @typedef {Record<string, string>} Keys where each file of a version is kept in the cache */
/** @typedef {{active: string, pages: Record<string, string>}} Known the version that is active; those of the pages before it */

export class PageVersions {
  #files;
  #url;
  #worker;
  /** Read once in the life of the worker, and after each change. @type {Promise<Known> | null} */
  #known = null;

  /**
   * @param {Files} files
   * @param {ServiceWorkerGlobalScope} worker
   */
  constructor(files, worker) {
    this.#files = files;
    this.#worker = worker;
    this.#url = `${worker.registration.scope}?versions`;
  }

  /** Notes where the files of this version are, for the version after it. */
  async install() {
    await this.#writeJson(this.#listUrl(this.#files.version), this.#files.keys());
  }

  /** Becomes the active one: the pages that are open now belong to the one before. */
  async activate() {
    const { active, pages } = await this.#read();
    const open = await this.#openPages();
    const before = active && active !== this.#files.version ? open.map((id) => [id, pages[id] ?? active]) : [];
    await this.#remember({ active: this.#files.version, pages: Object.fromEntries(before) });
  }

  /** Whether a page of an older version has gone. */
  async over() {
    const pages = Object.keys((await this.#read()).pages);
    const open = new Set(pages.length ? await this.#openPages() : []);
    return pages.some((id) => !open.has(id));
  }

  /**
   * The files that are still needed: those of this version and of the versions that open pages run.
   * @returns {Promise<Set<string>>}
   */
  async needed() {
    const { active, pages } = await this.#read();
    const open = new Set(await this.#openPages());
    const left = Object.fromEntries(Object.entries(pages).filter(([id]) => open.has(id)));
    await this.#remember({ active, pages: left });
    const versions = new Set([this.#files.version, ...Object.values(left)]);
    const lists = await Promise.all([...versions].map((version) => this.#keys(version)));
    return new Set([
      this.#url,
      ...[...versions].map((version) => this.#listUrl(version)),
      ...lists.flatMap((keys) => Object.values(keys)),
    ]);
  }

  /**
   * Where the files of an older version are, if the page runs one.
   * @param {string} id of a client
   * @returns {Promise<Keys | null>}
   */
  async older(id) {
    const version = id ? (await this.#read()).pages[id] : undefined;
    return version === undefined ? null : this.#keys(version);
  }

  async #openPages() {
    return (await this.#worker.clients.matchAll({ type: 'all', includeUncontrolled: true })).map(({ id }) => id);
  }

  /** @param {string} version */
  #listUrl(version) {
    return `${this.#url}=${encodeURIComponent(version)}`;
  }

  /** @param {string} version @returns {Promise<Keys>} */
  async #keys(version) {
    return (await this.#readJson(this.#listUrl(version))) ?? {};
  }

  #read() {
    this.#known ??= this.#readJson(this.#url).then((known) => known ?? { active: '', pages: {} });
    return this.#known;
  }

  /** @param {Known} known */
  async #remember(known) {
    this.#known = Promise.resolve(known);
    await this.#writeJson(this.#url, known);
  }

  /** @param {string} url @returns {Promise<any>} */
  async #readJson(url) {
    const stored = await (await this.#files.cache()).match(url);
    return stored?.json().catch(warn); // damaged: as if nothing were known
  }

  /** @param {string} url @param {object} value */
  async #writeJson(url, value) {
    await (await this.#files.cache()).put(url, Response.json(value));
  }
}
