// A started Python's memory as a file, which has only the pages that are not empty, and back. The browser makes such files
// (snapshot_maker.mjs) and so does the build, in Node (tooling/parts/runtime.mjs).
//
// Little-endian u32: MAGIC, size of a page, length of the whole memory, count n of pages; the n numbers of the pages; the pages.

/** Where the app's zip lies in the file system of every Python here: the memory remembers this path. */
export const APP_ZIP = '/lib/midstream.zip';

/** Python source that runs before the memory is taken; `imports` is set before. */
export const IMPORT = `
import gc, importlib
for name in imports:
    importlib.import_module(name)
del name, imports
gc.collect()
`;

const MAGIC = 0x5053534d; // "MSSP"
const PAGE = 4096;
const HEAD = 16;

/**
 * The file of a whole memory.
 * @param {Uint8Array} memory
 */
export function packMemory(memory) {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4);
  const pages = [];
  for (let page = 0; page < memory.length / PAGE; page++) {
    if (words.subarray((page * PAGE) / 4, ((page + 1) * PAGE) / 4).some((word) => word !== 0)) pages.push(page);
  }
  const file = new Uint8Array(HEAD + pages.length * (4 + PAGE));
  new Uint32Array(file.buffer, 0, 4 + pages.length).set([MAGIC, PAGE, memory.length, pages.length, ...pages]);
  let at = HEAD + 4 * pages.length;
  for (const page of pages) {
    file.set(memory.subarray(page * PAGE, (page + 1) * PAGE), at);
    at += PAGE;
  }
  return file;
}

/**
 * Gives Pyodide something that it takes for the whole memory. Pyodide reads the head of it and copies the rest to where Python's
 * memory is. The whole would be two thirds of zeros and be written twice, so only the head is there: a request for the rest puts
 * the pages into Python's memory and gives nothing more to copy.
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {() => Uint8Array} heap Python's memory, once there is one
 */
export function unpackMemory(file, heap) {
  const [magic, size, length, count] = new Uint32Array(file.buffer, 0, 4);
  if (magic !== MAGIC || file.length !== HEAD + count * (4 + size)) throw new Error('not a snapshot');
  const numbers = new Uint32Array(file.buffer, HEAD, count);
  const pages = file.subarray(HEAD + 4 * count);
  const head = pages.subarray(0, size * run(numbers, 0));
  const part = head.subarray.bind(head);
  return Object.defineProperties(head, {
    length: { value: length },
    subarray: {
      value: (/** @type {number} */ from, /** @type {number} */ to) => {
        if (to !== undefined) return part(from, to);
        if (from > head.byteLength) throw new Error('the head of the snapshot is too long');
        put(numbers, pages, size, heap().subarray(0, length - from), from);
        return [];
      },
    },
  });
}

/** How many pages follow each other from `at` on. @param {Uint32Array} numbers @param {number} at */
function run(numbers, at) {
  let end = at + 1;
  while (end < numbers.length && numbers[end] === numbers[end - 1] + 1) end++;
  return end - at;
}

/**
 * @param {Uint32Array} numbers @param {Uint8Array} pages @param {number} size @param {Uint8Array} heap
 * @param {number} from the position in the whole of the first byte of the heap
 */
function put(numbers, pages, size, heap, from) {
  let done = 0;
  for (let at = 0; at < numbers.length; ) {
    const together = run(numbers, at);
    const start = numbers[at] * size - from;
    const begin = Math.max(start, 0);
    const end = Math.min(start + together * size, heap.length);
    heap.fill(0, done, begin); // a Python that has just begun has written there too
    heap.set(pages.subarray(at * size + begin - start, at * size + end - start), begin);
    done = end;
    at += together;
  }
  heap.fill(0, done);
}
