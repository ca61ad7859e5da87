// One turn: an article with a heading for screen readers, the content, the status line and the buttons. The service
// worker builds it too, out of the journal, and prints it into the page (worker/prerender.js); the screen goes on with
// the printed article (screen/answer/hydrate.js).

import { Applier } from './apply.js';
import { element, isElement, isText } from './element.js';
import { t } from './i18n.js';
import { visible } from './invisible.js';
import {
  LIVE,
  buttonsOf,
  carryOver,
  detailsText,
  isJustResumed,
  parseStatus,
  reasoningText,
  statusText,
} from './status.js';

/** The buttons under an answer, in their order; each is an intent of the same name. */
export const ACTIONS = ['retry', 'continue', 'edit', 'remove', 'copy', 'save', 'source', 'regenerate'];
/** Those under a question. */
const OF_QUESTION = ['edit'];

/** @typedef {import('./status.js').Status} Status */
/** @typedef {[number, number]} Version which version a turn is, from 1, and how many there are */
/**
 * @typedef {object} Turn
 * @property {string} id
 * @property {HTMLElement} article
 * @property {HTMLElement} reasoning a folded `details`; hidden when there is none
 * @property {HTMLElement} content
 * @property {HTMLElement} line the status line
 * @property {HTMLButtonElement[]} actions
 * @property {Applier | null} applier null for the person's turns: their text is never parsed
 * @property {number} n the patch that is shown, 0 for none
 * @property {boolean} resetting a reset is on its way: other patches do not fit any more
 * @property {Status} status
 * @property {number} drawnAt when the status line was written
 * @property {{pre: HTMLElement, n: number} | null} source the answer's Markdown up to patch n, instead of the content;
 *   null while the content is visible
 * @property {Set<string>} announced the announcements of this answer that are made only once
 */

/**
 * The status of a turn as it came over the port or out of storage; null when the turn is malformed.
 * @param {any} raw {message, author, text?, status}
 * @param {boolean} [stored] false: this browser stores nothing
 */
export function statusOf(raw, stored) {
  const known = typeof raw?.message === 'string' && ['user', 'assistant'].includes(raw.author);
  return known ? parseStatus(raw.status, stored) : null;
}

/**
 * @param {Document} document
 * @param {any} raw a turn with a status, and `versions` when there are others of it
 * @param {number} number of an answer, from 1
 * @returns {Turn}
 */
export function makeTurn(document, raw, number) {
  const { message: id, author } = raw;
  const answer = author === 'assistant';
  const label = answer ? t('turn.assistant', { n: number }) : t('turn.user');
  const content = part(document, 'div', 'content', answer ? {} : { dir: 'auto' });
  if (!answer) content.textContent = visible(String(raw.text ?? ''), '', false); // a file may bring a question
  const line = part(document, 'p', 'status');
  const actions = (answer ? ACTIONS : OF_QUESTION).map((name) => makeButton(document, name));
  const of = answer ? t('turn.actions', { n: number }) : t('turn.user.actions');
  const versions = versionPicker(document, raw.versions);
  const group = part(document, 'div', 'actions', { role: 'group', 'aria-label': of }, ...actions);
  const foot = part(document, 'footer', 'foot', {}, line, ...(versions ? [versions] : []), group);
  const names = { 'data-author': author, 'data-message': id, 'data-seq': '0', 'data-saved': '0', 'aria-label': label };
  const reasoning = makeReasoning(document, number);
  const inner = answer ? [reasoning, content, foot] : [content, foot];
  const article = element(document, 'article', names, part(document, 'h2', 'heading', {}, label), ...inner);
  const status = { .../** @type {Status} */ (parseStatus({ state: 'sending' })), at: 0 };
  const applier = answer ? new Applier(content) : null;
  const announced = /** @type {Set<string>} */ (new Set());
  const state = { n: 0, resetting: false, status, drawnAt: 0, source: null, announced };
  return { id, article, reasoning, content, line, actions, applier, ...state };
}

/** @param {Document} document @param {number} number of the answer */
function makeReasoning(document, number) {
  const label = { role: 'group', tabindex: '0', dir: 'auto', 'aria-label': t('reasoning.label', { n: number }) };
  const inner = [element(document, 'summary'), part(document, 'div', 'thoughts', label)];
  return part(document, 'details', 'reasoning', { hidden: '' }, ...inner);
}

/** @param {Document} document @param {string} name */
function makeButton(document, name) {
  const button = element(document, 'button', { type: 'button', name, hidden: '' }, t(`button.${name}`));
  if (name === 'source') button.setAttribute('aria-pressed', 'false');
  return /** @type {HTMLButtonElement} */ (button);
}

/**
 * @param {Document} document
 * @param {string} tag
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 */
function part(document, tag, name, attributes = {}, ...children) {
  return element(document, tag, { 'data-part': name, ...attributes }, ...children);
}

