// Colours of code: the engine sends spans of text, and the CSS Custom Highlight API shows them. That makes or changes
// no node, so a selection stays; a browser without it shows plain text. Only code near the visible part is painted,
// because a browser goes through all registered spans whenever one changes.

import { COLOUR_KINDS } from '../../shared/constants.js';

const FIELDS = 3; // kind, first and end
/** The margin around the visible part in which blocks are painted too. */
const NEAR = '100% 0px';

/** @typedef {{spans: number[], painted: [Highlight, AbstractRange][], near: boolean}} Block */

export class Colours {
  /** @type {WeakMap<Element, Block>} */
  #blocks = new WeakMap();
  /** @type {Highlight[]} */
  #kinds;
  #watch;

  /** @param {Element} scroller */
  constructor(scroller) {
    const able = typeof Highlight === 'function' && CSS.highlights !== undefined;
    this.#kinds = able ? COLOUR_KINDS.map(() => new Highlight()) : [];
    for (const [i, highlight] of this.#kinds.entries()) CSS.highlights.set(`code-${COLOUR_KINDS[i]}`, highlight);
    this.#watch = new IntersectionObserver((entries) => this.#seen(entries), { root: scroller, rootMargin: NEAR });
  }

  /**
   * @param {Element | undefined} code
   * @param {unknown} kept the number of known spans that stay
   * @param {unknown} spans those after them, three numbers each
   */
  set(code, kept, spans) {
    if (!code || !this.#kinds.length || !Number.isSafeInteger(kept) || !isSpans(spans)) return;
    const block = this.#blocks.get(code) ?? { spans: [], painted: [], near: false };
    block.spans.splice(Number(kept) * FIELDS, Infinity, ...spans);
    if (!this.#blocks.has(code)) this.#watch.observe(code);
    this.#blocks.set(code, block);
    if (block.near) this.#paint(code, block, Number(kept));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const block = this.#blocks.get(target);
      if (!block) continue;
      block.near = isIntersecting && target.isConnected;
      this.#paint(target, block, 0);
      if (!target.isConnected) this.#watch.unobserve(target); // taken away, with its conversation or by a reset
    }
  }

  /** @param {Element} code @param {Block} block @param {number} from which span on */
  #paint(code, block, from) {
    for (const [highlight, range] of block.painted.splice(from)) highlight.delete(range);
    const text = code.firstChild;
    // A browser's parser cuts a very long text in two: offsets in it would be wrong.
    if (!block.near || !(text instanceof Text) || text.nextSibling) return;
    for (let at = from * FIELDS; at < block.spans.length; at += FIELDS) {
      const [kind, startOffset, endOffset] = block.spans.slice(at, at + FIELDS);
      const range = new StaticRange({ startContainer: text, startOffset, endContainer: text, endOffset });
      this.#kinds[kind].add(range);
      block.painted.push([this.#kinds[kind], range]);
    }
  }
}

/** @param {unknown} spans @returns {spans is number[]} */
function isSpans(spans) {
  if (!Array.isArray(spans) || spans.length % FIELDS) return false;
  return spans.every(
    (each, i) => Number.isSafeInteger(each) && each >= 0 && (i % FIELDS || each < COLOUR_KINDS.length),
  );
}
