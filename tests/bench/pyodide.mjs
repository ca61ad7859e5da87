// Runs measure.py in Pyodide under Node and prints its JSON.
//
//     node tests/bench/pyodide.mjs PYODIDE_FOLDER SITE_PACKAGES SIZE...
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [folder, packages, ...sizes] = process.argv.slice(2);
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const { loadPyodide } = await import(pathToFileURL(resolve(folder, 'pyodide.mjs')).href);
const pyodide = await loadPyodide();
for (const [mount, place] of [
  ['/py', `${root}/py`],
  ['/bench', `${root}/tests/bench`],
  ['/site', packages],
]) {
  pyodide.FS.mkdirTree(mount);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: place }, mount);
}
console.log(
  pyodide.runPython(`
import json, sys
sys.dont_write_bytecode = True
sys.path[:0] = ["/py", "/bench"]
sys.path.append("/site")
import measure
json.dumps(measure.measure([${sizes.map(Number).join(', ')}]))
`),
);
