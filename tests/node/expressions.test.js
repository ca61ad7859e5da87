// No regular expression of the page costs more than in proportion to the text: twice the text, at most 2.5 times the work. All
// are tested, whatever they are meant for; those of Python are in tests/growth/test_growth.py.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const WEB = new URL('../../web/', import.meta.url);
const LENGTH = 20_000;
/** A work that grew with the square would take a hundred times as long. */
const LINEAR_MS = 3;
/** All of a text at once against its pieces: 2.5 times the work for twice the text. */
const PIECES = 16;
const ENOUGH = (2.5 / 2) ** 4;
const ROUNDS = 5;
const SHAPES = [
  'a',
  ' ',
  '\n',
  '\t',
  '0',
  '-',
  '/',
  '<',
  '>',
  '{',
  '[',
  '`',
  '"',
  '.',
  'é',
  '\u{E0041}',
  '\uFE0F',
  '\u202E',
  '潮',
  '\u{1F3F4}',
];

/** They read the app's own page. Their beginnings. @type {Record<string, string[]>} */
const OWN = {
  'worker/prerender.js': ['^(.*)<!--scripts-->', '(?<=<body>)', '(<[^>]* data-words', ' aria-label', ' placeholder'],
};

/** What may stand before an expression; elsewhere a slash divides. */
const BEFORE = /(?:^|[=(,:;[!&|?{}]|\breturn)\s*$/;
const TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\/(?![/*])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/g;

/** The expressions of a source, found without a parser: our sources are formatted, and have no surprises. @param {string} source @returns {RegExp[]} */
function regexLiterals(source) {
  const found = [];
  for (const { 0: token, index } of source.matchAll(TOKENS)) {
    if (!token.startsWith('/') || /^\/[/*]/.test(token)) continue;
    if (!BEFORE.test(source.slice(Math.max(0, index - 80), index))) continue;
    const end = token.lastIndexOf('/');
    found.push(new RegExp(token.slice(1, end), token.slice(end + 1)));
  }
  return found;
}

/** @param {() => void} work milliseconds of this process */
function cpu(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Its characters are what it looks for. @param {RegExp} expression */
function shapes({ source }) {
  const plain = source.replace(/\\[dwsSWDbB]|\\u\{?[0-9a-fA-F]+\}?|\\p\{[^}]*\}|[\\()[\]{}|?*+^$]/g, '');
  return [...SHAPES, plain, plain.slice(0, 1), plain.slice(0, 2), plain.slice(1)].filter(Boolean);
}

/** @param {RegExp} expression @param {string} shape @param {string} end */
function grows(expression, shape, end) {
  const one = (/** @type {number} */ length, times = 1) => {
    const text = shape.repeat(length).slice(0, length) + end;
    return cpu(() => {
      for (let i = 0; i < times; i++) text.replace(expression, '');
    });
  };
  if (one(LENGTH) < LINEAR_MS) return false;
  let [pieces, whole] = [Infinity, Infinity];
  for (let i = 0; i < ROUNDS; i++) {
    pieces = Math.min(pieces, one(LENGTH / PIECES, PIECES));
    whole = Math.min(whole, one(LENGTH));
    if (whole <= Math.max(pieces, 0.5) * ENOUGH) return false;
  }
  return true;
}

const files = readdirSync(WEB, { recursive: true })
  .map(String)
  .filter((name) => /\.m?js$/.test(name))
  .sort();

test('the work of every expression grows with the text', () => {
  const bad = [];
  let count = 0;
  for (const file of files)
    for (const expression of regexLiterals(readFileSync(new URL(file, WEB), 'utf8'))) {
      count += 1;
      if (OWN[file]?.some((begin) => expression.source.startsWith(begin))) continue;
      for (const shape of shapes(expression))
        for (const end of ['', '\0', 'Z'])
          if (grows(expression, shape, end)) bad.push([file, String(expression), shape, end]);
    }
  assert.deepEqual(bad, []);
  assert.ok(count > 40, `${count} expressions were found`);
});

test('expressions are told from divisions, texts and comments', () => {
  const source = `const a = /a\\/[/]b/g; // and /no/ one
const b = a / 2 / c, d = '/no/', e = f(/e/u, "/no/"); /* /no/ */ return /g/.test(x) ? /h/ : \`\${i / 2}/no\``;
  assert.deepEqual(regexLiterals(source).map(String), ['/a\\/[/]b/g', '/e/u', '/g/', '/h/']);
});
