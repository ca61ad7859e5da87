// Clicks on buttons in the transcript: those under a turn, those of a code block, those that stand for pictures.

import { ACTIONS } from '../../shared/article.js';

/** @typedef {import('../page/port_types.js').MessageIntent} MessageIntent */
/** @typedef {import('../../shared/article.js').Turn} Turn */
/**
 * @typedef {object} TurnActions
 * @property {(message: import('../page/port.js').Intent) => void} intent
 * @property {(button: HTMLElement) => void} block a button of a code block
 * @property {(turn: Turn) => void} edit opens a question for editing
 * @property {(turn: Turn, step: number) => void} version shows the version before or after it
 * @property {(button: HTMLElement, turn: Turn) => void} whole shows more of a text that is cut, or less of a question
 * @property {(button: HTMLElement, turn: Turn) => void} source shows its source, or its content again
 */

/** @type {Record<string, number>} */
const STEPS = { previous: -1, next: 1 };

/** @param {{log: HTMLElement, turns: Map<string, Turn>}} transcript @param {TurnActions} on */
export function listenToTurns(transcript, on) {
  transcript.log.addEventListener('click', (event) => act(event, transcript.turns, on));
}

/** @param {Event} event @param {Map<string, Turn>} turns @param {TurnActions} on */
function act(event, turns, on) {
  const button = event.target instanceof Element ? event.target.closest('button') : null;
  const turn = turns.get(button?.closest('article')?.dataset.message ?? '');
  if (!button || !turn) return;
  const { name } = button;
  // Our own policy forbids foreign images: the person decides to go there, in a tab that knows nothing of this one.
  if (button.dataset.src) open(button.dataset.src, '_blank', 'noopener,noreferrer');
  else if (button.dataset.do) on.block(button);
  else if (Object.hasOwn(STEPS, name)) on.version(turn, STEPS[name]);
  else if (name === 'source') on.source(button, turn);
  else if (name === 'whole') on.whole(button, turn);
  else if (name === 'edit' && !turn.applier) on.edit(turn);
  else if (ACTIONS.includes(name)) on.intent({ type: /** @type {MessageIntent['type']} */ (name), message: turn.id });
}
