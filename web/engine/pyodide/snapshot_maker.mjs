// A worker that snapshot_scheduler.js starts at an idle time after a start without a snapshot. It starts a Python of its own,
// imports the app, and stores the memory for the next start. Where that has failed before it fetches the build's memory.

import { compile, compileOnce, heap, useModule } from './compiled_code.mjs';
import { recordFailure, fetchBuilt, storeSnapshot, neededKind } from './snapshot_store.mjs';
import { APP_ZIP, IMPORT, packMemory, unpackMemory } from './memory.mjs';
import { BUILD, fastOptions, base, fetchPart } from './parts.mjs';

/** Milliseconds in which the browser ends its compilations and stores them. */
const REST = 2000;

/** @param {import('./snapshot_store.mjs').Bytes} app @param {object} more options */
async function startPython(app, more) {
  const { loadPyodide } = await import(`${base}pyodide.mjs`);
  const { options, check } = fastOptions(Promise.resolve(app));
  const started = await loadPyodide({ ...options, indexURL: base, ...more });
  check(started.FS);
  return started;
}

/** @param {import('./snapshot_store.mjs').Bytes} app */
async function make(app) {
  useModule(await compileOnce());
  const maker = await startPython(app, { env: { PYTHONPATH: APP_ZIP }, _makeSnapshot: true });
  const globals = maker.toPy({ imports: BUILD.imports });
  maker.runPython(IMPORT, { globals });
  globals.destroy();
  return packMemory(maker.makeMemorySnapshot());
}

/**
 * Starts a Python from the memory as the next page will, and has it do the same work: then it is known that the memory loads, and
 * Chromium has seen which of Python's functions want to be fast. It keeps their machine code with a compilation that had options of
 * its own (`APART`), when there is a megabyte of it.
 * @param {import('./snapshot_store.mjs').Bytes} memory @param {import('./snapshot_store.mjs').Bytes} app
 */
async function rehearse(memory, app) {
  useModule(await compile());
  const next = await startPython(app, { _loadSnapshot: unpackMemory(memory, heap) });
  next.pyimport('midstream.engine.browser.warmup').rehearse();
  await new Promise((done) => setTimeout(done, REST));
}

/** @param {import('./snapshot_store.mjs').Kind} kind */
async function provide(kind) {
  // An error of the network is no failure of the snapshot.
  const [stdlib, app, build] = await Promise.all([
    fetchPart(BUILD.stdlib),
    fetchPart(BUILD.app),
    kind === 'snapshot' ? fetchBuilt() : null,
  ]);
  try {
    const memory = build ?? (await make(app));
    await rehearse(memory, app);
    return { memory, stdlib, app };
  } catch (error) {
    await recordFailure();
    throw error;
  }
}

async function main() {
  const kind = await neededKind();
  if (kind) await storeSnapshot(kind, await provide(kind));
  return kind;
}

main()
  .then(
    (kind) => postMessage({ kind }),
    (error) => postMessage({ error: String(error?.message || error) }),
  )
  .finally(() => close());
