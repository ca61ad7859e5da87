// The interpreter that PyScript loads: Pyodide, started the fastest way that works here.
//
//   own       the memory of a Python that has imported the app, taken by this browser after an earlier start (0.4 s)
//   snapshot  the same, taken by the build
//   compiled  the compiled standard library and app (0.8 s)
//   plain     Pyodide as it is published, the app from its wheels (2 s)
//
// Any error in one way leads to the next; `midstreamBoot` on the worker's global scope says which one
// was taken and `midstreamBootErrors` why the others were not. In all of them `midstream` and
// `mistletoe` can be imported at any time, and micropip can be loaded from wheels/.

import '../storage_fallback.js'; // before PyScript opens its storage, which it does when this module is there
import { answerWith, prefetch } from './prefetch.mjs';
import { WASM, heap, useModule } from './compiled_code.mjs';
import { sendEarlyRequests } from './early_requests.mjs';
import { recordFailure } from './snapshot_store.mjs';
import { countBytes } from './loading.mjs';
import { APP_ZIP, unpackMemory } from './memory.mjs';
import { BUILD, fastOptions, base, fetchPart, wheels } from './parts.mjs';
import { offerTimeLimit } from './time_limit.mjs';
import * as real from './pyodide.mjs';

export const { version } = real;

sendEarlyRequests();
const snapshot = quiet(askReader());
snapshot.then(
  (read) => void (read ?? fetchZips()),
  () => {},
);

/**
 * Asks reader.mjs for the snapshot, by way of the document; gives null if there is none of this build.
 * @returns {Promise<import('./reader.mjs').Snapshot | null>}
 */
function askReader() {
  const { port1, port2 } = new MessageChannel();
  postMessage('found?', { transfer: [port2] });
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data }) =>
      data instanceof Error ? reject(data) : resolve(data?.id === BUILD.id ? data : null);
  });
}

/** @type {Promise<Uint8Array> | undefined} */
let app;
/** The app's zip; the library and Python's code are requested beside it. For a start without a snapshot. */
function fetchZips() {
  if (!app) {
    prefetch(WASM);
    prefetch(BUILD.stdlib.url, { integrity: BUILD.stdlib.hash });
  }
  return (app ??= quiet(fetchPart(BUILD.app)));
}

/**
 * Pyodide can only raise errors that have a stack. WebKit's fetch and streams reject with errors that have none: Python
 * would wait for ever for a connection that broke.
 * @param {any} owner @param {string} name of a method that gives a promise
 */
function withStacks(owner, name) {
  const method = owner[name];
  owner[name] = function (/** @type {unknown[]} */ ...args) {
    return method.apply(this, args).catch((/** @type {any} */ error) => {
      error.stack ??= String(error);
      throw error;
    });
  };
}

withStacks(globalThis, 'fetch');
withStacks(ReadableStreamDefaultReader.prototype, 'read');

/**
 * Leaves an error to whoever awaits the promise: it is no unhandled rejection before that.
 * @template T @param {Promise<T>} promise @returns {Promise<T>}
 */
function quiet(promise) {
  promise.catch(() => {});
  return promise;
}

/**
 * @param {object} options @param {Promise<Uint8Array>} app
 */
async function startFast(options, app) {
  const { options: ours, check } = fastOptions(app);
  const python = await real.loadPyodide({ ...options, ...ours });
  check(python.FS);
  // PyScript writes its Python into the working folder, which comes first, as source; compiled it lies in the app's zip.
  python.runPython(`
import sys
sys.path[:] = ["${APP_ZIP}", *(each for each in sys.path if each != "${APP_ZIP}")]
del sys`);
  const { modules, ...rest } = BUILD.rest;
  python.pyimport('midstream.engine.browser.lazy_stdlib').install(base + rest.url, rest.hash, modules.join(' '));
  return python;
}

/** Each gives its name and Python, or null where there is nothing to start from. @type {Record<string, (options: object) => Promise<any>>} */
const WAYS = {
  async snapshot(options) {
    const read = await snapshot;
    if (!read) return null;
    const { memory, stdlib, app } = read.parts;
    useModule(read.code);
    if (read.code) answerWith(WASM, new Response()); // Pyodide asks all the same
    answerWith(BUILD.stdlib.url, new Response(stdlib));
    const python = await startFast({ ...options, _loadSnapshot: unpackMemory(memory, heap) }, Promise.resolve(app));
    // Chance is frozen too: every page would draw the same numbers.
    python.runPython('import random; random.seed(); del random');
    return [read.kind, python];
  },
  compiled: async (options) => [
    'compiled',
    await countBytes(() => startFast({ ...options, env: { PYTHONPATH: APP_ZIP } }, fetchZips())),
  ],
  plain: async (options) => [
    'plain',
    await real.loadPyodide({ ...options, ...wheels, packages: ['mistletoe', 'midstream'] }),
  ],
};

/**
 * Emscripten throws objects of its own, not all of them with a message.
 * @param {any} error
 */
function reason(error) {
  return error?.message || error?.name || String(error);
}

/**
 * PyScript calls this.
 * @param {object} options PyScript's: where Pyodide lies, and its output functions
 */
export async function loadPyodide(options) {
  const scope = /** @type {any} */ (globalThis);
  /** @type {string[]} */
  const errors = (scope.midstreamBootErrors = []);
  for (const [way, load] of Object.entries(WAYS)) {
    try {
      const started = await load(options);
      if (!started) continue;
      scope.midstreamBoot = started[0];
      offerTimeLimit(started[1]);
      return started[1];
    } catch (error) {
      useModule(null);
      errors.push(`${way}: ${reason(error)}`);
      console.warn(`Python did not start the fast way (${way}): ${reason(error)}`);
      if (way === 'snapshot') recordFailure().catch(() => {}); // where storage is denied there is none to drop
    }
  }
  throw new Error(`Python cannot start: ${errors.join('; ')}`);
}
