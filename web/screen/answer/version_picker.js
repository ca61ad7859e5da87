// Changing from one version of a turn to another.

import { versionPicker } from '../../shared/article.js';
import { t } from '../../shared/i18n.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/**
 * @typedef {object} Page
 * @property {import('../page/announce.js').Announcer} announcer
 * @property {import('../page/scroll.js').Scroll} scroll
 * @property {{turns: Map<string, Turn>}} transcript
 */

/** @param {Turn | undefined} turn in the document @returns {HTMLElement | null} */
const pickerOf = (turn) => turn?.article.querySelector('[data-part=versions]') ?? null;

/** Shows the number of a turn's version. @param {Turn} turn @param {unknown} version as the engine sends it */
export function markVersion(turn, version) {
  turn.versions = version;
  const before = pickerOf(turn);
  const picker = versionPicker(document, version);
  if (before && picker && before.isEqualNode(picker)) return;
  before?.remove();
  if (picker) turn.line.after(picker);
}

/**
 * Shows another version of a turn and of the turns below it. The pressed button stays in its place on the screen.
 * @param {Page} page
 * @param {any[]} turns the new ones
 * @param {string} at the message of the turn that changes
 * @param {() => void} change
 */
export function swapVersion({ announcer, scroll, transcript }, turns, at, change) {
  const index = turns.findIndex((turn) => turn?.message === at);
  const before = [...transcript.turns.values()][index];
  const { activeElement } = document;
  const within = activeElement instanceof HTMLButtonElement && before?.article.contains(activeElement);
  const pressed = within ? activeElement : null;
  const now = () => transcript.turns.get(at);
  const anchor = (/** @type {Turn | undefined} */ turn) => pickerOf(turn) ?? turn?.article;
  const old = anchor(before);
  if (!old || (scroll.following && index === turns.length - 1)) scroll.still(change);
  else scroll.keep(old, change, () => anchor(now()) ?? old);
  if (pressed && !pressed.isConnected) focusButton(now(), pressed.name);
  const [n, of] = turns[index]?.versions ?? [];
  if (of) announcer.say(t('versions.say', { n, of }));
}

/**
 * Focuses the same button of the new turn, or the other one where that is disabled.
 * @param {Turn | undefined} turn
 * @param {string} name
 */
function focusButton(turn, name) {
  const buttons = [...(pickerOf(turn)?.querySelectorAll('button') ?? [])].filter(({ disabled }) => !disabled);
  (buttons.find((button) => button.name === name) ?? buttons[0])?.focus({ preventScroll: true });
}
