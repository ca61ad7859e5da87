// What the screen adds to a code block: buttons, after all that the model wrote in it. They hold no text, so that neither a
// selection nor the text of the answer has their words; style.css shows them in a row whose place is kept from the start. One that
// is a diagram gets a button more, and when it is drawn the drawing (diagrams.js).

import { set } from './element.js';
import { t } from './i18n.js';

/** How long a button says what it has done, in ms. */
const SAID = 2000;

/** Long lines are broken, in all blocks of this page. */
let wrapped = false;

/** How many child nodes the model has made: in a `pre`, those before ours. @param {Element} element */
export function size({ localName, childNodes }) {
  let count = childNodes.length;
  if (localName === 'pre') while (count && isOurs(childNodes[count - 1])) count -= 1;
  return count;
}

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

/** Is this one of ours? A model's elements have none of these names. @param {Node} node */
export const isOurs = (node) => isElement(node) && (node.getAttribute('data-do') !== null || node.getAttribute('data-part') !== null);

/** @param {Node} node @returns {node is Element} */
const isElement = (node) => node.nodeType === 1;

/**
 * Makes a new `pre` a code block.
 * @param {Element} pre
 * @param {number} number of the block in its answer
 */
export function furnish(pre, number) {
  set(pre, { dir: 'ltr', role: 'group', 'data-block': String(number) });
  pre.append(made(pre, 'copy'), made(pre, 'wrap'));
  name(pre, '');
  press(pre);
}

/**
 * A button of the bar.
 * @param {Element} pre
 * @param {string} what it does
 */
function made(pre, what) {
  const button = pre.ownerDocument.createElement('button');
  set(button, { type: 'button', 'data-do': what, 'data-caption': t(`button.${what}`) });
  return button;
}

/**
 * The block is complete, and can be drawn: one more button, before the others.
 * @param {Element} pre
 */
export function offer(pre) {
  const button = made(pre, 'diagram');
  set(button, { 'aria-pressed': 'false', 'aria-label': t('content.code.diagram', { block: String(pre.getAttribute('aria-label')) }) });
  set(pre, { 'data-diagram': '' });
  buttons(pre)[0].before(button);
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

/** @param {Element} pre @param {string} what it does */
export const button = (pre, what) => /** @type {HTMLElement | undefined} */ (buttons(pre).find((each) => each.getAttribute('data-do') === what));

/** @param {Element} pre */
function press(pre) {
  pre.toggleAttribute('data-wrap', wrapped);
  button(pre, 'wrap')?.setAttribute('aria-pressed', String(wrapped));
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
