// A turn out of storage, built in short steps: beside the document first, then compared with the article that the
// service worker has printed, which stays and goes on. A long answer in one step would delay the person's first click.

import { drawStatus, makeTurn, paintRows, statusOf, updateStatus } from '../../shared/article.js';
import { setAttributes } from '../../shared/element.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {import('../../shared/stored_conversation.js').StoredTurn['rows']} Rows */
/** @typedef {import('../page/chunked.js').Chunks} Chunks */

/** Ops in one step: a row of an answer that came at once, or from a file, has all of them. */
const STEP = 200;

/**
 * @param {Record<string, any>} raw a turn with a status
 * @param {number} number of an answer, from 1
 * @returns {Turn | null} still without a text; null when it is malformed
 */
export function beginTurn(raw, number) {
  const status = statusOf(raw);
  if (!status) return null;
  const turn = makeTurn(document, raw, number);
  updateStatus(turn, status);
  return turn;
}

/**
 * @param {Turn} turn
 * @param {Rows} rows
 * @param {Element | undefined} standing its article, as the service worker has printed it
 * @param {Chunks} chunks
 * @param {boolean} dead there is no engine, and none will come before a reload
 */
export async function fillTurn(turn, rows, standing, chunks, dead) {
  // Another tab may have stored more since then: that comes on top, as it would have come from the engine.
  const printed = standing ? Number(standing.getAttribute('data-saved')) : Infinity;
  await paint(
    turn,
    rows.filter((row) => row.last <= printed),
    chunks,
  );
  drawStatus(turn, dead);
  if (!standing) return;
  adopt(turn, standing);
  await paint(
    turn,
    rows.filter((row) => row.last > printed),
    chunks,
  );
  drawStatus(turn, dead);
}

/** @param {Turn} turn @param {Rows} rows @param {Chunks} chunks */
async function paint(turn, rows, chunks) {
  for (const row of rows.flatMap(steps)) {
    if (!paintRows(turn, [row])) return;
    await chunks.rest();
  }
  paintRows(turn, []); // one without rows says too that it comes out of storage
}

/** @param {Rows[number]} row @returns {Rows} */
function steps(row) {
  const { ops } = row;
  if (!Array.isArray(ops)) return [row];
  const count = Math.max(1, Math.ceil(ops.length / STEP));
  return Array.from({ length: count }, (_, i) => {
    return { ...row, ops: ops.slice(i * STEP, (i + 1) * STEP), reasoning: i ? '' : row.reasoning };
  });
}

/**
 * Goes on with an article that the service worker has printed. Its equal parts stay, so nothing moves, and the
 * selection, the focus and the position of a screen reader stay too; the others are replaced.
 * @param {Turn} turn as it was built here, not in the document yet
 * @param {Element} standing
 */
function adopt(turn, standing) {
  /** @type {Map<Node, Node>} */
  const twins = new Map([[turn.article, standing]]);
  [...turn.article.children].forEach((built, i) => {
    const there = standing.children[i];
    if (there?.hasAttribute('open')) built.setAttribute('open', ''); // somebody reads the reasoning already
    if (there?.isEqualNode(built)) pair(built, there, twins);
    else if (there) there.replaceWith(built);
    else standing.append(built);
  });
  const wanted = Object.fromEntries([...turn.article.attributes].map(({ name, value }) => [name, value]));
  const order = standing.getAttribute('data-last'); // until it stands in its place, among the others
  if (order !== null) wanted['data-last'] = order;
  for (const { name } of [...standing.attributes]) if (!Object.hasOwn(wanted, name)) standing.removeAttribute(name);
  setAttributes(standing, wanted);
  /** @template {Node} T @param {T} node */
  const twin = (node) => /** @type {T} */ (twins.get(node) ?? node);
  turn.article = twin(turn.article);
  turn.reasoning = twin(turn.reasoning);
  turn.content = twin(turn.content);
  turn.line = twin(turn.line);
  turn.fold = turn.fold && twin(turn.fold);
  turn.actions = turn.actions.map(twin);
  turn.applier?.replaceNodes(twin);
}

/**
 * @param {Node} built
 * @param {Node} there equal to it
 * @param {Map<Node, Node>} twins
 */
function pair(built, there, twins) {
  twins.set(built, there);
  for (const [i, child] of built.childNodes.entries()) pair(child, there.childNodes[i], twins);
}
