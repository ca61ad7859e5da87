// The service worker: the app's own files, so that it starts without a network. It keeps one cache of files by content hash
// and knows nothing of conversations; /v1/* and whatever is not listed here go to the network untouched. What has to go on
// without a page is in two parts beside it, asked for by fetches of the engine: spool/ (worker/spool.js) and outbox/
// (worker/outbox.js).
//
//   install        the shell (small) is fetched, checked and stored; one missing or corrupt file fails the whole install,
//                  the old version stays, and the next try fetches only what is missing
//   fetch          spool/ and outbox/; listed files from the cache; a runtime file that is not there yet is stored as it passes
//   message fill   the runtime (large), file by file, asked for by offline.js while the app runs
//   activate       files that this version does not name are dropped
//   sync           the outbox
//
// A new version waits until the person agrees and no answer is being received here, or the last page is closed; nothing
// here reloads a page.

/// <reference lib="webworker" />

// worker/ is stored with the registration, so it is not in the lists.
import { refused, warn } from './worker/common.js';
import { Outbox, OUTBOX_TAG } from './worker/outbox.js';
import { painted } from './worker/paint.js';
import { Spool } from './worker/spool.js';
import { WorkerStore } from './worker/store.js';

/** @typedef {{url: string, hash: string}} Listed `url` relative to this file, `hash` as in an integrity attribute */
/** @type {{version: string, shell: Listed[], runtime: Listed[]}} */
const BUILD = /*build*/{"version": "dev", "shell": [], "runtime": []}/*build*/;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const SCOPE = worker.registration.scope;
const CACHES = 'midstream '; // the scope follows: another copy of the app may live beside us on this origin
const CACHE = `${CACHES}1 ${SCOPE}`;
const CONFIG = absolute('config.json');
const INDEX = absolute('index.html');
const WORDS = absolute('i18n/en.json');
const workerStore = new WorkerStore();
const spool = new Spool(workerStore, SCOPE);
const outbox = new Outbox(workerStore, worker.registration);
/** How long an offline-looking network may keep config.json waiting, in ms. */
const CONFIG_LIMIT = 4000;
/** The share of the storage beyond which no more of the runtime is stored. */
const ROOM = 0.95;

/** @param {string} url */
function absolute(url) {
  return new URL(url, SCOPE).href;
}

const SHELL = BUILD.shell.map(({ url }) => absolute(url));
const HASHES = new Map([...BUILD.shell, ...BUILD.runtime].map(({ url, hash }) => [absolute(url), hash]));

/** Where a file is kept: by its content, so that a version finds what an earlier one has stored. @param {string} href */
const key = (href) => `${href}?${encodeURIComponent(HASHES.get(href) ?? '')}`;

/**
 * Fetches a listed file and stores it. The browser checks the hash and fails the fetch when it differs.
 * @param {string} href
 */
async function store(href) {
  const response = await fetch(href, { integrity: HASHES.get(href), cache: 'no-cache' });
  if (!response.ok) throw new Error(`${href}: ${response.status}`);
  const plain = response.redirected ? new Response(response.body, response) : response; // a navigation refuses redirected ones
  const cache = await caches.open(CACHE);
  await cache.put(key(href), plain.clone());
  return plain;
}

/** @param {string[]} files */
async function missing(files) {
  const cache = await caches.open(CACHE);
  const stored = new Set((await cache.keys()).map((request) => request.url));
  return files.filter((href) => !stored.has(key(href)));
}

async function install() {
  await Promise.all((await missing(SHELL)).map(store));
  // Best effort: an app that was opened once should find its endpoints offline.
  if (SHELL.length) await config(new Request(CONFIG)).catch(() => {});
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name.endsWith(` ${SCOPE}`) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  if (HASHES.size) await tidy();
  await worker.clients.claim();
}

/** Drops the files of other versions. */
async function tidy() {
  const cache = await caches.open(CACHE);
  const ours = new Set([CONFIG, ...[...HASHES.keys()].map(key)]);
  const others = (await cache.keys()).filter((request) => !ours.has(request.url));
  await Promise.all(others.map((request) => cache.delete(request)));
}

/**
 * The file of ours that a request means, if any.
 * @param {Request} request
 */
