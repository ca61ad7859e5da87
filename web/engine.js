// The engine's document, beside PyScript: hands the screen's port to the Python worker, tells the screen when the worker
// cannot start, and is the place where the service worker is registered (in the visible document that is a Trusted Types
// sink, which its policy forbids).

import './spare.js';

/** PyScript's own module. Imported here alone: WebKit gives a second importer its names before they have values. */
const CORE = './pyscript/core.js';
/** Milliseconds after which the runtime is stored for offline use even if Python has not answered. */
const PATIENCE = 30_000;

/** @typedef {Worker & {ready: Promise<unknown>, onerror: (event: ErrorEvent) => void}} PyWorker */
/** Milliseconds until an update that has to wait for an answer is tried again. */
const HELD_AGAIN = 5000;

/** @typedef {{version: string, done: number, total: number, failed?: string, held?: boolean}} Stored what sw.js says */

/** The last message of each type: the screen may begin to listen after they were sent. @type {Map<string, object>} */
const told = new Map();

/** @param {{type: string} & Record<string, unknown>} message */
function tell(message) {
  told.set(message.type, message);
  parent.postMessage(message, location.origin);
}

// Python

const id = crypto.randomUUID();
/** @type {MessagePort | null} */
let port = null;
/** @type {PyWorker | null} */
let worker = null;

addEventListener('message', (event) => {
  if (event.source !== parent || event.origin !== location.origin) return;
  if (event.data === 'screen?') for (const message of told.values()) parent.postMessage(message, location.origin);
  if (event.data === 'port') port = event.ports[0];
  if (event.data?.type === 'shell' && event.data.do === 'update') update();
  join();
});

function join() {
  if (!port || !worker) return;
  // A worker made from a blob has no address of its own to resolve others against.
  worker.postMessage({ port, base: new URL('./', document.baseURI).href }, [port]);
  port = null;
}

/** @param {unknown} reason */
function failed(reason) {
  const lines = (reason instanceof Error ? reason.message : String(reason)).trim().split('\n');
  // A Python traceback ends with the line that says what it was.
  const detail = lines.at(lines[0].startsWith('Traceback') ? -1 : 0) ?? '';
  tell({ type: 'engine', state: 'failed', detail });
}

/** Resolves when Python runs; rejects when it cannot. PyScript resolves `whenDefined` as soon as the worker is made. */
async function python() {
  const core = await import(CORE);
  const { xworker } = await core.whenDefined('py');
  if (!xworker) throw new Error('PyScript made no worker');
  worker = /** @type {PyWorker} */ (xworker);
  worker.onerror = (event) => failed(event.error ?? event.message);
  worker.addEventListener('error', (event) => failed(event.message || 'the worker stopped'));
  worker.addEventListener('messageerror', () => failed('a message could not be read'));
  join();
  await worker.ready;
}

// An error in PyScript's own code, before or beside the worker: a missing config, an interpreter that cannot be loaded.
addEventListener('error', (event) => failed(event.message));
addEventListener('unhandledrejection', (event) => failed(event.reason));

// A config that cannot be used starts nothing at all; PyScript only writes it into the page.
new MutationObserver(() => {
  const box = document.querySelector('.py-error');
  if (box) failed(box.textContent);
}).observe(document.body, { childList: true });

tell({ type: 'engine?', id });
const running = python();
// An exception in engine.py is only printed by PyScript: the screen is told to expect an answer soon.
running.then(() => tell({ type: 'engine', state: 'running' }), failed);

// The service worker

/** @type {ServiceWorkerRegistration | null} */
let registration = null;

/**
 * Asks a service worker; sw.js answers each message on the port that comes with it.
 * @param {ServiceWorker} other
 * @param {Record<string, unknown>} message
 * @returns {Promise<Stored>}
 */
function ask(other, message) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = (event) => resolve(event.data);
    other.postMessage(message, [port2]);
  });
}

/**
 * Lets a service worker store the runtime, one file per message: a single long event would be killed by the browser.
 * @param {ServiceWorker} other
 * @returns {Promise<boolean>} true when all of it is stored
 */
async function fill(other) {
  /** @type {string[]} files that could not be had this time */
  const skip = [];
  for (;;) {
    const { done, total, failed: missing } = await ask(other, { type: 'fill', skip });
    if (missing) skip.push(missing);
    if (done + skip.length >= total) return total > 0 && skip.length === 0;
    if (other.state === 'activated') tell({ type: 'shell', state: 'installing', done, total });
  }
}

let reporting = Promise.resolve();

/** One after the other: two at once would fetch every file twice. */
function report() {
  reporting = reporting.then(say).catch((error) => console.warn('midstream: shell', error));
  return reporting;
}

/** Says what the screen shows about the shell, after everything that was missing has been fetched. */
async function say() {
  const { active, waiting } = registration ?? {};
  if (!active) return;
  // Filled before it is offered: an update must not cost the ability to work offline.
  if (waiting && (await fill(waiting))) tell({ type: 'shell', state: 'update-ready' });
  else if (await fill(active)) tell({ type: 'shell', state: 'offline-ready' });
}

/** Hands over to the new version; while the old one holds an answer's connection it waits, and says so. */
async function update() {
  const { waiting } = registration ?? {};
  if (!waiting) return tell({ type: 'shell', state: 'updated' });
  const { held } = await ask(waiting, { type: 'skip-waiting' });
  if (!held) return;
  tell({ type: 'shell', state: 'update-held' });
  setTimeout(update, HELD_AGAIN);
}

/** @param {ServiceWorker | null} other */
function watch(other) {
  other?.addEventListener('statechange', () => {
    if (other.state === 'installed' || other.state === 'activated') report();
  });
}

async function shell() {
  registration = await navigator.serviceWorker.register('sw.js', { updateViaCache: 'none' });
  let had = navigator.serviceWorker.controller !== null; // the first one that takes over is no update
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (had) tell({ type: 'shell', state: 'updated' });
    had = true;
  });
  // The network and the processor belong to Python first.
  await Promise.race([running.catch(() => {}), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  registration.addEventListener('updatefound', () => watch(registration?.installing ?? null));
  watch(registration.installing);
  addEventListener('online', report);
  await report();
}

// Without a service worker (a private window, plain http) everything works but the offline part.
if ('serviceWorker' in navigator) shell().catch((error) => console.warn('midstream: no service worker', error));
