// Search results in the text itself: highlighted without a change of any node, and scrolled into view.

import { drawQuestion } from '../../shared/article.js';
import { html } from '../page/page.js';
import { hideDiagram } from '../diagrams/diagram_view.js';

/** Highlights in one message: more would only slow the page down. */
const MOST = 500;

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {{message: string, spellings: string[]}} Match `spellings`: the words as that message has them */

export class SearchHighlight {
  /** Is to be revealed as soon as its text is there. @type {Match | null} */
  #waiting = null;

  /**
   * @param {{turns: Map<string, Turn>}} transcript
   * @param {Pick<import('../page/scroll.js').Scroll, 'toElement'>} scroll
   */
  constructor(transcript, scroll) {
    this.transcript = transcript;
    this.scroll = scroll;
  }

  /** @param {Match} match @returns {boolean} false when its message is not visible; it is revealed when that comes */
  reveal(match) {
    const turn = this.transcript.turns.get(match.message);
    if (turn && !turn.applier && !turn.whole && turn.fold) unfold(turn);
    const first = turn && this.#highlight(turn.content, match.spellings);
    this.#waiting = first ? null : match;
    if (!turn) return false;
    this.scroll.toElement(turn.article); // text far away may not have been laid out yet
    const drawn = first?.startContainer.parentElement?.closest('pre[data-drawn]');
    if (drawn instanceof HTMLElement) hideDiagram(drawn); // the match is in its source
    if (first) this.scroll.toElement(first);
    return true;
  }

  /** A message has got text: an imported one is parsed when it is first opened. @param {string} message */
  changed(message) {
    if (this.#waiting?.message === message) this.reveal(this.#waiting);
  }

  clear() {
    this.#waiting = null;
    delete html.dataset.found;
    if ('highlights' in CSS) CSS.highlights.delete('found');
  }

  /**
   * @param {HTMLElement} content of the message
   * @param {string[]} spellings
   * @returns {Range | null} the first match
   */
  #highlight(content, spellings) {
    this.clear();
    const ranges = rangesOf(content, spellings);
    if (ranges.length && 'highlights' in CSS) {
      html.dataset.found = ''; // for the style sheet
      CSS.highlights.set('found', new Highlight(...ranges));
    }
    return ranges[0] ?? null;
  }
}

/** The match may be in the part of a question that is not shown. @param {Turn} turn */
function unfold(turn) {
  turn.whole = true;
  drawQuestion(turn);
}

/** @param {HTMLElement} content @param {string[]} spellings */
function rangesOf(content, spellings) {
  const ranges = [];
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && ranges.length < MOST; node = walker.nextNode()) {
    const text = /** @type {Text} */ (node);
    for (const spelling of spellings) {
      let at = text.data.indexOf(spelling);
      while (at >= 0 && ranges.length < MOST) {
        ranges.push(makeRange(text, at, at + spelling.length));
        at = text.data.indexOf(spelling, at + spelling.length);
      }
    }
  }
  return ranges.sort((a, b) => a.compareBoundaryPoints(Range.START_TO_START, b));
}

/** @param {Text} text @param {number} from @param {number} to */
function makeRange(text, from, to) {
  const range = document.createRange();
  range.setStart(text, from);
  range.setEnd(text, to);
  return range;
}
