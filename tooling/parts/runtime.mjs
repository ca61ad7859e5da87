// Makes the files that let Python start fast in the page; run by tooling/parts/runtime.py with the project's own Node:
//
//   node runtime.mjs stdlib   {"pyodide": folder, "out": zip}
//   node runtime.mjs wheels   {"pyodide": folder, "stdlib": zip, "wheels": [...], "skip": [...], "prefix": path, "out": zip}
//   node runtime.mjs parts    {"pyodide": folder, "stdlib": zip, "core": PyScript's file, "wheels": [...], "skip": [...],
//                              "probed": [...], "needs": [...], "imports": [...], "out": folder}
//
// stdlib: the standard library compiled, by the very Python that will run it.
// wheels: packages that the page fetches when it needs them, compiled likewise, without the files in `skip`.
// parts, into the folder `out`:
//   app.zip       the app's wheels and PyScript's Python compiled
//   stdlib.zip    of the standard library what the modules in `needs` import, found out by importing them
//   rest.zip      all the rest of it, and rest.json: the names of its modules
//   snapshot.bin  the memory of a Python that has imported `imports`
// Same inputs give the same bytes: chance, clock and hash seed are pinned, and the machine's names kept out.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { pathToFileURL } from 'node:url';

import { APP_ZIP, IMPORT, packMemory } from '../../web/engine/pyodide/memory.mjs';

/** Python source run inside Pyodide; `sources`, `texts`, `target`, `prefix` and `skip` are set before. */
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
    found = [member for source in sources for member in members(source)]
    for name, data in [*found, *((name, text.encode()) for name, text in sorted(texts.items()))]:
        if name.endswith(".py"):
            name, data = name + "c", compiled(name, data)
        archive.writestr(zipfile.ZipInfo(name), data)
`;

/** Python source that divides the standard library; `needs`, `probed`, `library`, `first`, `rest` and `names` are set before. */
const DIVIDE = `
import importlib, json, sys, zipfile

sys.path += probed
for name in needs:
    importlib.import_module(name)
home = library + "/"
origins = (getattr(getattr(module, "__spec__", None), "origin", None) for module in list(sys.modules.values()))
used = {origin.removeprefix(home) for origin in origins if origin and origin.startswith(home)}
late = []
with (
    zipfile.ZipFile(library) as whole,
    zipfile.ZipFile(first, "w", zipfile.ZIP_STORED) as zip_first,
    zipfile.ZipFile(rest, "w", zipfile.ZIP_STORED) as zip_rest,
):
    for info in whole.infolist():
        into = zip_first if info.filename in used else zip_rest
        into.writestr(zipfile.ZipInfo(info.filename), whole.read(info))
        if into is zip_rest and info.filename.endswith(".pyc"):
            late.append(info.filename.removesuffix(".pyc").removesuffix("/__init__").replace("/", "."))
with open(names, "w") as file:
    json.dump(sorted(late), file)
`;

const HASH_SEED = '0';
const LIBRARY = '/lib/python314.zip'; // where Pyodide puts it
const WHEN = Date.UTC(2026, 0, 1);

/** Chance and clock give the same values in every run, or no two builds would be alike. */
function pinTheWorld() {
  let state = 1;
  const fill = (/** @type {ArrayBufferView} */ view) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (state = (state * 48271) % 0x7fffffff) & 255;
    return view;
  };
  Object.defineProperty(crypto, 'randomFillSync', { value: fill }); // where Emscripten gets chance in Node
  const RealDate = Date;
  globalThis.Date = /** @type {DateConstructor} */ (
    class extends RealDate {
      constructor(/** @type {any[]} */ ...args) {
        if (args.length) super(.../** @type {[any]} */ (args));
        else super(WHEN);
      }
      static now() {
        return WHEN;
      }
    }
  );
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
  const { loadPyodide } = await import(url);
  const info = JSON.parse(fs.readFileSync(path.join(pyodide, 'pyodide-lock.json'), 'utf8')).info;
  return loadPyodide({
    indexURL: pyodide,
    _sysExecutable: 'python3',
    lockFileContents: { info, packages: {} },
    packageBaseUrl: '.',
    env: { PYTHONHASHSEED: HASH_SEED, HOME: '/home/pyodide', ...options.env },
    ...options.load,
  });
}

/**
 * Compiles zips or wheels into one stored zip.
 * @param {any} py @param {string[]} files @param {string} prefix shown in tracebacks @param {string[]} skip
 * @param {Record<string, string>} texts more files
 * @returns {Uint8Array}
 */
function compile(py, files, prefix, skip = [], texts = {}) {
  const sources = files.map((file, i) => {
    py.FS.writeFile(`/tmp/source${i}`, fs.readFileSync(file));
    return `/tmp/source${i}`;
  });
  const values = { sources, texts, target: '/tmp/target.zip', prefix, skip };
  const globals = py.toPy(values);
  py.runPython(COMPILE, { globals });
  return py.FS.readFile('/tmp/target.zip');
}

/** @param {{pyodide: string, out: string}} job */
async function makeStdlib({ pyodide, out }) {
  const py = await python(pyodide);
  const source = path.join(pyodide, 'python_stdlib.zip');
  fs.writeFileSync(out, compile(py, [source], `${LIBRARY}/`));
}

/** @param {{pyodide: string, stdlib: string, wheels: string[], skip: string[], prefix: string, out: string}} job */
async function makeWheels({ pyodide, stdlib, wheels, skip, prefix, out }) {
  const py = await python(pyodide, { load: { stdLibURL: stdlib } });
  fs.writeFileSync(out, compile(py, wheels, `${prefix}/`, skip));
}

/**
 * PyScript brings its Python as text within its JavaScript, and Python would compile it at every start.
 * @param {string} file PyScript's core
 * @returns {Record<string, string>} the files by their paths
 */
function pyscriptSources(file) {
  const code = fs.readFileSync(file, 'utf8');
  const at = code.indexOf('{pyscript:{"__init__.py"');
  const end = at < 0 ? -1 : endOfObject(code, at);
  if (end < 0) throw new Error(`${path.basename(file)} does not hold PyScript's Python where it is looked for`);
  /** @type {Record<string, string>} */
  const found = {};
  const take = (/** @type {string} */ folder, /** @type {object} */ entries) => {
    for (const [name, entry] of Object.entries(entries)) {
      if (typeof entry === 'string') found[folder + name] = entry;
      else take(`${folder}${name}/`, entry);
    }
  };
  take('', vm.runInNewContext(`(${code.slice(at, end)})`));
  return found;
}

