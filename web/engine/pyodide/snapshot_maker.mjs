// A worker that engine/engine.js starts at an idle time after a start without a snapshot: starts a Python of its own, imports the
// app, and keeps its memory for the next start. Where that has failed before it fetches the memory that the build has taken.

import {compiled, compiledOnce, heap, use} from './compiled_code.mjs';
import {failed, fetched, keep, wanted} from './snapshot_store.mjs';
import {sparse, whole} from './memory.mjs';
import {APP_ZIP, BUILD, accelerated, base, bytes} from './parts.mjs';

/** Python source run before the memory is taken, as in tooling/assets/runtime.mjs. */
const IMPORT = `
import gc, importlib
for name in imports:
    importlib.import_module(name)
del name, imports
gc.collect()
`;
/** Milliseconds for what the browser still compiles beside, and then stores. */
const REST = 2000;

/** @param {import('./snapshot_store.mjs').Bytes} app @param {object} more options */
async function python(app, more) {
  const {loadPyodide} = await import(`${base}pyodide.mjs`);
  const {options, check} = accelerated(Promise.resolve(app));
  const started = await loadPyodide({...options, indexURL: base, ...more});
  check(started.FS);
  return started;
}

/** @param {import('./snapshot_store.mjs').Bytes} app */
async function made(app) {
  use(await compiledOnce());
  const maker = await python(app, {env: {PYTHONPATH: APP_ZIP}, _makeSnapshot: true});
  const globals = maker.toPy({imports: BUILD.imports});
  maker.runPython(IMPORT, {globals});
  globals.destroy();
  return sparse(maker.makeMemorySnapshot());
}

/**
 * Starts a Python from the memory as the next page will, and has it do what that one does: the memory is known to load then, and
 * Chromium has seen which of Python's functions want to be fast. It keeps their machine code with a compilation that had options of
 * its own (`APART`), when there is a megabyte of it.
 * @param {import('./snapshot_store.mjs').Bytes} memory @param {import('./snapshot_store.mjs').Bytes} app
 */
async function rehearsed(memory, app) {
  use(await compiled());
  const next = await python(app, {_loadSnapshot: whole(memory, heap)});
  next.pyimport('midstream.engine.browser.warmup').rehearse();
  await new Promise(done => setTimeout(done, REST));
}

/** @param {import('./snapshot_store.mjs').Kind} kind */
async function provided(kind) {
  // What the network does not give has not failed.
  const [stdlib, app, build] = await Promise.all([bytes(BUILD.stdlib), bytes(BUILD.app), kind === 'snapshot' ? fetched() : null]);
  try {
    const memory = build ?? await made(app);
    await rehearsed(memory, app);
    return {memory, stdlib, app};
  } catch (error) {
    await failed();
    throw error;
  }
}

async function main() {
  const kind = await wanted();
  if (kind) await keep(kind, await provided(kind));
  return kind;
}

main().then(kind => postMessage({kind}), error => postMessage({error: String(error?.message || error)})).finally(() => close());
