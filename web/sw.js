// The service worker: it has the app's own files, so that the app starts without a network. It keeps one cache of files by content
// hash; /v1/* and all that is not listed here go to the network untouched. Two parts of it go on without a page: spool/
// (worker/spool.js) and outbox/ (worker/outbox.js), to which the engine sends requests. It sends the page itself with its saved
// text in it (worker/prerender.js), from the engine's records.
//
//   install        the shell (small) is fetched, checked and stored; one missing or corrupt file fails the whole install,
//                  the old version stays, and the next try fetches only what is missing
//   fetch          spool/ and outbox/; listed files from the cache; a runtime file that is not there yet is stored as it passes
//                  and so are those that not everybody needs (late/)
//   message fill   the runtime (large), file by file, asked for by engine/offline.js while the app runs; `check` looks after it
//   activate       files that neither this version nor a page of an older one needs are dropped
//   sync           the outbox
//
// A new version waits until the person agrees and no answer is being received here, or the last page is closed; nothing
// here reloads a page.

/// <reference lib="webworker" />

import { isBeyondLimit } from './shared/storage_limit.js';
import { errorResponse, warn } from './worker/common.js';
import { Files } from './worker/files.js';
import { Outbox, OUTBOX_TAG } from './worker/outbox.js';
import { prerender } from './worker/prerender.js';
import { Spool } from './worker/spool.js';
import { WorkerStore } from './worker/store.js';
import { PageVersions } from './worker/page_versions.js';

/** @type {import('./worker/files.js').Build} */
const BUILD = /*build*/ { version: 'dev', shell: [], runtime: [], late: [] } /*build*/;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const SCOPE = worker.registration.scope;
const CACHES = 'midstream '; // the scope follows: another copy of the app may live beside us on this origin
const CACHE = `${CACHES}1 ${SCOPE}`;
const CONFIG = absolute('config.json');
const INDEX = absolute('index.html');
/** The form of paths that an older version may have had and this one has not: a page that still runs it may request such a file. */
const FILE_PATH = /^(?!v1\/|spool\/|outbox\/)[^?]*\.[a-z0-9]{2,5}(\?|$)/;
const files = new Files(BUILD, SCOPE, CACHE);
const versions = new PageVersions(files, worker);
const workerStore = new WorkerStore();
const spool = new Spool(workerStore, SCOPE);
const outbox = new Outbox(workerStore, worker.registration);
/** How long an offline-looking network may keep config.json waiting, in ms. */
const CONFIG_LIMIT = 4000;
/** When all stored files were last looked at, and for how long that will do, in ms. */
const CHECKED = absolute('?checked');
const CHECK_AGAIN = 24 * 3_600_000;

/** @param {string} url */
function absolute(url) {
  return new URL(url, SCOPE).href;
}

async function install() {
  if (!files.all.length) return;
  await Promise.all((await files.missing(files.shell)).map((href) => files.store(href)));
  await versions.install();
  // Best effort: an app that was opened once should find its endpoints offline.
  await config(new Request(CONFIG)).catch(() => {});
}

async function activate() {
  const old = (await caches.keys()).filter(
    (name) => name.startsWith(CACHES) && name.endsWith(` ${SCOPE}`) && name !== CACHE,
  );
  await Promise.all(old.map((name) => caches.delete(name)));
  if (files.all.length) {
    await versions.activate();
    await tidy();
  }
  await worker.clients.claim();
}

/** Drops the files of versions that no page runs. Not while another version waits: its files are there already. */
async function tidy() {
  if (worker.registration.waiting || worker.registration.installing) return;
  await files.dropOthers((await versions.needed()).add(CONFIG).add(CHECKED));
}

/**
 * The address of the file of ours that a request means, if any.
 * @param {Request} request
 */
function fileOf({ url, method, mode }) {
  const { origin, pathname } = new URL(url);
  const bare = origin + pathname;
  if (method !== 'GET' || !files.all.length || !url.startsWith(SCOPE)) return null;
  if (mode === 'navigate' && bare === SCOPE) return INDEX; // with any ?c=…
  if (bare === CONFIG || files.has(bare)) return bare;
  return mode !== 'navigate' && FILE_PATH.test(url.slice(SCOPE.length)) ? bare : null;
}

/**
 * @param {FetchEvent} event
 * @param {string} href
 */
