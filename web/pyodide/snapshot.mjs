// A worker that engine.js starts at an idle time after a start without a snapshot: starts a Python of its own, imports the
// app, and keeps its memory for the next start. Where that has failed before it fetches the memory that the build has taken.

import {failed, fetched, keep, wanted} from './kept.mjs';
import {sparse} from './memory.mjs';
import {APART, APP_ZIP, BUILD, accelerated, base, bytes} from './parts.mjs';

/** Python source run before the memory is taken, as in tooling/runtime.mjs. */
const IMPORT = `
import gc, importlib
for name in imports:
    importlib.import_module(name)
del name, imports
gc.collect()
`;

const streaming = WebAssembly.instantiateStreaming;
if (streaming) WebAssembly.instantiateStreaming = (source, imports) => streaming(source, imports, APART);

async function made() {
  const {loadPyodide} = await import(`${base}pyodide.mjs`);
  const {options, check} = accelerated(bytes(BUILD.app));
  const python = await loadPyodide({...options, indexURL: base, env: {PYTHONPATH: APP_ZIP}, _makeSnapshot: true});
  check(python.FS);
  const globals = python.toPy({imports: BUILD.imports});
  python.runPython(IMPORT, {globals});
  globals.destroy();
  return sparse(python.makeMemorySnapshot());
}

async function own() {
  try {
    return await made();
  } catch (error) {
    await failed();
    throw error;
  }
}

async function main() {
  const kind = await wanted();
  if (kind) await keep(kind, await (kind === 'own' ? own() : fetched()));
  return kind;
}

main().then(kind => postMessage({kind}), error => postMessage({error: String(error?.message || error)})).finally(() => close());
