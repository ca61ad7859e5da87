// The words that were looked for, in the text itself: marked without touching a node, and brought into view.

import { hide } from './diagram_view.js';

/** Marks in one message: more would only slow the page down. */
const MOST = 500;

/** What is to be revealed as soon as its text is there. @type {import('../sidebar/search_panel.js').Hit | null} */
let undrawn = null;

/**
 * @param {import('../sidebar/search_panel.js').Hit} hit
 * @param {Map<string, import('../../shared/article.js').Turn>} turns that are shown
 * @param {import('../page/scroll.js').Scroll} scroll
 * @returns {boolean} false when its message is not shown; it is revealed when that comes
 */
export function reveal(hit, turns, scroll) {
  const turn = turns.get(hit.message);
  const first = turn && mark(turn.content, hit.spellings);
  undrawn = first ? null : hit;
  if (!turn) return false;
  scroll.toElement(turn.article); // what lies far away may not have been laid out yet
  const drawn = first?.startContainer.parentElement?.closest('pre[data-drawn]');
  if (drawn instanceof HTMLElement) hide(drawn); // the words stand in its source
  if (first) scroll.toElement(first);
  return true;
}

/**
 * Something of a message has come: what was loaded out of a file is drawn when it is first opened.
 * @param {string} message
 * @param {Map<string, import('../../shared/article.js').Turn>} turns
 * @param {import('../page/scroll.js').Scroll} scroll
 */
export function drawn(message, turns, scroll) {
  if (undrawn?.message === message) reveal(undrawn, turns, scroll);
}

/**
 * @param {HTMLElement} content of the message
 * @param {string[]} spellings
 * @returns {Range | null} the first place
 */
function mark(content, spellings) {
  unmark();
  const ranges = places(content, spellings);
  if (ranges.length && 'highlights' in CSS) {
    document.documentElement.dataset.found = ''; // for the style sheet
    CSS.highlights.set('found', new Highlight(...ranges));
  }
  return ranges[0] ?? null;
}

export function unmark() {
  undrawn = null;
  delete document.documentElement.dataset.found;
  if ('highlights' in CSS) CSS.highlights.delete('found');
}

/**
 * @param {HTMLElement} content
 * @param {string[]} spellings
 */
function places(content, spellings) {
  const ranges = [];
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && ranges.length < MOST; node = walker.nextNode()) {
    const text = /** @type {Text} */ (node);
    for (const words of spellings) {
      for (let at = text.data.indexOf(words); at >= 0 && ranges.length < MOST; at = text.data.indexOf(words, at + words.length)) {
        ranges.push(range(text, at, at + words.length));
      }
    }
  }
  return ranges.sort((a, b) => a.compareBoundaryPoints(Range.START_TO_START, b));
}

/**
 * @param {Text} text
 * @param {number} from
 * @param {number} to
 */
function range(text, from, to) {
  const found = document.createRange();
  found.setStart(text, from);
  found.setEnd(text, to);
  return found;
}