async function answer({ request, clientId }, href) {
  if (href === CONFIG) return config(request);
  const keys = request.mode === 'navigate' ? null : await versions.older(clientId);
  if (keys && href in keys) return (await (await files.cache()).match(keys[href])) ?? Response.error();
  // A server that has gone on to another version has another file there: none is better than one that does not fit.
  return files.has(href) ? files.get(href).catch((error) => (warn(error), Response.error())) : fetch(request);
}

/**
 * From the network, since the host may change it any time; the last answer when there is no network, or what answers is not
 * the host (a hotel's login page, a server that is being replaced).
 * @param {Request} request
 */
async function config(request) {
  const cache = await files.cache();
  /** @type {Response | undefined} */
  let response;
  try {
    response = await fetch(request, { cache: 'no-cache', signal: AbortSignal.timeout(CONFIG_LIMIT) });
    if (!response.ok) throw new Error(`config.json: ${response.status}`);
    await response.clone().json();
    await cache.put(CONFIG, response.clone());
    return response;
  } catch (error) {
    const cached = (await cache.match(CONFIG)) ?? response;
    if (cached) return cached;
    throw error;
  }
}

/**
 * Stores the next file that is missing, but none of `skip`.
 * @param {string[]} skip
 */
async function fill(skip) {
  const next = (await files.missing(files.all)).find((href) => !skip.includes(href));
  if (!next) return files.state();
  try {
    if (await isBeyondLimit()) return { ...(await files.state()), failed: next, full: true };
    await files.store(next);
    return files.state();
  } catch (error) {
    warn(error);
    return { ...(await files.state()), failed: next };
  }
}

/**
 * Looks whether the next stored file, but none of `skip`, still is what was built; drops it if not. Once a day all of them,
 * or `now`, when something is known to be wrong.
 * @param {string[]} skip
 * @param {boolean} now
 */
async function check(skip, now) {
  if (!files.all.length) return { checked: null };
  const cache = await files.cache();
  const last = Number(await (await cache.match(CHECKED))?.text());
  if (!now && !skip.length && Date.now() - last < CHECK_AGAIN) return { checked: null };
  const missing = await files.missing(files.every);
  const next = files.every.find((href) => !skip.includes(href) && !missing.includes(href));
  if (next) return { checked: next, sound: await files.check(next) };
  await cache.put(CHECKED, new Response(String(Date.now())));
  return { checked: null };
}

/** How much is stored. Each page that has started sends this, so it is the time to look whether pages of older versions are gone. */
async function state() {
  if (await versions.over()) await tidy();
  return files.state();
}

/** Becomes the active version, unless the one that is receives an answer: `held` then, to be asked again later. */
async function takeOver() {
  if (await spool.busy()) return { held: true };
  await worker.skipWaiting();
  return { held: false };
}

/** @type {Record<string, (skip: string[], now: boolean) => Promise<object>>} */
const ANSWERS = { 'skip-waiting': takeOver, fill, check, state };

/** @param {ExtendableMessageEvent} event */
async function receive(event) {
  const { type, skip = [], now = false } = event.data ?? {};
  event.ports[0]?.postMessage((await ANSWERS[type]?.(skip, now)) ?? {});
}

/**
 * The answer to a request for the spool or the outbox; null when it is none. Only fetches of our scripts get one: shown as a page,
 * the text of a model or of a foreign server could do harm.
 * @param {FetchEvent} event
 */
function partOf(event) {
  const { url, mode } = event.request;
  const [, part, path] = (url.startsWith(SCOPE) && /^(spool|outbox)\/([^?]*)/.exec(url.slice(SCOPE.length))) || [];
  if (part === undefined || (mode !== 'cors' && mode !== 'same-origin')) return null;
  return (part === 'spool' ? spool : outbox)
    .answer(event, path)
    .catch((error) => (warn(error), errorResponse(500, String(error), 'storage', {}, 'storage_failed')));
}

/** The page with its saved text in it. @param {FetchEvent} event a navigation */
async function page(event) {
  return prerender(await answer(event, INDEX), event, (language) => files.get(absolute(`i18n/${language}.json`)));
}

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('message', (event) => {
  event.waitUntil(receive(event));
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
  else if (href) event.respondWith(answer(event, href));
  // A page is there, so there may be a network again. Not for outbox/: what is being removed must not be sent by that.
  if (event.request.mode === 'navigate' || event.request.url.startsWith(`${SCOPE}spool/`))
    event.waitUntil(outbox.replay());
});
