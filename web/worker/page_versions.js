// Which version a page runs. After an update those that were open before go on with the files that they have begun with, so
// those are kept for as long as such a page lives; a page that is loaded later gets the new version's, all of them.

/// <reference lib="webworker" />

import { warn } from './common.js';

/** @typedef {import('./files.js').Files} Files */
/** @typedef {Record<string, string>} Keys where each file of a version is kept in the cache */
/** @typedef {{active: string, pages: Record<string, string>}} Known the version that is active; those of the pages before it */

export class Versions {
  #files;
  #place;
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
    this.#place = `${worker.registration.scope}?versions`;
  }

  /** Notes where the files of this version are, for the version after it. */
  async install() {
    await this.#write(this.#list(this.#files.version), this.#files.keys());
  }

  /** Becomes the active one: the pages that are open now belong to the one before. */
  async activate() {
    const { active, pages } = await this.#read();
    const open = await this.#open();
    const before = active && active !== this.#files.version ? open.map((id) => [id, pages[id] ?? active]) : [];
    await this.#note({ active: this.#files.version, pages: Object.fromEntries(before) });
  }

  /** Whether a page of an older version has gone. */
  async over() {
    const pages = Object.keys((await this.#read()).pages);
    const open = new Set(pages.length ? await this.#open() : []);
    return pages.some((id) => !open.has(id));
  }

  /**
   * What is still needed: the files of this version and of those that an open page runs.
   * @returns {Promise<Set<string>>}
   */
  async needed() {
    const { active, pages } = await this.#read();
    const open = new Set(await this.#open());
    const left = Object.fromEntries(Object.entries(pages).filter(([id]) => open.has(id)));
    await this.#note({ active, pages: left });
    const versions = new Set([this.#files.version, ...Object.values(left)]);
    const lists = await Promise.all([...versions].map((version) => this.#keys(version)));
    return new Set([this.#place, ...[...versions].map((version) => this.#list(version)), ...lists.flatMap((keys) => Object.values(keys))]);
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

  async #open() {
    return (await this.#worker.clients.matchAll({ type: 'all', includeUncontrolled: true })).map(({ id }) => id);
  }

  /** @param {string} version */
  #list(version) {
    return `${this.#place}=${encodeURIComponent(version)}`;
  }

  /** @param {string} version @returns {Promise<Keys>} */
  async #keys(version) {
    return (await this.#value(this.#list(version))) ?? {};
  }

  #read() {
    this.#known ??= this.#value(this.#place).then((known) => known ?? { active: '', pages: {} });
    return this.#known;
  }

  /** @param {Known} known */
  async #note(known) {
    this.#known = Promise.resolve(known);
    await this.#write(this.#place, known);
  }

  /** @param {string} place @returns {Promise<any>} */
  async #value(place) {
    const stored = await (await this.#files.cache()).match(place);
    return stored?.json().catch(warn); // damaged: as if nothing were known
  }

  /** @param {string} place @param {object} value */
  async #write(place, value) {
    await (await this.#files.cache()).put(place, Response.json(value));
  }
}
