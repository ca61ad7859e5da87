// The interpreter that PyScript loads: Pyodide, started the fastest way that works here.
//
//   own       the memory of a Python that has imported the app, taken by this browser after an earlier start (0.4 s)
//   snapshot  the same, taken by the build
//   compiled  the compiled standard library and app (0.8 s)
//   plain     Pyodide as it is published, the app from its wheels (2 s)
//
// Any error in one way leads to the next; `midstreamBoot` on the worker's global scope says which one
// was taken and `midstreamBootErrors` why the others were not. In all of them `midstream` and
// `mistletoe` can be imported at any time, and micropip can be loaded from ../wheels/.

import '../storage_fallback.js'; // before PyScript opens its storage, which it does when this module is there
import {begin as ahead, give} from './prefetch.mjs';
import {WASM, heap, use} from './compiled_code.mjs';
import {begin} from './early_requests.mjs';
import {failed} from './snapshot_store.mjs';
import {counted} from './loading.mjs';
import {whole} from './memory.mjs';
import {APP_ZIP, BUILD, accelerated, base, bytes, wheels} from './parts.mjs';
import * as real from './pyodide.mjs';

export const {version} = real;

begin();
const found = handled(asked());
found.then(given => void (given ?? zips()), () => {});

/**
 * What reader.mjs has read of the snapshot, by way of the document; null if there is none of this build.
 * @returns {Promise<import('./reader.mjs').Found | null>}
 */
function asked() {
  const {port1, port2} = new MessageChannel();
  postMessage('found?', {transfer: [port2]});
  return new Promise((resolve, reject) => {
    port1.onmessage = ({data}) => (data instanceof Error ? reject(data) : resolve(data?.id === BUILD.id ? data : null));
  });
}

/** @type {Promise<Uint8Array> | undefined} */
let app;
/** The app's zip, while the library's and Python's code are on their way: fetched where no memory is kept. */
function zips() {
  if (!app) {
    ahead(WASM);
    ahead(BUILD.stdlib.url, {integrity: BUILD.stdlib.hash});
  }
  return app ??= handled(bytes(BUILD.app));
}

/**
 * Pyodide can only raise errors that have a stack. WebKit's fetch and streams reject with errors that have none: Python
 * would wait for ever for a connection that broke.
 * @param {any} owner @param {string} name of a method that gives a promise
 */
function withStacks(owner, name) {
  const method = owner[name];
  owner[name] = function (/** @type {unknown[]} */ ...given) {
    return method.apply(this, given).catch((/** @type {any} */ error) => {
      error.stack ??= String(error);
      throw error;
    });
  };
}

withStacks(globalThis, 'fetch');
withStacks(ReadableStreamDefaultReader.prototype, 'read');

/**
 * A failure is told when the value is asked for, not before.
 * @template T @param {Promise<T>} promise @returns {Promise<T>}
 */
function handled(promise) {
  promise.catch(() => {});
  return promise;
}

/**
 * @param {object} options @param {Promise<Uint8Array>} app
 */
async function fast(options, app) {
  const {options: ours, check} = accelerated(app);
  const python = await real.loadPyodide({...options, ...ours});
  check(python.FS);
  // PyScript writes its Python into the working folder, which comes first, as source; compiled it lies in the app's zip.
  python.runPython(`
import sys
sys.path[:] = ["${APP_ZIP}", *(each for each in sys.path if each != "${APP_ZIP}")]
del sys`);
  const {modules, ...rest} = BUILD.rest;
  python.pyimport('midstream.engine.browser.lazy_stdlib').install(base + rest.url, rest.hash, modules.join(' '));
  return python;
}

/** A way, and what it gives: Python, or null where it is not to be had at all. @type {Record<string, (options: object) => Promise<any>>} */
const WAYS = {
  async snapshot(options) {
    const given = await found;
    if (!given) return null;
    const {memory, stdlib, app} = given.parts;
    use(given.code);
    if (given.code) give(WASM, new Response()); // Pyodide asks all the same
    give(BUILD.stdlib.url, new Response(stdlib));
    const python = await fast({...options, _loadSnapshot: whole(memory, heap)}, Promise.resolve(app));
    // Chance is frozen too: every page would draw the same numbers.
    python.runPython('import random; random.seed(); del random');
    return [given.kind, python];
  },
  compiled: async options => ['compiled', await counted(() => fast({...options, env: {PYTHONPATH: APP_ZIP}}, zips()))],
  plain: async options => ['plain', await real.loadPyodide({...options, ...wheels, packages: ['mistletoe', 'midstream']})],
};

/**
 * Emscripten throws objects of its own, not all of them with a message.
 * @param {any} error
 */
function reason(error) {
  return error?.message || error?.name || String(error);
}

/**
 * What PyScript calls.
 * @param {object} options PyScript's: where Pyodide lies, and its output functions
 */
export async function loadPyodide(options) {
  const scope = /** @type {any} */ (globalThis);
  /** @type {string[]} */
  const errors = scope.midstreamBootErrors = [];
  for (const [way, load] of Object.entries(WAYS)) {
    try {
      const started = await load(options);
      if (!started) continue;
      scope.midstreamBoot = started[0];
      return started[1];
    } catch (error) {
      use(null);
      errors.push(`${way}: ${reason(error)}`);
      console.warn(`Python did not start the fast way (${way}): ${reason(error)}`);
      if (way === 'snapshot') failed().catch(() => {}); // where storage is denied there is none to drop
    }
  }
  throw new Error(`Python cannot start: ${errors.join('; ')}`);
}
