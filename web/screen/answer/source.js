// The source of an answer: the model's own text instead of the content, and growing with it. The hidden content grows
// too. The engine sends the text so far; after that each patch brings its own part.

import { setAttributes } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { visible } from '../../shared/invisible.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */

/**
 * @param {Turn} turn
 * @param {import('../page/port_types.js').SourceMessage} message the text up to patch n
 * @param {number} number of the answer
 */
export function showSource(turn, { n, text }, number) {
  const pre = turn.source?.pre ?? document.createElement('pre');
  setAttributes(pre, { 'data-part': 'source', dir: 'auto', tabindex: '0', role: 'group' });
  pre.textContent = visible(String(text ?? ''), '', true);
  if (!turn.source) turn.content.after(pre);
  turn.source = { pre, n: Number(n) || 0 };
  labelSource(turn, number);
  press(turn);
}

/** @param {Turn} turn @param {number} number of the answer */
export function labelSource({ source }, number) {
  if (source) source.pre.ariaLabel = t('source.label', { n: number });
}

/** Shows the content again. @param {Turn} turn */
export function hideSource(turn) {
  turn.source?.pre.remove();
  turn.source = null;
  press(turn);
}

/** @param {Turn} turn @param {import('../page/port_types.js').PatchMessage} patch */
export function growSource({ source }, { n, reset, source: more }) {
  if (!source || (n <= source.n && !reset)) return;
  source.n = n;
  if (reset) source.pre.replaceChildren();
  if (typeof more !== 'string' || !more) return;
  const text = source.pre.lastChild;
  if (text instanceof Text) text.appendData(visible(more, text.data, true));
  else source.pre.append(visible(more, '', true));
}

/** @param {Turn} turn */
function press({ actions, content, source }) {
  content.hidden = source !== null;
  actions.find(({ name }) => name === 'source')?.setAttribute('aria-pressed', String(source !== null));
}
