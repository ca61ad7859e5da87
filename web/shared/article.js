// One turn: an article with a heading for screen readers, the content, the status line and the buttons. Built from what is
// stored by the service worker too, which prints it into the page (worker/prerender.js); the screen then takes that over (`adopt`).

import { Applier } from './apply.js';
import { element, set } from './element.js';
import { t } from './i18n.js';
import { visible } from './invisible.js';
import { LIVE, buttons, clean, details, follow, justResumed, thinking, words } from './status.js';
import { bar } from './version_picker.js';

/** The buttons under an answer, in their order; each is an intent of the same name. */
export const ACTIONS = ['retry', 'continue', 'edit', 'remove', 'copy', 'save', 'source', 'regenerate'];
/** Those under a question. */
const OF_QUESTION = ['edit'];

/** @typedef {import('./status.js').Status} Status */
/**
 * @typedef {object} Turn
 * @property {string} id
 * @property {HTMLElement} article
 * @property {HTMLElement} reasoning folded; hidden when there is none
 * @property {HTMLElement} content
 * @property {HTMLElement} line the status line
 * @property {HTMLButtonElement[]} actions
 * @property {Applier | null} applier null for the person's turns: their text is never parsed
 * @property {number} n the patch that is shown, 0 for none
 * @property {boolean} asked a reset is on its way: other patches do not fit any more
 * @property {Status} status
 * @property {number} drawn when the status line was written
 * @property {{pre: HTMLElement, n: number} | null} source what the answer is made of, shown in the place of the content, and the
 *   patch up to which it is there; null while the content is shown
 * @property {Set<string>} said what of this answer is spoken only once
 */

/**
 * The status of a turn as it came over the port or out of storage; null when the turn is malformed.
 * @param {any} raw {message, author, text?, status}
 */
export function statusOf(raw) {
  const known = typeof raw?.message === 'string' && ['user', 'assistant'].includes(raw.author);
  return known ? clean(raw.status) : null;
}

/**
 * @param {Document} paper
 * @param {any} raw a turn with a status, and `versions` when there are others of it
 * @param {number} number of an answer, from 1
 * @returns {Turn}
 */
export function make(paper, raw, number) {
  const { message: id, author } = raw;
  const answer = author === 'assistant';
  const label = answer ? t('turn.assistant', { n: number }) : t('turn.user');
  const content = part(paper, 'div', 'content', answer ? {} : { dir: 'auto' });
  if (!answer) content.textContent = String(raw.text ?? '');
  const line = part(paper, 'p', 'status');
  const actions = (answer ? ACTIONS : OF_QUESTION).map((name) => action(paper, name));
  const of = answer ? t('turn.actions', { n: number }) : t('turn.user.actions');
  const versions = bar(paper, raw.versions);
  const group = part(paper, 'div', 'actions', { role: 'group', 'aria-label': of }, ...actions);
  const foot = part(paper, 'footer', 'foot', {}, line, ...(versions ? [versions] : []), group);
  const names = { 'data-author': author, 'data-message': id, 'data-seq': '0', 'data-saved': '0', 'aria-label': label };
  const reasoning = folded(paper, number);
  const inner = answer ? [reasoning, content, foot] : [content, foot];
  const article = element(paper, 'article', names, part(paper, 'h2', 'heading', {}, label), ...inner);
  const status = { .../** @type {Status} */ (clean({ state: 'sending' })), at: 0 };
  const applier = answer ? new Applier(content) : null;
  const shown = { n: 0, asked: false, status, drawn: 0, source: null, said: /** @type {Set<string>} */ (new Set()) };
  return { id, article, reasoning, content, line, actions, applier, ...shown };
}

/**
 * @param {Document} paper
 * @param {number} number of the answer
 */
function folded(paper, number) {
  const label = { role: 'group', tabindex: '0', dir: 'auto', 'aria-label': t('reasoning.label', { n: number }) };
  const inner = [element(paper, 'summary'), part(paper, 'div', 'thoughts', label)];
  return part(paper, 'details', 'reasoning', { hidden: '' }, ...inner);
}

/**
 * @param {Document} paper
 * @param {string} name
 */
function action(paper, name) {
  const button = element(paper, 'button', { type: 'button', name, hidden: '' }, t(`button.${name}`));
  if (name === 'source') button.setAttribute('aria-pressed', 'false');
  return /** @type {HTMLButtonElement} */ (button);
}

/**
 * @param {Document} paper
 * @param {string} tag
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 */
function part(paper, tag, name, attributes = {}, ...children) {
  return element(paper, tag, { 'data-part': name, ...attributes }, ...children);
}

// What it shows

/**
 * @param {Turn} turn
 * @param {Status} status
 */
