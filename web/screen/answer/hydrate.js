// A turn out of storage, made in slices: built beside the document, compared with what the service worker has printed of it, and
// gone on with there. A long answer at once would stand in the way of the person's first click.

import { adopt, draw, make, paint, renew, statusOf } from '../../shared/article.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {import('../../shared/stored_conversation.js').SavedTurn['rows']} Rows */
/** @typedef {import('../page/chunked.js').Slices} Slices */

/** Ops in one step: a row of an answer that came at once, or from a file, has all of them. */
const STEP = 200;

/**
 * @param {Record<string, any>} raw a turn with a status
 * @param {number} number of an answer, from 1
 * @returns {Turn | null} still without a text; null when it is malformed
 */
export function begun(raw, number) {
  const status = statusOf(raw);
  if (!status) return null;
  const turn = make(document, raw, number);
  renew(turn, status);
  return turn;
}

/**
 * @param {Turn} turn
 * @param {Rows} rows
 * @param {Element | undefined} standing its article, as the service worker has printed it
 * @param {Slices} slices
 * @param {boolean} dead there is no engine, and none will come before a reload
 */
export async function fill(turn, rows, standing, slices, dead) {
  // Another tab may have stored more since then: that comes on top, as it would have come from the engine.
  const printed = standing ? Number(standing.getAttribute('data-saved')) : Infinity;
  await painted(turn, rows.filter((row) => row.last <= printed), slices);
  draw(turn, dead);
  if (!standing) return;
  adopt(turn, standing);
  await painted(turn, rows.filter((row) => row.last > printed), slices);
  draw(turn, dead);
}

/**
 * @param {Turn} turn
 * @param {Rows} rows
 * @param {Slices} slices
 */
async function painted(turn, rows, slices) {
  for (const row of rows.flatMap(steps)) {
    if (!paint(turn, [row])) return;
    await slices.rest();
  }
  paint(turn, []); // also of one without rows it is said that it comes out of storage
}

/** @param {Rows[number]} row @returns {Rows} */
function steps(row) {
  const { ops } = row;
  if (!Array.isArray(ops)) return [row];
  const count = Math.max(1, Math.ceil(ops.length / STEP));
  return Array.from({ length: count }, (_, i) => ({ ...row, ops: ops.slice(i * STEP, (i + 1) * STEP), reasoning: i ? '' : row.reasoning }));
}
