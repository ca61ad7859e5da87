// Compresses files with brotli; run by tooling/assets/brotli.py with the project's own Node:
//
//   node brotli.mjs {"jobs": [{"file": path, "quality": 0-11, "out": path}, ...]}
//
// Two at a time: what takes long is the processor, and a machine that builds has other work.

import fs from 'node:fs/promises';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

/** @typedef {{file: string, quality: number, out: string}} Job */

const SIDE_BY_SIDE = 2;
const compress = promisify(zlib.brotliCompress);

/** @param {Job} job */
async function pack({ file, quality, out }) {
  const data = await fs.readFile(file);
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, BROTLI_PARAM_LGWIN, BROTLI_MAX_WINDOW_BITS } = zlib.constants;
  const params = {
    [BROTLI_PARAM_QUALITY]: quality,
    [BROTLI_PARAM_SIZE_HINT]: data.length,
    [BROTLI_PARAM_LGWIN]: BROTLI_MAX_WINDOW_BITS,
  };
  await fs.writeFile(`${out}.part`, await compress(data, { params }));
  await fs.rename(`${out}.part`, out); // a killed build leaves no half of a file
  console.log(`packed ${file}`);
}

/** @param {Job[]} jobs taken from its end */
async function work(jobs) {
  for (let job = jobs.pop(); job; job = jobs.pop()) await pack(job);
}

/** @type {{jobs: Job[]}} */
const { jobs } = JSON.parse(process.argv[2]);
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => work(jobs)));
