// The regular expressions of a source, found without a parser: our sources are formatted, and have no surprises.

/** What may stand before an expression; elsewhere a slash divides. */
const BEFORE = /(?:^|[=(,:;[!&|?{}]|\breturn)\s*$/;
const TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/g;

/** @param {string} source @returns {RegExp[]} */
export function regexLiterals(source) {
  const found = [];
  for (const { 0: token, index } of source.matchAll(TOKENS)) {
    if (!token.startsWith('/') || /^\/[/*]/.test(token)) continue;
    if (!BEFORE.test(source.slice(Math.max(0, index - 80), index))) continue;
    const end = token.lastIndexOf('/');
    found.push(new RegExp(token.slice(1, end), token.slice(end + 1)));
  }
  return found;
}