/**
 * The line that says which version of a turn this is, with buttons that lead to the others.
 * @param {Document} document
 * @param {unknown} version
 * @returns {HTMLElement | null} null for a turn that has no other version
 */
export function versionPicker(document, version) {
  const [n, of] = Array.isArray(version) ? version.map(Number) : [];
  if (!Number.isSafeInteger(n) || !Number.isSafeInteger(of) || n < 1 || n > of || of < 2) return null;
  const button = (/** @type {string} */ name, /** @type {string} */ sign, /** @type {boolean} */ none) => {
    const made = element(document, 'button', { type: 'button', name, 'aria-label': t(`button.${name}`) }, sign);
    made.toggleAttribute('disabled', none);
    return made;
  };
  return element(
    document,
    'div',
    { 'data-part': 'versions', role: 'group', 'aria-label': t('versions') },
    button('previous', '‹', n === 1),
    element(document, 'span', {}, t('versions.place', { n, of })),
    button('next', '›', n === of),
  );
}

// Changes

/** @param {Turn} turn @param {Status} status */
export function updateStatus(turn, status) {
  carryOver(turn.status, status);
  turn.status = status;
  turn.article.setAttribute('data-state', status.state);
  if (!turn.applier) return;
  updateSeq(turn, status.seq, status.saved);
  turn.article.setAttribute('aria-busy', String(LIVE.has(status.state)));
}

/** @param {Turn} turn @param {unknown} seq @param {number} saved */
export function updateSeq({ article }, seq, saved) {
  const before = Number(article.getAttribute('data-seq'));
  if (Number.isSafeInteger(seq)) article.setAttribute('data-seq', String(Math.max(Number(seq), before)));
  article.setAttribute('data-saved', String(saved));
}

/**
 * Adds to the reasoning, as plain text.
 * @param {Turn} turn
 * @param {unknown} more
 * @param {boolean} [anew] it is all of it
 */
export function addReasoning({ reasoning }, more, anew = false) {
  const box = reasoning.lastChild;
  if (!isElement(box)) return;
  if (anew) box.replaceChildren();
  if (typeof more !== 'string' || !more) return;
  const text = box.lastChild;
  if (isText(text)) text.appendData(visible(more, text.data, false));
  else box.append(visible(more, '', false));
}

/**
 * Patches out of storage, before the engine is there. Rows that do not fit end the painting of this message.
 * @param {Turn} turn
 * @param {import('./stored_conversation.js').StoredTurn['rows']} rows without holes
 * @returns {boolean} false when they do not fit
 */
export function paintRows(turn, rows) {
  const { applier } = turn;
  if (!applier) return true;
  turn.status.painted = true;
  try {
    for (const row of rows) {
      applier.apply(row.ops);
      addReasoning(turn, row.reasoning);
      turn.n = row.n;
      updateSeq(turn, row.last, row.last);
    }
    return true;
  } catch (error) {
    console.warn('midstream: a stored patch does not apply', turn.id, error);
    turn.n = 0;
    return false;
  }
}

/**
 * The status line and the buttons.
 * @param {Turn} turn
 * @param {boolean} dead there is no engine, and none will come before a reload
 */
export function drawStatus(turn, dead) {
  const { status, line, actions, applier, content } = turn;
  turn.drawnAt = performance.now();
  const text = applier ? statusText(status, dead) : questionText(status, dead);
  const all = applier?.lenient ? `${text} ${t('status.damaged')}` : text;
  if (line.textContent !== all) line.textContent = all;
  const more = detailsText(status);
  if ((line.getAttribute('title') ?? '') !== more) line.setAttribute('title', more);
  line.toggleAttribute('data-fading', isJustResumed(status));
  if (applier) drawReasoning(turn);
  const ofQuestion = status.state === 'complete' && !dead ? OF_QUESTION : [];
  const offered = applier ? buttonsOf(status, !content.firstChild, dead) : ofQuestion;
  for (const button of actions) {
    const name = String(button.getAttribute('name'));
    button.toggleAttribute('hidden', !offered.includes(name));
    const key = name === 'retry' && status.state === 'reconnecting' ? 'button.retry.reconnecting' : `button.${name}`;
    if (button.textContent !== t(key)) button.textContent = t(key);
  }
}

/** @param {Turn} turn */
function drawReasoning({ reasoning, content, status }) {
  const [summary, box] = /** @type {Element[]} */ ([...reasoning.childNodes]);
  reasoning.toggleAttribute('hidden', !box.firstChild);
  const line = box.firstChild ? reasoningText(status, content.firstChild !== null) : '';
  if (summary.textContent !== line) summary.textContent = line;
}

/** The line under a question. Everything else stands under its answer. @param {Status} status @param {boolean} dead */
function questionText(status, dead) {
  if (status.state === 'sending') return t(dead ? 'status.unsent' : 'status.sending');
  return status.state === 'failed' ? statusText(status, dead) : '';
}
