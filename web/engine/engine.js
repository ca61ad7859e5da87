// The engine's document, beside PyScript: hands the screen's port to the Python worker and tells the screen when the worker
// cannot start. engine/offline.js beside it looks after the service worker.

import { provide } from './snapshot_scheduler.js';
import { Offline } from './offline.js';
import { Pulse } from './watchdog.js';
import './storage_fallback.js';

/** PyScript's own module. Imported here alone: WebKit gives a second importer its names before they have values. */
const CORE = '../pyscript/core.js';

/**
 * @typedef {Worker & {ready: Promise<unknown>, onerror: (event: ErrorEvent) => void, onmessage: (event: MessageEvent) => void}} PyWorker
 */

/** Milliseconds that a frame of the screen may take. */
const FRAME = 1000;

/** @type {() => void} */
let begun;
/** The screen has something to say. @type {Promise<void>} */
const screen = new Promise((resolve) => (begun = resolve));

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
  begun(); // whatever it says
  if (event.data === 'screen?') for (const message of told.values()) parent.postMessage(message, location.origin);
  if (event.data === 'port') port = event.ports[0];
  if (event.data?.type === 'shell' && event.data.do === 'update') offline.update();
  join();
});

function join() {
  if (!port || !worker) return;
  // A worker made from a blob has no address of its own to resolve others against.
  worker.postMessage({ port, base: new URL('./', document.baseURI).href }, [port]);
  port = null;
}

/**
 * @param {unknown} reason
 * @param {string} [code] the screen has words for: engine.failed.<code>
 */
function failed(reason, code = 'error') {
  const lines = (reason instanceof Error ? reason.message : String(reason)).trim().split('\n');
  // A Python traceback ends with the line that says what it was.
  const detail = lines.at(lines[0].startsWith('Traceback') ? -1 : 0) ?? '';
  tell({ type: 'engine', state: 'failed', code, detail });
}

/** @param {unknown} reason */
function broken(reason) {
  if (reason) failed(reason);
  else failed('the worker stopped', 'worker');
  pulse.suspect();
}

const pulse = new Pulse(
  () => worker?.postMessage({ ping: true }),
  () => tell({ type: 'engine', state: 'lost' }),
);

/** What the worker says to this document: main.py, and before it engine/pyodide/loading.mjs. @type {Record<string, (detail: string) => void>} */
const SAID = {
  started(way) {
    pulse.begin();
    provide(way).catch((error) => console.info('midstream: no snapshot:', error));
  },
  pong: () => pulse.beat(),
  loading(detail) {
    const [done, total] = detail.split('/').map(Number);
    offline.wait();
    tell({ type: 'engine', state: 'loading', done, total });
  },
};

/** @param {MessageEvent} event */
function heard({ data, ports }) {
  if (data === 'found?') return void ask(ports[0]);
  const [what, detail] = String(data).split(' ');
  if (Object.hasOwn(SAID, what)) SAID[what](detail);
}

/** Resolves when the screen has painted what it has: over a line that is still needed for that, Python would come before it. */
async function painted() {
  if (navigator.serviceWorker?.controller) return;
  await screen;
  const { PerformanceObserver } = /** @type {typeof globalThis} */ (/** @type {unknown} */ (parent));
  const first = new Promise((resolve) => {
    // The first paint of all is that of the background.
    const observer = new PerformanceObserver((list) => list.getEntriesByName('first-contentful-paint').forEach(resolve));
    observer.observe({ type: 'paint', buffered: true });
  });
  await Promise.race([first, new Promise((resolve) => setTimeout(resolve, FRAME))]); // in a hidden tab nothing is painted
}

/** A worker that reads what Python is started from; null where it does not start: Python does without. @returns {Promise<Worker | null>} */
async function reading() {
  await shown;
  const worker = new Worker('engine/pyodide/reader.mjs', { type: 'module', name: 'reader' });
  return new Promise((resolve) => {
    worker.onerror = () => resolve(null);
    worker.onmessage = () => resolve(worker);
  });
}

/** @param {MessagePort} port on which Python's worker waits for what was found (engine/pyodide/boot.mjs) */
async function ask(port) {
  const worker = await reader;
  if (worker) worker.postMessage('found?', [port]);
  else port.postMessage(null);
}

/** Resolves when Python runs; rejects when it cannot. PyScript resolves `whenDefined` as soon as the worker is made. */
async function python() {
  await shown;
  const core = await import(CORE);
  const { xworker } = await core.whenDefined('py');
  if (!xworker) throw new Error('PyScript made no worker');
  worker = /** @type {PyWorker} */ (xworker);
  worker.onmessage = heard;
  worker.onerror = (event) => broken(event.error ?? event.message);
  worker.addEventListener('error', (event) => broken(event.message));
  worker.addEventListener('messageerror', () => failed('a message could not be read', 'message'));
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
const shown = painted();
const reader = reading();
const running = python();
// An exception in engine/engine.py is only printed by PyScript: the screen is told to expect an answer soon.
running.then(() => tell({ type: 'engine', state: 'running' }), failed);

const offline = new Offline(tell, running, shown);
