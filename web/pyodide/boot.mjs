// The interpreter that PyScript loads: Pyodide, started the fastest way that works here.
//
//   snapshot  the memory of a Python that has imported the app already (0.4 s)
//   compiled  the compiled standard library and app (0.8 s)
//   plain     Pyodide as it is published, the app from its wheels (2 s)
//
// Any error in one way leads to the next; `midstreamBoot` on the worker's global scope says which one
// was taken and `midstreamBootErrors` why the others were not. In all of them `midstream` and
// `mistletoe` can be imported at any time, and micropip can be loaded from ../wheels/.

import '../spare.js'; // before PyScript opens its storage, which it does when this module is there

/** @typedef {{url: string, hash: string, size: number}} Asset */
/**
 * Filled by build.py. `lock` lists the wheels for Pyodide.
 * @type {{snapshot: Asset, stdlib: Asset, app: Asset, lock: {info: {python: string}}}}
 */
const BUILD = /*build*/JSON.parse('{}')/*build*/;

const APP_ZIP = '/lib/midstream.zip'; // as in tooling/runtime.mjs: the snapshot remembers this path
const MAGIC = 0x5053534d;
const base = new URL('.', import.meta.url).href;

// Both are asked for before Pyodide itself, so that they arrive while it compiles.
const snapshot = handled(bytes(BUILD.snapshot).then(expand));
const app = handled(bytes(BUILD.app));

/** @type {{loadPyodide: (options: object) => Promise<any>, version: string}} */
const real = await import(`${base}pyodide.mjs`);
export const version = real.version;

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
 * The file, checked by the browser itself against its hash.
 * @param {Asset} asset
 */
async function bytes({url, hash}) {
  const response = await fetch(base + url, {integrity: hash});
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * The whole memory from the pages that are not empty; the format is in tooling/runtime.mjs.
 * @param {Uint8Array} file
 */
function expand(file) {
  const [magic, size, length, count] = new Uint32Array(file.buffer, 0, 4);
  if (magic !== MAGIC) throw new Error('not a snapshot');
  const numbers = new Uint32Array(file.buffer, 16, count);
  const memory = new Uint8Array(length);
  let from = 16 + 4 * count;
  for (const number of numbers) {
    memory.set(file.subarray(from, from + size), number * size);
    from += size;
  }
  return memory;
}

/**
 * Pyodide with the compiled standard library and the app's zip in its file system (which is not in
 * the snapshot, so late imports need both in either way).
 * @param {object} options
 */
async function accelerated(options) {
  /** @type {unknown} */
  let failure;
  const python = await real.loadPyodide({
    ...options,
    stdLibURL: base + BUILD.stdlib.url,
    fsInit: async (/** @type {any} */ FS) => {
      // Thrown here it would be lost: Pyodide goes on without the file.
      try { FS.writeFile(APP_ZIP, await app); } catch (error) { failure = error; }
    },
  });
  if (failure) throw failure;
  checkStdlib(python.FS);
  return python;
}

/**
 * Pyodide fetches the library itself, unchecked, and goes on without it; a restored Python would then
 * fail at its first late import.
 * @param {any} FS
 */
function checkStdlib(FS) {
  const [major, minor] = BUILD.lock.info.python.split('.');
  const {size} = FS.stat(`/lib/python${major}${minor}.zip`);
  if (size !== BUILD.stdlib.size) throw new Error(`${BUILD.stdlib.url}: ${size} bytes`);
}

/** @type {Record<string, (options: object) => Promise<any>>} */
const WAYS = {
  async snapshot(options) {
    const python = await accelerated({...options, _loadSnapshot: snapshot});
    // Chance is frozen too: every page would draw the same numbers.
    python.runPython('import random; random.seed(); del random');
    return python;
  },
  compiled: options => accelerated({...options, env: {PYTHONPATH: APP_ZIP}}),
  plain: options => real.loadPyodide({...options, packages: ['mistletoe', 'midstream']}),
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
  const all = {...options, lockFileContents: BUILD.lock, packageBaseUrl: new URL('../wheels/', base).href};
  for (const [way, load] of Object.entries(WAYS)) {
    try {
      const python = await load(all);
      scope.midstreamBoot = way;
      return python;
    } catch (error) {
      errors.push(`${way}: ${reason(error)}`);
      console.warn(`Python did not start the fast way (${way}): ${reason(error)}`);
    }
  }
  throw new Error(`Python cannot start: ${errors.join('; ')}`);
}
