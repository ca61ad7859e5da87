// Text fields for messages: the composer's, and the one of a question that is edited in its place.

import { preferred } from './preferences.js';

/** For browsers without `field-sizing`. @param {HTMLTextAreaElement} area */
export function growField(area) {
  if (CSS.supports('field-sizing', 'content')) return;
  area.style.blockSize = 'auto';
  area.style.blockSize = `${area.scrollHeight}px`;
}

/**
 * Enter that ends the composition of a character (Japanese, Chinese, …) belongs to the input method; Safari sends it
 * after the composition, recognisable by its code only.
 * @param {KeyboardEvent} event
 */
export const isComposed = (event) => event.isComposing || event.keyCode === 229;

/** Only fingers point here, so the keyboard is on the screen, and has no Shift+Enter. */
const touch = matchMedia('(pointer: coarse) and (not (any-pointer: fine))');

/** Does Enter alone send? Else it begins a new line. */
export function enterSends() {
  const choice = preferred('enter');
  return choice === 'automatic' ? !touch.matches : choice === 'always';
}

/** Does this key send the message? Enter with Ctrl (on a Mac Cmd) does so always. @param {KeyboardEvent} event */
export function isSending(event) {
  if (event.key !== 'Enter' || event.shiftKey || isComposed(event)) return false;
  return event.ctrlKey || event.metaKey || enterSends();
}

/** Lets a keyboard on the screen show what its Enter does. @param {HTMLTextAreaElement} area */
export function hintEnter(area) {
  area.addEventListener('focus', () => (area.enterKeyHint = enterSends() ? 'send' : 'enter'));
}
