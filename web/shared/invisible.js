// Characters that nobody sees: they speak to a machine, reverse the order of the others, or hide bytes. Each of their units is
// replaced by a visible character, so that people see everything that they copy. The length stays, because the engine counts
// these units. The same rules for files and the clipboard are in py/midstream/markdown/invisible.py.

/** A quick look: most texts have none of them. */
const SUSPECT =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: the selectors alone are meant, as units
  /[\u00AD\u061C\u115F\u1160\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF9-\uFFFB\u{1D173}-\u{1D17A}\u{E0000}-\u{E01EF}]/u;

const RULES = [
  // Nobody needs these: fillers, invisible operators, embeddings and overrides of direction, marks of other formats.
  /[\u115F\u1160\u180E\u202A-\u202E\u2060-\u2065\u206A-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{1D173}-\u{1D17A}]/u,
  // Where a line may end, except in scripts without spaces; joiners after Latin letters.
  /(?<![\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])\u200B|(?<=[ -~])[\u200C\u200D]/u,
  // Tag characters, except in a flag (England, Scotland, Wales).
  /(?<!\u{1F3F4}[\u{E0020}-\u{E007E}]{0,6})[\u{E0020}-\u{E007F}]|[\u{E0000}-\u{E001F}]/u,
  // Variation selectors, except the first one after a character that has such forms; a replaced one counts as one.
  /(?<!\p{Script=Han})[\u{E0100}-\u{E01EF}]|(?<=[\uFE00-\uFE0F\uFFFD])[\uFE00-\uFE0F]/u,
  /(?<=[\p{L}\p{M}\p{Z}\n])(?<!\p{Emoji})[\uFE0E\uFE0F]/u,
  /(?<=[\p{L}\p{M}\p{N}\p{Z}\n])(?<![\p{Script=Han}\p{Script=Myanmar}\p{Script=Phags_Pa}])[\uFE00-\uFE0D]/u,
];
const HIDDEN = new RegExp(RULES.map(({ source }) => source).join('|'), 'gu');
/** Isolates and marks of direction are good manners in a sentence; in code they make a line read as another one. */
const TURNS = /[\u00AD\u061C\u200E\u200F\u2066-\u2069]/g;
/** Code in Markdown: in fences, or on a line. */
const CODE = /(`{3,}|~{3,})[\s\S]*?(?:\1|$)|`[^`\n]*`/g;
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
