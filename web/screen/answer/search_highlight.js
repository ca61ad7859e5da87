// The words that were looked for, in the text itself: marked without touching a node, and brought into view.

import { hide } from './diagram_view.js';

/** As the engine folds: without case, accents and forms. @param {string} text */
const fold = (text) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
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
  const first = turn && mark(turn.content, hit.text);
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
 * @param {string} text what was looked for
 * @returns {Range | null} the first place
 */
function mark(content, text) {
  unmark();
  const words = [...new Set(fold(text).split(/\s+/).filter(Boolean))];
  const ranges = words.length ? places(content, words) : [];
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
 * @param {string[]} words folded
 */
function places(content, words) {
  const ranges = [];
  const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node && ranges.length < MOST; node = walker.nextNode()) {
    const { data } = /** @type {Text} */ (node);
    const folded = fold(data);
    for (const word of words) {
      for (let at = folded.indexOf(word); at >= 0 && ranges.length < MOST; at = folded.indexOf(word, at + word.length)) {
        ranges.push(range(/** @type {Text} */ (node), folded, at, at + word.length));
      }
    }
  }
  return ranges.sort((a, b) => a.compareBoundaryPoints(Range.START_TO_START, b));
}

/**
 * @param {Text} node
 * @param {string} folded its text
 * @param {number} from
 * @param {number} to both in the folded text
 */
function range(node, folded, from, to) {
  const found = document.createRange();
  found.setStart(node, position(node.data, folded, from));
  found.setEnd(node, position(node.data, folded, to));
  return found;
}

/**
 * @param {string} text
 * @param {string} folded
 * @param {number} at
 */
function position(text, folded, at) {
  if (text.length === folded.length) return at; // nothing was longer or shorter
  let position = 0;
  for (const character of text) {
    const { length } = fold(character);
    if (at < length || (at === 0 && length > 0)) break;
    at -= length;
    position += character.length;
  }
  return position;
}
