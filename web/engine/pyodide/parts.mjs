// The files from which Python starts: the build has made them, and each is checked against its hash.

import { APP_ZIP } from './memory.mjs';

/** @typedef {{url: string, hash: string, size: number}} Asset */
/**
 * Filled by the build. `id` stands for everything that a snapshot depends on, `imports` are the modules in it; `lock` lists
 * the wheels for Pyodide, `size` is what a first start fetches, `rest` is what is not in `stdlib` of the standard library.
 * @type {{id: string, size: number, imports: string[], snapshot: Asset, stdlib: Asset, app: Asset, rest: Asset & {modules: string[]},
 *   lock: {info: {python: string}}}}
 */
export const BUILD = /*build*/ JSON.parse('{}') /*build*/;

export const base = new URL('.', import.meta.url).href;

/**
 * How Python's code is compiled where a snapshot is made, and where it is started from one; nowhere else. Chromium keeps machine
 * code for later visits only when a fresh compilation has given much of it. The start from a snapshot gives too little, and a Python
 * that is made while the page's own runs gets that one's compilation, unless its options differ. This one changes nothing
 * else: Pyodide imports none of these built-ins.
 */
export const APART = { builtins: ['js-string'] };

/**
 * The file, checked by the browser itself against its hash.
 * @param {Asset} asset
 */
export async function fetchPart({ url, hash }) {
  const response = await fetch(base + url, { integrity: hash });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Where Pyodide gets packages from; without these options it would ask a server of its makers. */
export const wheels = { lockFileContents: BUILD.lock, packageBaseUrl: new URL('../../wheels/', base).href };

/**
 * Options for a Pyodide with the compiled library and the app's zip in its file system (which is not in a snapshot, so late
 * imports need both in either way), and the look whether all of it has come.
 * @param {Promise<Uint8Array>} app
 */
export function fastOptions(app) {
  /** @type {unknown} */
  let failure;
  return {
    options: {
      stdLibURL: base + BUILD.stdlib.url,
      ...wheels,
      fsInit: async (/** @type {any} */ FS) => {
        // Thrown here it would be lost: Pyodide goes on without the file.
        try {
          FS.writeFile(APP_ZIP, await app);
        } catch (error) {
          failure = error;
        }
      },
    },
    /** @param {any} FS */
    check(FS) {
      if (failure) throw failure;
      // Pyodide fetches the library itself, and goes on without it; a restored Python would then fail at its first late
      // import.
      const [major, minor] = BUILD.lock.info.python.split('.');
      const { size } = FS.stat(`/lib/python${major}${minor}.zip`);
      if (size !== BUILD.stdlib.size) throw new Error(`${BUILD.stdlib.url}: ${size} bytes`);
    },
  };
}
