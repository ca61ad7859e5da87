// Invisible characters that speak to a machine or reverse the order of the others. Each of their units is replaced by a
// visible character, so that people see everything that they copy. The length stays, because the engine counts these
// units.

/** A quick look: most texts have none of them. */
// biome-ignore lint/suspicious/noMisleadingCharacterClass: the selectors alone are meant, as units
const SUSPECT = /[\u202A-\u202E\u2066-\u2069\uFE00-\uFE0F\u{E0000}-\u{E01EF}]/u;
// Tag characters, except in a flag (England, Scotland, Wales). Variation selectors, except the first one after a
// character; a replaced one counts as one. Embeddings and overrides of direction.
const HIDDEN =
  /(?<!\u{1F3F4}[\u{E0020}-\u{E007E}]{0,6})[\u{E0000}-\u{E007F}]|(?<!\p{Script=Han})[\u{E0100}-\u{E01EF}]|(?<=[\uFE00-\uFE0F\uFFFD])[\uFE00-\uFE0F]|[\u202A-\u202E]/gu;
/** Code in Markdown: in fences, or on a line. */
const CODE = /(`{3,}|~{3,})[\s\S]*?(?:\1|$)|`[^`\n]*`/g;
/** Isolates are good manners in a sentence; in code they make a line read as another one. */
const TURNS = /[\u2066-\u2069]/g;
const MARK = '\uFFFD';
/** Units before a character that can be of importance for it. */
const CONTEXT = 16;

/**
 * @param {string} more
 * @param {string} before the text before it, already replaced
 * @param {boolean} code
 */
export function visible(more, before, code) {
  if (!SUSPECT.test(more)) return more;
  const start = before.slice(-CONTEXT);
  const all = (start + more).replace(HIDDEN, (found) => MARK.repeat(found.length)).slice(start.length);
  return code ? all.replace(TURNS, MARK) : all;
}

/** A text in Markdown with the same marks as its content has on the screen. @param {string} text */
export function visibleMarkdown(text) {
  return visible(text, '', false).replace(CODE, (code) => visible(code, '', true));
}

/**
 * Without the blank lines before it and the white space after it. The first line keeps its indentation: it may be Python
 * or YAML. midstream/text.py does the same; tests/unit/twins/prompts.json tests both.
 * @param {string} text
 */
export const promptOf = (text) => text.trimEnd().replace(/^(?:[^\S\n]*\n)+/, '');
