// The buttons of a code block, after all that the model wrote in it. They hold no text, so they are not in a selection
// or in the text of the answer; style.css shows them in a row whose place is free from the start. A complete diagram
// gets one more button, and later its drawing (screen/diagrams/diagrams.js).

import { isElement, setAttributes } from './element.js';
import { t } from './i18n.js';

/** How many child nodes the model has made: in a `pre`, those before ours. @param {Element} element */
export function contentSize({ localName, childNodes }) {
  let count = childNodes.length;
  if (localName === 'pre') while (count && isAddition(childNodes[count - 1])) count -= 1;
  return count;
}

/** Those child nodes. @param {Element} element */
export const contentNodes = (element) => [...element.childNodes].slice(0, contentSize(element));

/** The last one of them. @param {Element} element @returns {ChildNode | null} */
export const lastContentNode = (element) => element.childNodes[contentSize(element) - 1] ?? null;

/** Adds children at the end of the model's. @param {Element} element @param {(Node | string)[]} children */
export function appendContent(element, ...children) {
  const next = element.childNodes[contentSize(element)];
  if (next) next.before(...children);
  else element.append(...children);
}

/** Is this one of ours? A model's elements have none of these names. @param {Node} node */
export const isAddition = (node) =>
  isElement(node) && (node.getAttribute('data-do') !== null || node.getAttribute('data-part') !== null);

/** Makes a new `pre` a code block. @param {Element} pre @param {number} number of the block in its answer */
export function addBar(pre, number) {
  setAttributes(pre, { dir: 'ltr', role: 'group', 'data-block': String(number) });
  const wrap = makeButton(pre, 'wrap');
  wrap.setAttribute('aria-pressed', 'false');
  pre.append(makeButton(pre, 'copy'), wrap);
  labelBlock(pre, '');
}

/** @param {Element} pre @param {string} name what the button does */
function makeButton(pre, name) {
  const button = pre.ownerDocument.createElement('button');
  setAttributes(button, { type: 'button', 'data-do': name });
  return button;
}

/** The block is complete, and can be drawn: one more button, before the others. @param {Element} pre */
export function addDiagramButton(pre) {
  const button = makeButton(pre, 'diagram');
  button.setAttribute('aria-pressed', 'false');
  labelButton(button, String(pre.getAttribute('aria-label')));
  setAttributes(pre, { 'data-diagram': '' });
  buttonsOf(pre)[0].before(button);
}

/** Says which block it is. @param {Element} pre @param {string} language */
export function labelBlock(pre, language) {
  const n = String(pre.getAttribute('data-block'));
  const block = t(language ? 'content.code.language' : 'content.code', { n, language });
  pre.setAttribute('aria-label', block);
  for (const button of buttonsOf(pre)) if (button.getAttribute('data-do')) labelButton(button, block);
}

/** @param {Element} button @param {string} block its name */
function labelButton(button, block) {
  const name = button.getAttribute('data-do');
  setAttributes(button, { 'data-caption': t(`button.${name}`), 'aria-label': t(`content.code.${name}`, { block }) });
}

/** @param {Element} pre */
const buttonsOf = (pre) => /** @type {HTMLElement[]} */ ([...pre.childNodes].slice(contentSize(pre)));

/** @param {Element} pre @param {string} name what the button does */
export const barButton = (pre, name) => buttonsOf(pre).find((each) => each.getAttribute('data-do') === name);

/**
 * The text of a block as the model wrote it. Without its last line feed: pasted into a terminal, that would run it.
 * @param {Element} pre
 */
export const codeOf = (pre) =>
  contentNodes(pre)
    .map((node) => node.textContent)
    .join('')
    .replace(/\n$/, '');
