// The conversations in a zip archive of another program. Only its list and those files are read: an archive holds
// pictures too, and may be larger than memory.

import { KnownProblem } from '../../shared/problem.js';

const NAME = /(?:^|\/)conversations(?:-\d+)?\.json$/;
const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** The end of an archive: a fixed part and a comment of up to 64 KB. */
const END_BYTES = 22 + 0xffff;
/** Bytes of the list that are read at most. */
const LIST_BYTES = 16 * 2 ** 20;
/** Files with conversations in one archive. */
const MOST_FILES = 200;
/** A file may be so many times as large as packed: a conversation never is, and what deflate can do is 1,032. */
const RATIO = 200;
/** Bytes that a file may have however small it was packed. */
const SMALL = 2 ** 20;

/**
 * The files with conversations, each unpacked when it is asked for. Throws TooLarge when one has more than `largest` bytes, or all
 * of them have more than twice that; a KnownProblem when the archive cannot be read. What its list shows is thrown before the
 * first file.
 * @param {File} archive
 * @param {number} largest
 */
export async function* conversationsIn(archive, largest) {
  const found = (await entries(archive).catch(outside)).filter(({ name }) => NAME.test(name));
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  check(found, largest);
  const limit = new Limit(largest);
  for (const entry of found) yield await unpacked(archive, entry, limit).catch(outside);
}

/** The file, or all files of an archive. */
export class TooLarge extends Error {
  /** @param {number} largest bytes that were allowed */
  constructor(largest) {
    super();
    this.largest = largest;
  }
}

/** Counts what is unpacked, or will be. */
class Limit {
  #sum = 0;

  /** @param {number} largest bytes of one file */
  constructor(largest) {
    this.largest = largest;
  }

  /** @param {Entry} entry @param {number} size that it has so far @param {number} more bytes that were not counted yet */
  add({ name, packed }, size, more) {
    this.#sum += more;
    if (size > this.largest) throw new TooLarge(this.largest);
    if (this.#sum > 2 * this.largest) throw new TooLarge(2 * this.largest);
    if (size > SMALL + RATIO * packed) throw new KnownProblem('archive_ratio', { name });
  }
}

/** What the list itself shows, if it tells the truth. @param {Entry[]} found @param {number} largest */
function check(found, largest) {
  const limit = MOST_FILES;
  if (found.length > limit) throw new KnownProblem('archive_many', { limit });
  // Many names for one piece of data, or for parts of it: each would be unpacked.
  const places = [...found].sort((a, b) => a.at - b.at);
  for (const [i, { at, packed }] of places.slice(0, -1).entries())
    if (at + packed > places[i + 1].at) throw new KnownProblem('archive_damaged');
  const told = new Limit(largest);
  for (const entry of found) told.add(entry, entry.size, entry.size);
}

/** A number in the archive leads out of it. @param {unknown} error @returns {never} */
function outside(error) {
  throw error instanceof RangeError ? new KnownProblem('archive_damaged') : error;
}

/** `size`: unpacked, as the list says. @typedef {{name: string, method: number, packed: number, size: number, at: number}} Entry */

/** @param {File} archive @returns {Promise<Entry[]>} */
async function entries(archive) {
  const end = await view(archive, Math.max(0, archive.size - END_BYTES), END_BYTES);
  let at = end.byteLength - 22;
  while (at >= 0 && end.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new KnownProblem('archive_none');
  const count = end.getUint16(at + 10, true);
  const [size, start] = [12, 16].map((offset) => end.getUint32(at + offset, true));
  if (start === 0xffffffff || size > LIST_BYTES) throw new KnownProblem('archive_large');
  const list = await view(archive, start, size);
  const found = [];
  let offset = 0;
  for (let n = 0; n < count; n++) {
    if (list.getUint32(offset, true) !== ENTRY) throw new KnownProblem('archive_damaged');
    const [length, extra, comment] = [28, 30, 32].map((field) => list.getUint16(offset + field, true));
    const name = new TextDecoder().decode(new Uint8Array(list.buffer, list.byteOffset + offset + 46, length));
    const at = list.getUint32(offset + 42, true);
    const [packed, size] = [20, 24].map((field) => list.getUint32(offset + field, true));
    found.push({ name, at, packed, size, method: list.getUint16(offset + 10, true) });
    offset += 46 + length + extra + comment;
  }
  return found;
}

/**
 * @param {File} archive
 * @param {Entry} entry
 * @param {Limit} limit
 * @returns {Promise<Blob>}
 */
async function unpacked(archive, entry, limit) {
  const { name, method, packed, at } = entry;
  const head = await view(archive, at, 30);
  if (head.getUint32(0, true) !== LOCAL) throw new KnownProblem('archive_file_damaged', { name });
  const start = at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const data = archive.slice(start, start + packed);
  if (method === 0) return limited(data.stream(), entry, limit);
  if (method !== 8) throw new KnownProblem('archive_packed', { name });
  return limited(data.stream().pipeThrough(new DecompressionStream('deflate-raw')), entry, limit);
}

/**
 * A small archive may unpack to very much.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {Entry} entry
 * @param {Limit} limit
 */
async function limited(stream, entry, limit) {
  const pieces = [];
  const reader = stream.getReader();
  let size = 0;
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      size += step.value.byteLength;
      limit.add(entry, size, step.value.byteLength);
      pieces.push(step.value);
    }
  } finally {
    await reader.cancel(); // what is over a limit is not unpacked
  }
  return new Blob(pieces);
}

/** @param {File} archive @param {number} start @param {number} length */
async function view(archive, start, length) {
  return new DataView(await archive.slice(start, start + length).arrayBuffer());
}
