// Mermaid in as many files as its kinds of diagrams need, by esbuild: `node mermaid.mjs <project> <folder>`.

import { build } from 'esbuild';

const [root, folder] = process.argv.slice(2);

/** Half of it: a layout that is not asked for, and formulas, which stay as their source in a drawing (web/late/diagram.js). */
const LEFT_OUT = /^(?:elkjs\/lib\/elk\.bundled\.js|katex)$/;

await build({
  absWorkingDir: root,
  entryPoints: [{ in: 'mermaid', out: 'mermaid' }],
  outdir: folder,
  bundle: true,
  splitting: true,
  chunkNames: '[hash]',
  format: 'esm',
  target: 'esnext',
  charset: 'utf8',
  legalComments: 'eof', // whose work it is stays said
  minify: true,
  plugins: [
    {
      name: 'left out',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: LEFT_OUT }, ({ path }) => ({ path, namespace: 'left-out' }));
        onLoad({ filter: /./, namespace: 'left-out' }, () => ({ contents: 'export default null;' }));
      },
    },
  ],
  logLevel: 'error',
});
