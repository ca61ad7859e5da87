// The versions of a turn: the line that says which one is shown and leads to the others, and the change from one to another.

import { element } from './element.js';
import { t } from './i18n.js';

/** @typedef {import('./article.js').Turn} Turn */
/** @typedef {[number, number]} Place which version it is, from 1, and how many there are */

/**
 * @param {Document} paper
 * @param {unknown} place
 * @returns {HTMLElement | null} null for a turn that has no other version
 */
export function bar(paper, place) {
  const [n, of] = Array.isArray(place) ? place.map(Number) : [];
  if (!Number.isSafeInteger(n) || !Number.isSafeInteger(of) || n < 1 || n > of || of < 2) return null;
  const button = (/** @type {string} */ name, /** @type {string} */ sign, /** @type {boolean} */ none) => {
    const made = element(paper, 'button', { type: 'button', name, 'aria-label': t(`button.${name}`) }, sign);
    made.toggleAttribute('disabled', none);
    return made;
  };
  return element(
    paper,
    'div',
    { 'data-part': 'versions', role: 'group', 'aria-label': t('versions') },
    button('previous', '‹', n === 1),
    element(paper, 'span', {}, t('versions.place', { n, of })),
    button('next', '›', n === of),
  );
}

/** @param {Turn | undefined} turn in the document @returns {HTMLElement | null} */
const barOf = (turn) => turn?.article.querySelector('[data-part=versions]') ?? null;

/**
 * Says which version of a turn is shown, as the engine told it.
 * @param {Turn} turn
 * @param {unknown} place
 */
export function mark(turn, place) {
  const there = barOf(turn);
  const now = bar(document, place);
  if (there && now && there.isEqualNode(now)) return;
  there?.remove();
  if (now) turn.line.after(now);
}

/**
 * Shows another version of a turn, and what is below it. The line of its versions stays where the person has pressed.
 * @param {import('../screen/current_conversation.js').Parts} parts
 * @param {any[]} turns that are to be shown
 * @param {string} at the turn that is another one
 * @param {() => void} change
 */
export function swap({ announcer, scroll, transcript }, turns, at, change) {
  const index = turns.findIndex((turn) => turn?.message === at);
  const before = [...transcript.turns.values()][index];
  const pressed = before?.article.contains(document.activeElement) ? /** @type {HTMLButtonElement} */ (document.activeElement) : null;
  const now = () => transcript.turns.get(at);
  const place = (/** @type {Turn | undefined} */ turn) => barOf(turn) ?? turn?.article;
  const old = place(before);
  if (!old || (scroll.following && index === turns.length - 1)) scroll.still(change);
  else scroll.keep(old, change, () => place(now()) ?? old);
  if (pressed && !pressed.isConnected) focus(now(), pressed.name);
  const [n, of] = turns[index]?.versions ?? [];
  if (of) announcer.say(t('versions.say', { n, of }));
}

/**
 * The same button of the turn that stands there now; the other one at the end of the versions, where there is no such.
 * @param {Turn | undefined} turn
 * @param {string} name
 */
function focus(turn, name) {
  const buttons = [...(barOf(turn)?.querySelectorAll('button') ?? [])].filter(({ disabled }) => !disabled);
  (buttons.find((button) => button.name === name) ?? buttons[0])?.focus({ preventScroll: true });
}
