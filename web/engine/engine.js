// The engine's document, beside PyScript: hands the screen's port to the Python worker and tells the screen when the worker
// cannot start. engine/offline.js beside it looks after the service worker.

import { scheduleSnapshot } from './snapshot_scheduler.js';
import { Offline } from './offline.js';
import { Watchdog } from './watchdog.js';
import { WorkNote } from './work_note.js';
import './storage_fallback.js';

/** PyScript's own module. Imported here alone: WebKit gives a second importer its names before they have values. */
const CORE = '../pyscript/core.js';

/**
 * @typedef {Worker & {ready: Promise<unknown>, onerror: (event: ErrorEvent) => void, onmessage: (event: MessageEvent) => void}} PyWorker
 */

/** Milliseconds that a frame of the screen may take. */
const FRAME = 1000;

/** @type {() => void} */
let screenSpoke;
/** Settles with the first message of the screen. @type {Promise<void>} */
const screen = new Promise((resolve) => (screenSpoke = resolve));

/** The last message of each type: the screen may begin to listen after they were sent. @type {Map<string, object>} */
const sent = new Map();

/** @param {{type: string} & Record<string, unknown>} message */
function notify(message) {
  sent.set(message.type, message);
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
  screenSpoke();
  if (event.data === 'screen?') for (const message of sent.values()) parent.postMessage(message, location.origin);
  if (event.data === 'port') port = event.ports[0];
  if (event.data?.type === 'shell' && event.data.do === 'update') offline.update();
  handOverPort();
});

function handOverPort() {
  if (!port || !worker) return;
  // A worker made from a blob has no address of its own to resolve others against.
  const base = new URL('./', document.baseURI).href;
  worker.postMessage({ port, base, givenUp: work.kept() }, [port]);
  port = null;
}

/**
 * @param {unknown} reason
 * @param {string} [code] the screen has words for: engine.failed.<code>
 */
function failed(reason, code = 'error') {
  const lines = (reason instanceof Error ? reason.message : String(reason)).trim().split('\n');
  // A Python traceback ends with the line that says what it was. An exception in a callback has "Uncaught PythonError"
  // before it.
  const detail = lines.at(lines[0].includes('Traceback') ? -1 : 0) ?? '';
  notify({ type: 'engine', state: 'failed', code, detail });
}

/** @param {unknown} reason */
function breakDown(reason) {
  if (reason) failed(reason);
  else failed('the worker stopped', 'worker');
  watchdog.suspect();
}

const work = new WorkNote();
const watchdog = new Watchdog(
  () => worker?.postMessage({ ping: true }),
  () => {
    work.keep();
    notify({ type: 'engine', state: 'lost' });
  },
);
// Who sees that nothing goes on may load the page again before the watchdog is sure.
addEventListener('pagehide', () => watchdog.silent && work.keep());

/** By the messages of the worker: from main.py and watchdog.py, and before it from engine/pyodide/loading.mjs. @type {Record<string, (detail: string) => void>} */
const HANDLERS = {
  started(way) {
    watchdog.begin();
    scheduleSnapshot(way).catch((error) => console.info('midstream: no snapshot:', error));
  },
  pong: () => watchdog.beat(),
  at: (detail) => work.set(detail),
  loading(detail) {
    const [done, total] = detail.split('/').map(Number);
    offline.wait();
    notify({ type: 'engine', state: 'loading', done, total });
  },
};

/** @param {MessageEvent} event */
function receive({ data, ports }) {
  if (data === 'found?') return void passRequest(ports[0]);
  const [what, detail] = String(data).split(' ');
  if (Object.hasOwn(HANDLERS, what)) HANDLERS[what](detail);
}

/** Resolves when the screen has painted its text: over a slow network Python would take the line that the page needs for that. */
async function untilPainted() {
  if (navigator.serviceWorker?.controller) return;
  await screen;
  const { PerformanceObserver } = /** @type {typeof globalThis} */ (/** @type {unknown} */ (parent));
  const first = new Promise((resolve) => {
    // The first paint of all is that of the background.
    const observer = new PerformanceObserver((list) =>
      list.getEntriesByName('first-contentful-paint').forEach(resolve),
    );
    observer.observe({ type: 'paint', buffered: true });
  });
  await Promise.race([first, new Promise((resolve) => setTimeout(resolve, FRAME))]); // in a hidden tab nothing is painted
}

/** A worker that reads the files that Python starts from; null where it does not start, and Python reads them itself. @returns {Promise<Worker | null>} */
async function startReader() {
  await firstPaint;
  const worker = new Worker('engine/pyodide/reader.mjs', { type: 'module', name: 'reader' });
  return new Promise((resolve) => {
    worker.onerror = () => resolve(null);
    worker.onmessage = () => resolve(worker);
  });
}

/** @param {MessagePort} port on which Python's worker waits for the snapshot (engine/pyodide/boot.mjs) */
async function passRequest(port) {
  const worker = await reader;
  if (worker) worker.postMessage('found?', [port]);
  else port.postMessage(null);
}

/** Resolves when Python runs; rejects when it cannot. PyScript resolves `whenDefined` as soon as the worker is made. */
async function startPython() {
  await firstPaint;
  const core = await import(CORE);
  const { xworker } = await core.whenDefined('py');
  if (!xworker) throw new Error('PyScript made no worker');
  worker = /** @type {PyWorker} */ (xworker);
  worker.onmessage = receive;
  worker.onerror = (event) => breakDown(event.error ?? event.message);
  worker.addEventListener('error', (event) => breakDown(event.message));
  worker.addEventListener('messageerror', () => failed('a message could not be read', 'message'));
  handOverPort();
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

notify({ type: 'engine?', id });
const firstPaint = untilPainted();
const reader = startReader();
const running = startPython();
// An exception in engine/engine.py is only printed by PyScript: the screen is told to expect an answer soon.
running.then(() => notify({ type: 'engine', state: 'running' }), failed);

const offline = new Offline(notify, running, firstPaint);
