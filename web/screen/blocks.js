// What the screen adds to a code block: two buttons, after all that the model wrote in it. They hold no text, so that neither
// a selection nor the text of the answer has their words; style.css shows them in a row whose place is kept from the start.

import { set } from './element.js';
import { t } from './i18n.js';

/** How long a button says what it has done, in ms. */
const SAID = 2000;
/** How many elements of ours stand at the end of a `pre`. */
const OURS = 2;

/** Long lines are broken, in all blocks of this page. */
let wrapped = false;

/** How many child nodes the model has made. @param {Element} element */
export const size = (element) => element.childNodes.length - (element.localName === 'pre' ? OURS : 0);

/** Those child nodes. @param {Element} element */
export const theirs = (element) => [...element.childNodes].slice(0, size(element));

/** The last one of them. @param {Element} element @returns {ChildNode | null} */
export const lastOf = (element) => element.childNodes[size(element) - 1] ?? null;

/**
 * Adds children at the end of what the model has made.
 * @param {Element} element
 * @param {(Node | string)[]} children
 */
export function add(element, ...children) {
  const ours = /** @type {Element | undefined} */ (element.childNodes[size(element)]);
  if (ours) ours.before(...children);
  else element.append(...children);
}

/** Is this one of ours? @param {Element} element */
export const isOurs = (element) => element.getAttribute('data-do') !== null;

/**
 * Makes a new `pre` a code block.
 * @param {Element} pre
 * @param {number} number of the block in its answer
 */
export function furnish(pre, number) {
  set(pre, { dir: 'ltr', role: 'group', 'data-block': String(number) });
  for (const what of ['copy', 'wrap']) {
    const button = pre.ownerDocument.createElement('button');
    set(button, { type: 'button', 'data-do': what, 'data-caption': t(`button.${what}`) });
    pre.append(button);
  }
  name(pre, '');
  press(pre);
}

/**
 * Says which block it is.
 * @param {Element} pre
 * @param {string} language
 */
export function name(pre, language) {
  const n = String(pre.getAttribute('data-block'));
  const block = t(language ? 'content.code.language' : 'content.code', { n, language });
  pre.setAttribute('aria-label', block);
  for (const button of buttons(pre)) {
    const what = button.getAttribute('data-do');
    button.setAttribute('aria-label', t(`content.code.${what}`, { block }));
  }
}

/** @param {Element} pre */
const buttons = (pre) => /** @type {Element[]} */ ([...pre.childNodes].slice(size(pre)));

/** @param {Element} pre */
function press(pre) {
  pre.toggleAttribute('data-wrap', wrapped);
  buttons(pre)[1].setAttribute('aria-pressed', String(wrapped));
}

// In the document

/**
 * The text of a block as the model wrote it. Without its last line feed: pasted into a terminal, that would run it.
 * @param {Element} pre
 */
export const source = (pre) => theirs(pre).map((node) => node.textContent).join('').replace(/\n$/, '');

/** Breaks long lines, or no longer. @param {ParentNode} root whose blocks they are */
export function wrap(root) {
  wrapped = !wrapped;
  for (const pre of root.querySelectorAll('pre[data-block]')) press(pre);
}

/**
 * Lets a button say for a moment what it has done.
 * @param {HTMLElement} button
 * @param {string} words
 */
export function say(button, words) {
  button.dataset.caption = words;
  setTimeout(() => (button.dataset.caption = t(`button.${button.dataset.do}`)), SAID);
}
