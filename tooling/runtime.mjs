// Makes what lets Python start fast in the page; run by tooling/runtime.py with the project's own Node:
//
//   node runtime.mjs stdlib   {"pyodide": folder, "out": zip}
//   node runtime.mjs snapshot {"pyodide": folder, "stdlib": zip, "wheels": [...], "skip": [...],
//                              "imports": [...], "zip": zip, "out": file}
//
// stdlib: the standard library compiled, by the very Python that will run it.
// snapshot: the app's wheels compiled into one zip, then the memory of a Python that has imported them.
// Same inputs give the same bytes: chance, clock and hash seed are pinned, and the machine's names kept out.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

/** Python source run inside Pyodide; `sources`, `target`, `prefix` and `skip` are set before. */
const COMPILE = `
import importlib._bootstrap_external as loader
import zipfile

def compiled(name, source):
    # The check is off: the zip itself is checked by the browser, and no source lies beside it.
    code = compile(source, prefix + name, "exec", dont_inherit=True, optimize=0)
    return loader._code_to_hash_pyc(code, bytes(8), checked=False)

def members(source):
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(("/", "/RECORD")) and not name.startswith(tuple(skip)):
                yield name, archive.read(name)

with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
    for source in sources:
        for name, data in members(source):
            if name.endswith(".py"):
                name, data = name + "c", compiled(name, data)
            archive.writestr(zipfile.ZipInfo(name), data)
`;

/** Python source run before the memory is taken; `imports` is set before. */
const IMPORT = `
import gc, importlib
for name in imports:
    importlib.import_module(name)
del name, imports
gc.collect()
`;

const PAGE = 4096;
const MAGIC = 0x5053534d; // "MSSP"
const HASH_SEED = '0';
const WHEN = Date.UTC(2026, 0, 1);
export const APP_ZIP = '/lib/midstream.zip'; // boot.mjs puts the file there again

/** Chance and clock give the same values in every run, or no two builds would be alike. */
function pinTheWorld() {
  let state = 1;
  const fill = (/** @type {ArrayBufferView} */ view) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (state = (state * 48271) % 0x7fffffff) & 255;
    return view;
  };
  Object.defineProperty(crypto, 'randomFillSync', {value: fill}); // where Emscripten gets chance in Node
  const RealDate = Date;
  globalThis.Date = /** @type {DateConstructor} */ (class extends RealDate {
    constructor(/** @type {any[]} */ ...args) {
      if (args.length) super(.../** @type {[any]} */ (args));
      else super(WHEN);
    }
    static now() { return WHEN; }
  });
  let tick = 0;
  performance.now = () => ++tick / 1000;
}

/**
 * A Python in this Node.
 * @param {string} pyodide folder of the npm package
 * @param {Record<string, any>} options
 */
async function python(pyodide, options = {}) {
  const url = pathToFileURL(path.join(pyodide, 'pyodide.mjs')).href;
  const {loadPyodide} = await import(url);
  const info = JSON.parse(fs.readFileSync(path.join(pyodide, 'pyodide-lock.json'), 'utf8')).info;
  return loadPyodide({
    indexURL: pyodide,
    _sysExecutable: 'python3',
    lockFileContents: {info, packages: {}},
    packageBaseUrl: '.',
    env: {PYTHONHASHSEED: HASH_SEED, HOME: '/home/pyodide', ...options.env},
    ...options.load,
  });
}

/**
 * Compiles zips or wheels into one stored zip.
 * @param {any} py @param {string[]} files @param {string} prefix shown in tracebacks @param {string[]} skip
 * @returns {Uint8Array}
 */
function compile(py, files, prefix, skip) {
  const sources = files.map((file, i) => {
    py.FS.writeFile(`/tmp/source${i}`, fs.readFileSync(file));
    return `/tmp/source${i}`;
  });
  const values = {sources, target: '/tmp/target.zip', prefix, skip};
  const globals = py.toPy(values);
  py.runPython(COMPILE, {globals});
  return py.FS.readFile('/tmp/target.zip');
}

/**
 * Only the pages that are not all zero, with their numbers: a third of the size.
 * Little-endian u32: magic, page size, length of the whole, count n; n page numbers; the pages.
 * @param {Uint8Array} memory
 */
function sparse(memory) {
  const pages = [];
  for (let at = 0; at < memory.length; at += PAGE) {
    if (memory.subarray(at, at + PAGE).some(byte => byte !== 0)) pages.push(at / PAGE);
  }
  const head = Uint32Array.from([MAGIC, PAGE, memory.length, pages.length, ...pages]);
  const bodies = pages.map(page => memory.subarray(page * PAGE, (page + 1) * PAGE));
  return Buffer.concat([new Uint8Array(head.buffer), ...bodies]);
}

/** @param {{pyodide: string, out: string}} job */
async function makeStdlib({pyodide, out}) {
  const py = await python(pyodide);
  const source = path.join(pyodide, 'python_stdlib.zip');
  fs.writeFileSync(out, compile(py, [source], '/lib/python314.zip/', []));
}

/** @param {{pyodide: string, stdlib: string, wheels: string[], skip: string[], imports: string[], zip: string, out: string}} job */
async function makeSnapshot({pyodide, stdlib, wheels, skip, imports, zip, out}) {
  const maker = await python(pyodide, {load: {stdLibURL: stdlib}});
  const app = compile(maker, wheels, `${APP_ZIP}/`, skip);
  fs.writeFileSync(zip, app);
  // A Python of its own for the memory: what compiling left behind must not be in it.
  const py = await python(pyodide, {
    env: {PYTHONPATH: APP_ZIP},
    load: {
      stdLibURL: stdlib,
      _makeSnapshot: true,
      fsInit: async (/** @type {any} */ FS) => { FS.mkdirTree('/lib'); FS.writeFile(APP_ZIP, app); },
    },
  });
  const globals = py.toPy({imports});
  py.runPython(IMPORT, {globals});
  globals.destroy();
  fs.writeFileSync(out, sparse(py.makeMemorySnapshot()));
}

const [kind, job] = process.argv.slice(2);
pinTheWorld();
try {
  await (kind === 'stdlib' ? makeStdlib : makeSnapshot)(JSON.parse(job));
} catch (error) {
  // Left to Node it would print Pyodide's megabyte of code above the message.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
process.exit(0); // Pyodide leaves handles open in Node