/** @param {string} code @param {number} at of an opening brace @returns {number} after its closing one, or -1 */
function endOfObject(code, at) {
  const tokens = /(["'`])(?:\\[\s\S]|(?!\1)[^\\])*\1|[{}]/g;
  tokens.lastIndex = at;
  for (let depth = 0, token; (token = tokens.exec(code)); ) {
    if (token[0] === '{') depth += 1;
    if (token[0] === '}' && --depth === 0) return tokens.lastIndex;
  }
  return -1;
}

/**
 * @typedef {{pyodide: string, stdlib: string, core: string, wheels: string[], skip: string[], probed: string[],
 *   needs: string[], imports: string[], out: string}} Parts
 */

/**
 * Divides the standard library, by what a Python with the whole of it has imported.
 * @param {Parts} job @param {Uint8Array} app
 */
async function divide({ pyodide, stdlib, probed, needs, out }, app) {
  const py = await python(pyodide, withApp(stdlib, app));
  const paths = probed.map((wheel) => {
    const inside = `/tmp/${path.basename(wheel)}`;
    py.FS.writeFile(inside, fs.readFileSync(wheel));
    return inside;
  });
  const made = { first: 'stdlib.zip', rest: 'rest.zip', names: 'rest.json' };
  const targets = Object.fromEntries(Object.entries(made).map(([key, name]) => [key, `/tmp/${name}`]));
  py.runPython(DIVIDE, { globals: py.toPy({ needs, probed: paths, library: LIBRARY, ...targets }) });
  for (const name of Object.values(made)) fs.writeFileSync(path.join(out, name), py.FS.readFile(`/tmp/${name}`));
}

/** @param {string} stdlib @param {Uint8Array} app @param {object} more */
function withApp(stdlib, app, more = {}) {
  const fsInit = async (/** @type {any} */ FS) => {
    FS.mkdirTree('/lib');
    FS.writeFile(APP_ZIP, app);
  };
  return { env: { PYTHONPATH: APP_ZIP }, load: { stdLibURL: stdlib, fsInit, ...more } };
}

/** @param {Parts} job */
async function makeParts(job) {
  const { pyodide, stdlib, core, wheels, skip, imports, out } = job;
  const maker = await python(pyodide, { load: { stdLibURL: stdlib } });
  const app = compile(maker, wheels, `${APP_ZIP}/`, skip, pyscriptSources(core));
  fs.writeFileSync(path.join(out, 'app.zip'), app);
  await divide(job, app);
  // A Python of its own for the memory: what the others left behind must not be in it.
  const py = await python(pyodide, withApp(path.join(out, 'stdlib.zip'), app, { _makeSnapshot: true }));
  const globals = py.toPy({ imports });
  py.runPython(IMPORT, { globals });
  globals.destroy();
  fs.writeFileSync(path.join(out, 'snapshot.bin'), packMemory(py.makeMemorySnapshot()));
}

/** @type {Record<string, (job: any) => Promise<void>>} */
const MAKERS = { stdlib: makeStdlib, wheels: makeWheels, parts: makeParts };
const [kind, job] = process.argv.slice(2);
pinTheWorld();
try {
  await MAKERS[kind](JSON.parse(job));
} catch (error) {
  // Left to Node it would print Pyodide's megabyte of code above the message.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
process.exit(0); // Pyodide leaves handles open in Node
