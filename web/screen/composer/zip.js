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

/**
 * Rejects with TooLarge when one is larger than `largest` bytes, with a KnownProblem when it cannot be read.
 * @param {File} archive
 * @param {number} largest
 * @returns {Promise<Blob[]>}
 */
export async function conversationsIn(archive, largest) {
  const found = (await entries(archive).catch(outside)).filter(({ name }) => NAME.test(name));
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = [];
  for (const entry of found) files.push(await unpacked(archive, entry, largest).catch(outside));
  return files;
}

/** A file in the archive. */
export class TooLarge extends Error {}

/** A number in the archive leads out of it. @param {unknown} error @returns {never} */
function outside(error) {
  throw error instanceof RangeError ? new KnownProblem('archive_damaged') : error;
}

/** @typedef {{name: string, method: number, packed: number, at: number}} Entry */

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
    found.push({ name, at, method: list.getUint16(offset + 10, true), packed: list.getUint32(offset + 20, true) });
    offset += 46 + length + extra + comment;
  }
  return found;
}

/**
 * @param {File} archive
 * @param {Entry} entry
 * @param {number} largest
 * @returns {Promise<Blob>}
 */
async function unpacked(archive, { name, method, packed, at }, largest) {
  const head = await view(archive, at, 30);
  if (head.getUint32(0, true) !== LOCAL) throw new KnownProblem('archive_file_damaged', { name });
  const start = at + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const data = archive.slice(start, start + packed);
  if (method === 0) return limited(data.stream(), largest);
  if (method !== 8) throw new KnownProblem('archive_packed', { name });
  return limited(data.stream().pipeThrough(new DecompressionStream('deflate-raw')), largest);
}

/**
 * A small archive may unpack to very much.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {number} largest
 */
async function limited(stream, largest) {
  const pieces = [];
  const reader = stream.getReader();
  let size = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    size += step.value.byteLength;
    if (size > largest) {
      await reader.cancel();
      throw new TooLarge();
    }
    pieces.push(step.value);
  }
  return new Blob(pieces);
}

/** @param {File} archive @param {number} start @param {number} length */
async function view(archive, start, length) {
  return new DataView(await archive.slice(start, start + length).arrayBuffer());
}
