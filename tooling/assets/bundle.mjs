// Puts the modules of each entry into one file, where the entry is: `node bundle.mjs <folder>`. Prints, as JSON, the files that
// are made and those that went into them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const folder = process.argv[2];

/**
 * Those of one page share the modules that both need. What is `rare` stays as it is.
 * @type {Array<{entries: string[], chunks?: string, rare?: boolean}>}
 */
const SCRIPTS = [
  { entries: ['screen/preload.js', 'screen/main.js'], chunks: 'screen/shared-[hash]' },
  { entries: ['engine/engine.js'] },
  { entries: ['pyscript/core.js'] },
  { entries: ['engine/pyodide/boot.js'] },
  { entries: ['engine/pyodide/reader.js'] },
  { entries: ['engine/pyodide/snapshot_maker.js', 'engine/pyodide/pyodide.js'], rare: true },
  { entries: ['sw.js'] },
];

/** What is imported while a page runs, and is not there: parts of PyScript that we never ask for. @type {import('esbuild').Plugin} */
const MISSING = {
  name: 'missing',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^/ }, ({ kind, path, resolveDir }) =>
      kind === 'dynamic-import' && !existsSync(join(resolveDir, path)) ? { path, external: true } : undefined,
    ),
};

/** The imports of each file that is made; the modules in them; those that others still import. */
const found = {
  made: /** @type {Record<string, string[]>} */ ({}),
  used: /** @type {string[]} */ ([]),
  left: /** @type {string[]} */ ([]),
};
for (const { entries, chunks, rare } of SCRIPTS) {
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: entries,
    outdir: folder,
    outbase: folder,
    allowOverwrite: true,
    bundle: true,
    external: ['node:*', 'ws'], // Pyodide names them where it runs in Node
    plugins: [MISSING],
    write: !rare,
    splitting: chunks !== undefined,
    chunkNames: chunks,
    format: 'esm',
    target: 'esnext', // the sources are written for the browsers as they are
    charset: 'utf8',
    legalComments: 'none',
    minifyWhitespace: true, // and names stay readable: packed for the wire, shorter ones gain little
    metafile: true,
    logLevel: 'error',
  });
  (rare ? found.left : found.used).push(...Object.keys(metafile.inputs));
  for (const [name, { imports }] of rare ? [] : Object.entries(metafile.outputs)) {
    found.made[name] = imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path);
  }
}
console.log(JSON.stringify(found));