function fileOf(request) {
  const url = new URL(request.url);
  const bare = url.origin + url.pathname;
  if (request.method !== 'GET' || !HASHES.size) return null;
  if (request.mode === 'navigate' && bare === SCOPE) return INDEX; // with any ?c=…
  return bare === CONFIG || HASHES.has(bare) ? bare : null;
}

/**
 * @param {Request} request
 * @param {string} href
 */
async function answer(request, href) {
  if (href === CONFIG) return config(request);
  const cached = await (await caches.open(CACHE)).match(key(href));
  // A server that has gone on to another version answers with another hash: better its file than none.
  return cached ?? store(href).catch(() => fetch(request));
}

/**
 * From the network, since the host may change it any time; the last answer when there is no network.
 * @param {Request} request
 */
async function config(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request, { cache: 'no-cache', signal: AbortSignal.timeout(CONFIG_LIMIT) });
    if (response.ok) await cache.put(CONFIG, response.clone());
    return response;
  } catch (error) {
    const cached = await cache.match(CONFIG);
    if (cached) return cached;
    throw error;
  }
}

/**
 * Stores the next file that is missing, but none of `skip`.
 * @param {string[]} skip
 */
async function fill(skip) {
  const next = (await missing([...HASHES.keys()])).find((href) => !skip.includes(href));
  if (!next) return state();
  try {
    await leaveRoom();
    await store(next);
    return state();
  } catch {
    return { ...(await state()), failed: next };
  }
}

/** What a person wrote and was answered needs the last of the storage more than the runtime does. */
async function leaveRoom() {
  const { usage = 0, quota = Infinity } = (await navigator.storage?.estimate?.()) ?? {}; // WebKitGTK tells nobody
  if (usage > ROOM * quota) throw new Error('the storage is nearly full');
}

/** How much of the version is stored: `done` of `total` files. */
async function state() {
  const all = [...HASHES.keys()];
  return { version: BUILD.version, done: all.length - (await missing(all)).length, total: all.length };
}

/** Becomes the active version, unless the one that is receives an answer: `held` then, to be asked again later. */
async function takeOver() {
  if (await spool.busy()) return { held: true };
  await worker.skipWaiting();
  return { held: false };
}

/** @type {Record<string, (skip: string[]) => Promise<unknown>>} */
const ANSWERS = { 'skip-waiting': takeOver, fill, state };

/** @param {ExtendableMessageEvent} event */
async function heard(event) {
  const { type, skip = [] } = event.data ?? {};
  const said = await ANSWERS[type]?.(skip);
  if (said) event.ports[0]?.postMessage(said);
}

/**
 * The answer to a request for a part of ours; null when it is none. Only what a script of ours fetches is answered: shown as
 * a page, what a model or a foreign server wrote could do harm.
 * @param {FetchEvent} event
 */
function partOf(event) {
  const { url, mode } = event.request;
  const [, part, path] = (url.startsWith(SCOPE) && /^(spool|outbox)\/([^?]*)/.exec(url.slice(SCOPE.length))) || [];
  if (part === undefined || (mode !== 'cors' && mode !== 'same-origin')) return null;
  return (part === 'spool' ? spool : outbox).answer(event, path).catch((error) => (warn(error), refused(500, String(error), 'storage')));
}

/** The page with its saved text in it. @param {FetchEvent} event a navigation */
async function page(event) {
  return painted(await answer(event.request, INDEX), event, () => answer(new Request(WORDS), WORDS));
}

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('message', (event) => {
  event.waitUntil(heard(event));
  if (!worker.registration.waiting) event.waitUntil(outbox.replay()); // else this may be the one that waits
});
worker.addEventListener('sync', (event) => {
  if (Object(event).tag === OUTBOX_TAG) /** @type {ExtendableEvent} */ (event).waitUntil(outbox.synced());
});
worker.addEventListener('fetch', (event) => {
  const part = partOf(event);
  const href = part ? null : fileOf(event.request);
  if (part) event.respondWith(part);
  else if (href === INDEX && event.request.mode === 'navigate') event.respondWith(page(event));
  else if (href) event.respondWith(answer(event.request, href));
  // A page is there, so there may be a network again. Not for outbox/: what is being removed must not be sent by that.
  if (event.request.mode === 'navigate' || event.request.url.startsWith(`${SCOPE}spool/`)) event.waitUntil(outbox.replay());
});