export function renew(turn, status) {
  follow(turn.status, status);
  turn.status = status;
  turn.article.setAttribute('data-state', status.state);
  if (!turn.applier) return;
  seen(turn, status.seq, status.saved);
  turn.article.setAttribute('aria-busy', String(LIVE.has(status.state)));
}

/**
 * @param {Turn} turn
 * @param {unknown} seq
 * @param {number} saved
 */
export function seen({ article }, seq, saved) {
  const before = Number(article.getAttribute('data-seq'));
  if (Number.isSafeInteger(seq)) article.setAttribute('data-seq', String(Math.max(Number(seq), before)));
  article.setAttribute('data-saved', String(saved));
}

/**
 * What the model thought, as it is: neither parsed nor coloured.
 * @param {Turn} turn
 * @param {unknown} more
 * @param {boolean} [anew] it is all of it
 */
export function think({ reasoning }, more, anew = false) {
  const box = reasoning.lastChild;
  if (!isElement(box)) return;
  if (anew) box.replaceChildren();
  if (typeof more !== 'string' || !more) return;
  const text = box.lastChild;
  if (text) /** @type {Text} */ (text).appendData(visible(more, /** @type {Text} */ (text).data, false));
  else box.append(visible(more, '', false));
}

/** @param {Node | null} node @returns {node is Element} */
const isElement = (node) => node?.nodeType === 1;

/**
 * Patches out of storage, before the engine is there. Rows that do not fit end the painting of this message.
 * @param {Turn} turn
 * @param {import('./stored_conversation.js').SavedTurn['rows']} rows without holes
 * @returns {boolean} false when they do not fit
 */
export function paint(turn, rows) {
  const { applier } = turn;
  if (!applier) return true;
  turn.status.painted = true;
  try {
    for (const row of rows) {
      applier.apply(row.ops);
      think(turn, row.reasoning);
      turn.n = row.n;
      seen(turn, row.last, row.last);
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
export function draw(turn, dead) {
  const { status, line, actions, applier, content } = turn;
  turn.drawn = performance.now();
  const text = applier ? words(status, dead) : sending(status, dead);
  const all = applier?.lenient ? `${text} ${t('status.damaged')}` : text;
  if (line.textContent !== all) line.textContent = all;
  const more = details(status);
  if ((line.getAttribute('title') ?? '') !== more) line.setAttribute('title', more);
  line.toggleAttribute('data-fading', justResumed(status));
  if (applier) fold(turn);
  const offered = applier ? buttons(status, !content.firstChild, dead) : status.state === 'complete' && !dead ? OF_QUESTION : [];
  for (const button of actions) {
    const name = String(button.getAttribute('name'));
    button.toggleAttribute('hidden', !offered.includes(name));
    const key = name === 'retry' && status.state === 'reconnecting' ? 'button.retry.reconnecting' : `button.${name}`;
    if (button.textContent !== t(key)) button.textContent = t(key);
  }
}

/** @param {Turn} turn */
function fold({ reasoning, content, status }) {
  const [summary, box] = /** @type {Element[]} */ ([...reasoning.childNodes]);
  reasoning.toggleAttribute('hidden', !box.firstChild);
  const line = box.firstChild ? thinking(status, content.firstChild !== null) : '';
  if (summary.textContent !== line) summary.textContent = line;
}

/**
 * The line under a person's turn: all else that can be said stands under the answer.
 * @param {Status} status
 * @param {boolean} dead
 */
function sending(status, dead) {
  if (status.state === 'sending') return t(dead ? 'status.unsent' : 'status.sending');
  return status.state === 'failed' ? words(status, dead) : '';
}

// What stands there already

/**
 * Goes on with an article that the service worker has printed. Of its parts those that are equal stay, so nothing moves and a
 * selection, the focus and what is being read aloud are kept; the others are replaced.
 * @param {Turn} turn as it is built here, not in the document yet
 * @param {Element} standing
 */
export function adopt(turn, standing) {
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
  set(standing, wanted);
  /** @template {Node} T @param {T} node */
  const twin = (node) => /** @type {T} */ (twins.get(node) ?? node);
  turn.article = twin(turn.article);
  turn.reasoning = twin(turn.reasoning);
  turn.content = twin(turn.content);
  turn.line = twin(turn.line);
  turn.actions = turn.actions.map(twin);
  turn.applier?.settle(twin);
}

/**
 * @param {Node} built
 * @param {Node} there equal to it
 * @param {Map<Node, Node>} twins
 */
function pair(built, there, twins) {
  twins.set(built, there);
  built.childNodes.forEach((child, i) => pair(child, there.childNodes[i], twins));
}
