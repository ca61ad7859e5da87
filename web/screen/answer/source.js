// The source of an answer: what the model has sent, as plain text in the place of the content, growing with it. The content goes on
// behind it. The engine is asked for the text so far; after that each patch brings its own part.

import { set } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {import('../port.js').Message} Message */

/**
 * @param {Turn} turn
 * @param {Message} message `source` of the port: the text up to patch n
 * @param {number} number of the answer
 */
export function show(turn, { n, text }, number) {
  const pre = turn.source?.pre ?? document.createElement('pre');
  set(pre, { 'data-part': 'source', dir: 'auto', tabindex: '0', role: 'group', 'aria-label': t('source.label', { n: number }) });
  pre.textContent = String(text ?? '');
  if (!turn.source) turn.content.after(pre);
  turn.source = { pre, n: Number(n) || 0 };
  press(turn);
}

/** Shows the content again. @param {Turn} turn */
export function hide(turn) {
  turn.source?.pre.remove();
  turn.source = null;
  press(turn);
}

/**
 * @param {Turn} turn
 * @param {Message} patch
 */
export function grow({ source }, { n, reset, source: more }) {
  if (!source || (n <= source.n && !reset)) return;
  source.n = n;
  if (reset) source.pre.replaceChildren();
  if (typeof more !== 'string' || !more) return;
  const text = source.pre.lastChild;
  if (text instanceof Text) text.appendData(more);
  else source.pre.append(more);
}

/** @param {Turn} turn */
function press({ actions, content, source }) {
  content.hidden = source !== null;
  actions.find(({ name }) => name === 'source')?.setAttribute('aria-pressed', String(source !== null));
}
