// What is too large to be drawn, seen in the source alone. A drawing can be ended (diagram_sandbox.js), but not in every
// browser, and a page that draws what is far too much for a person to see has waited for nothing.

/** Characters of a diagram. */
const LONGEST = 4000;
/** Lines, or statements on one line. */
const STATEMENTS = 150;
/** Names of nodes, with a place each, even if nothing joins them. */
const NODES = 200;
/** Units that a drawing is wide or high. */
const WIDEST = 30_000;
/** The number in a configuration: a width, a distance. */
const CONFIGURED = 2000;

/** Edges of a diagram; Mermaid counts these itself. */
export const EDGES = 100;
/** Characters of a drawing. */
export const HEAVIEST = 1_000_000;

/**
 * Numbers that say how many there are, or how long something is, by kind of diagram: each is one thing that is drawn or one round
 * of a loop. All others (a year, an amount) may be as large as they like.
 * @type {[kind: RegExp, number: RegExp, greatest: number][]}
 */
const COUNTS = [
  [/^block/, /\bcolumns\s+(\d+)/g, 100],
  [/^block/, /:\s*(\d+)/g, 100],
  [/^packet/, /(\d+)/g, 1024],
  [/^radar/, /\bticks\s+(\d+)/g, 50],
  [/^gantt/, /(?<![\d.])(\d+(?:\.\d+)?)\s*(?:ms|[smhdwMy])\b/g, 5000],
  [/^gantt/, /\btickInterval\s+\d+\s*(?:milli)?second()/gi, -1],
  [/^gantt/, /^()(?=([\s\S]*?\bexcludes\b))\2[\s\S]*?\b(?:[03-9]\d{3}|[1-9]\d{4,}|2[2-9]\d\d)-\d\d?/g, -1],
  [/^(?:journey|C4|treemap|kanban|mindmap|timeline)/, /(\d{6,})/g, 999_999],
];
/** Kinds in which a word stands for a node, so many may stand on one line. */
const BY_WORDS = /^(?:graph|flowchart|block|state|class|er|requirement|architecture)/;

const SETTINGS = /^\s*---\n[\s\S]*?\n---\s*\n|%%\{[\s\S]*?\}%%/g;
const REMARKS = /%%[^\n]*/g;
const COLOURS = /#[0-9a-f]{3,8}\b/gi;
/** What stands in a node or on an arrow. */
const LABELS = /"[^"\n]*"|\[[^[\]\n]*\]|\([^()\n]*\)|\{[^{}\n]*\}|\|[^|\n]*\||:[^\n:]*$/gm;
/** A character by its name, whose semicolon ends no statement. */
const NAMED = /#\w+;/g;

/** @param {string} text the source of a diagram */
export function isTooLarge(text) {
  if (text.length > LONGEST || text.split('\n').length > STATEMENTS) return true;
  const settings = (text.match(SETTINGS) ?? []).join('\n');
  const body = text.replace(SETTINGS, '').replace(REMARKS, '').replace(NAMED, '').trim();
  return configuresMuch(settings) || countsMuch(body) || statements(body) > STATEMENTS || nodes(body) > NODES;
}

/** @param {number} width @param {number} height of a drawing, in its own units */
export const isTooWide = (width, height) => !(width > 0 && height > 0 && width <= WIDEST && height <= WIDEST);

/** @param {string} settings */
function configuresMuch(settings) {
  const plain = settings.replace(COLOURS, '').replace(/_/g, '');
  return /\d[eE][+]?\d|\b0[xob]\d/.test(plain) || (plain.match(/\d+/g) ?? []).some((each) => Number(each) > CONFIGURED);
}

/** @param {string} body */
function countsMuch(body) {
  const bare = body.replace(/"[^"\n]*"/g, '""');
  return COUNTS.some(([kind, number, greatest]) => {
    if (!kind.test(body)) return false;
    return [...bare.matchAll(number)].some(([, found]) => Number(found) > greatest);
  });
}

/** @param {string} body */
const statements = (body) => body.split(/[\n;]/).filter((each) => each.trim()).length;

/** @param {string} body */
function nodes(body) {
  if (!BY_WORDS.test(body)) return 0;
  return new Set(body.replace(LABELS, ' ').match(/[\p{L}\p{N}_]+/gu)).size;
}
