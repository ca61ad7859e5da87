// Formulas: TeX drawn as MathML by Temml, which is fetched when the first formula is near the screen. Temml's tree
// becomes nodes here, from a closed vocabulary, in a shadow tree beside the source: selection, copy, search and counts
// mean the source. A formula that cannot be drawn stays as its source.

import { element, setAttributes } from '../../shared/element.js';
import { pause } from '../page/chunked.js';

/**
 * @typedef {{type?: string, text?: string, attributes?: Record<string, unknown>, style?: Record<string, unknown>,
 *   classes?: string[], children?: Tree[]}} Tree
 */
/** @typedef {{__renderToMathMLTree: (tex: string, options: object) => Tree}} Temml */

const TEMML = new URL('late/temml.js', document.baseURI).href;
const MATHML = 'http://www.w3.org/1998/Math/MathML';
/** How far from the screen they are drawn. */
const MARGIN = '100% 0px';
/** Milliseconds of drawing between two looks for input. */
const CHUNK = 8;
/** Characters of a formula, and how often its macros may be expanded. */
const LONGEST = 2000;
const EXPANSIONS = 200;
const DEEPEST = 60;
/** The longest and highest that a space or a rule may be, in em. */
const LARGEST = [30, 10];

const TAGS = new Set(
  (
    'math maction menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms ' +
    'mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none'
  ).split(' '),
);
const ATTRIBUTES = new Set(
  (
    'accent accentunder columnalign columnspan depth dir display displaystyle fence form height largeop linethickness ' +
    'lspace mathbackground mathcolor mathvariant maxsize minsize movablelimits notation rowspan rspace scriptlevel ' +
    'separator stretchy symmetric voffset width'
  ).split(' '),
);
const STYLES = new Set(
  (
    'background-color border border-bottom border-top color font-weight math-depth padding padding-left padding-right ' +
    'text-align width'
  ).split(' '),
);
/** Values that lead nowhere. */
const VALUE = /^(?!.*(?:url|image|var)\s*\()[-\w\s.,#%()+]*$/i;

export class Formulas {
  /** @type {Temml | null} */
  #temml = null;
  /** @type {Promise<void> | null} */
  #work = null;
  /** To be drawn now. @type {Element[]} */
  #waiting = [];
  #still;
  #near;

  /**
   * @param {Element} scroller
   * @param {(change: () => void) => void} still makes a change without moving the text under the reader
   */
  constructor(scroller, still) {
    this.#still = still;
    this.#near = new IntersectionObserver((entries) => this.#came(entries), { root: scroller, rootMargin: MARGIN });
    addEventListener('beforeprint', () => this.#finish());
  }

  /**
   * Those of an answer that is being written, at once if possible: else their source would be visible first.
   * @param {Element[]} formulas `code[data-math]` whose text is complete
   */
  draw(formulas) {
    if (!formulas.length) return;
    this.#waiting.push(...formulas);
    if (this.#temml && !this.#work) this.#drawUntil(Infinity);
    else this.#begin();
  }

  /** Those of an older text: as they come near the screen. @param {Element[]} formulas */
  watch(formulas) {
    for (const formula of formulas) this.#near.observe(formula);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #came(entries) {
    const near = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target);
    for (const formula of near) this.#near.unobserve(formula);
    this.#waiting.push(...near);
    if (near.length) this.#begin();
  }

  #begin() {
    this.#work ??= this.#drawWaiting().finally(() => (this.#work = null));
  }

  /** In chunks, since each formula takes some milliseconds, and its layout as many. */
  async #drawWaiting() {
    try {
      this.#temml ??= (await import(TEMML)).default;
    } catch (error) {
      console.info('midstream: formulas stay as their source:', error); // asked for again with the next one
      return;
    }
    while (this.#waiting.length) {
      this.#still(() => this.#drawUntil(performance.now() + CHUNK));
      await pause();
    }
  }

  /** At least one. @param {number} end */
  #drawUntil(end) {
    do {
      const code = this.#waiting.shift();
      if (this.#temml && code?.isConnected && !code.querySelector('*')) drawOne(this.#temml, code);
    } while (this.#waiting.length && performance.now() < end);
  }

  /** On paper all of it is near. */
  #finish() {
    const left = document.querySelectorAll('code[data-math]:not([data-drawn])');
    this.#waiting.push(...left);
    if (this.#temml && left.length) this.#drawUntil(Infinity);
  }
}

/** @param {Temml} temml @param {Element} code */
function drawOne(temml, code) {
  const tex = code.textContent ?? '';
  if (!tex || tex.length > LONGEST) return;
  const displayMode = code.getAttribute('data-math') === 'block';
  try {
    const options = { displayMode, throwOnError: true, trust: false, maxExpand: EXPANSIONS, maxSize: LARGEST };
    const host = element(document, 'span', { 'data-part': 'formula' });
    host.attachShadow({ mode: 'open' }).append(...nodesOf(temml.__renderToMathMLTree(tex, options), 0));
    code.append(host);
    // Read out once, as its source: the drawing would say it a second time.
    setAttributes(code, { role: 'img', 'aria-label': tex, 'data-drawn': '' });
    if (displayMode) code.setAttribute('tabindex', '0'); // scrolls sideways
  } catch (error) {
    code.setAttribute('title', error instanceof Error ? error.message.split('\n')[0] : String(error));
  }
}

/** @param {Tree} tree @param {number} depth @returns {Node[]} */
function nodesOf(tree, depth) {
  if (depth > DEEPEST) throw new Error('too deep');
  if (typeof tree.text === 'string') return [document.createTextNode(tree.text)];
  const children = (tree.children ?? []).flatMap((child) => nodesOf(child, depth + 1));
  if (tree.type === undefined) return children;
  if (!TAGS.has(tree.type)) throw new Error(`no MathML: ${tree.type}`);
  const node = /** @type {MathMLElement} */ (document.createElementNS(MATHML, tree.type));
  for (const [name, value] of Object.entries(tree.attributes ?? {})) {
    if (ATTRIBUTES.has(name) && VALUE.test(String(value))) node.setAttribute(name, String(value));
  }
  for (const [key, value] of Object.entries(tree.style ?? {})) {
    const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (STYLES.has(name) && VALUE.test(String(value))) node.style.setProperty(name, String(value));
  }
  // The columns of aligned lines: Temml leaves that to a style sheet of its own.
  const side = /\btml-(left|right)\b/.exec((tree.classes ?? []).join(' '));
  if (side) node.style.setProperty('text-align', side[1]);
  node.append(...children);
  return [node];
}
