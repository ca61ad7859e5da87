// Texts from outside the app: in an address from another app, a link or a shortcut, and in files. They become a draft
// and nothing else: nothing is sent by itself, and no address in them is opened.

import { promptOf } from '../../shared/invisible.js';

const PROTOCOL = 'web+midstream:';
/** Characters of such a text: a draft is stored anew with every keystroke. */
const LONGEST = 100_000;
/** Bytes of a file that may hold no more characters; a larger one is not even read. */
const LARGEST = 4 * LONGEST;

// A person must see the text that is sent in their name. Tag characters show nothing anywhere, except in the flags of
// England, Scotland and Wales; control characters show nothing or confuse.
const HIDDEN = /(\u{1F3F4}[\u{E0020}-\u{E007E}]{1,6}\u{E007F})|[\u{E0000}-\u{E007F}]|(?![\t\n])\p{Cc}/gu;

/** @typedef {{code: string, detail: string}} Note a notice for the person: notice.<code> */
/** @typedef {{text: string, notes: Note[]}} Incoming the notes say what is wrong with the text, if anything is */

/** The text in an address. @param {URLSearchParams} query @returns {Incoming} */
export function fromAddress(query) {
  const link = query.get('link');
  if (link === null) return cleaned(joined(query));
  const asked = URL.canParse(link) ? new URL(link) : null;
  if (asked?.protocol !== PROTOCOL || !asked.searchParams.has('text')) return refused('incoming-link', '');
  return cleaned(joined(asked.searchParams));
}

/** A text file, quoted. @param {File} file @returns {Promise<Incoming>} */
export async function fromFile(file) {
  if (file.size > LARGEST) return refused('incoming-too-large', file.name);
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
    // A cut file would look as if it ended there.
    return text.length > LONGEST ? refused('incoming-too-large', file.name) : cleaned(quoted(file.name, text));
  } catch (error) {
    console.warn('midstream: file', error);
    return refused(error instanceof TypeError ? 'incoming-not-text' : 'incoming-unreadable', file.name);
  }
}

/** Title, text and address, each once: other apps often repeat one of them. @param {URLSearchParams} query */
function joined(query) {
  const [title, text, url] = ['title', 'text', 'url'].map((name) => promptOf(query.get(name) ?? ''));
  const lines = [title, text, url].filter((line, i, all) => {
    return line && !all.some((other, j) => j !== i && repeats(other, line, j < i));
  });
  return lines.join('\n');
}

/** @param {string} other @param {string} line @param {boolean} earlier of two that are equal the first one stays */
const repeats = (other, line, earlier) => other.includes(line) && (other !== line || earlier);

/** In a fence that nothing in the text can close, with the name above it. @param {string} name @param {string} text */
function quoted(name, text) {
  const ticks = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([run]) => run.length)) + 1;
  const fence = '`'.repeat(ticks);
  return `${name}\n${fence}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}\n`;
}

/** @param {string} raw @returns {Incoming} */
function cleaned(raw) {
  const lines = raw.replace(/\r\n?/g, '\n');
  const seen = lines.replace(HIDDEN, '$1');
  /** @type {Note[]} */
  const notes = [];
  if (seen.length < lines.length) notes.push({ code: 'incoming-hidden', detail: '' });
  if (seen.length > LONGEST) notes.push({ code: 'incoming-cut', detail: '' });
  // No half a character at the cut.
  return { text: seen.length > LONGEST ? seen.slice(0, LONGEST).replace(/[\uD800-\uDBFF]$/, '') : seen, notes };
}

/** @param {string} code @param {string} detail @returns {Incoming} */
const refused = (code, detail) => ({ text: '', notes: [{ code, detail }] });
