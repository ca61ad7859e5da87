// Characters that nobody sees: marked, in any chunking, and those that belong to a script or a flag left alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { visible, visibleMarkdown } from '../../web/shared/invisible.js';

const MARK = '\ufffd';
const ENGLAND = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}';
const TAGS = [...'evil'].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');
const FAMILY = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
const PERSIAN = '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645';

const CASES = [
  ['tags', `a${TAGS}b`, `a${MARK.repeat(8)}b`],
  ['flag', `x${ENGLAND}y`, `x${ENGLAND}y`],
  ['flag and tags', ENGLAND + TAGS, ENGLAND + MARK.repeat(8)],
  ['override', 'abc\u202edcba\u202c', `abc${MARK}dcba${MARK}`],
  ['embedding', '\u202bx', `${MARK}x`],
  ['isolate in a sentence', '\u2068name\u2069', '\u2068name\u2069'],
  ['one variation', '\u2764\ufe0f', '\u2764\ufe0f'],
  ['hidden bytes', '\u2764\ufe0f\ufe01\ufe02\ufe03', `\u2764\ufe0f${MARK.repeat(3)}`],
  ['ideograph', '\u845b\u{e0100}', '\u845b\u{e0100}'],
  ['bytes after a letter', 'a\u{e0101}\u{e0102}', `a${MARK.repeat(4)}`],
  ['family', FAMILY, FAMILY],
  ['persian', PERSIAN, PERSIAN],
  ['zero width space', 'a\u200bb', `a${MARK}b`],
  ['zero width space in Thai', '\u0e01\u200b\u0e02', '\u0e01\u200b\u0e02'],
  ['joiners in a Latin word', 'a\u200cb\u200d', `a${MARK}b${MARK}`],
  ['invisible operators', 'a\u2062\u2064b', `a${MARK}${MARK}b`],
  ['fillers', 'a\u3164\uffa0\u115f', `a${MARK.repeat(3)}`],
  ['selectors after a letter', 'a\ufe0fb\ufe00', `a${MARK}b${MARK}`],
  ['selectors after a space', ' \ufe0f\n\ufe0e', ` ${MARK}\n${MARK}`],
  ['bytes after a digit', '1\ufe03', `1${MARK}`],
  ['keycap', '1\ufe0f\u20e3', '1\ufe0f\u20e3'],
  ['a letter that is an emoji', '\u2139\ufe0f', '\u2139\ufe0f'],
  ['a form of an ideograph', '\u845b\ufe00', '\u845b\ufe00'],
  ['a mark of order', 'a\ufeffb', `a${MARK}b`],
];

/** @param {string[]} pieces */
const shown = (pieces) => pieces.reduce((before, more) => before + visible(more, before, false), '');

test('marked or left alone in any chunking', () => {
  for (const [name, text, wanted] of CASES) {
    assert.equal(shown([text]), wanted, name);
    assert.equal(shown([...text]), wanted, `${name}, one by one`);
    const [one, two, ...rest] = text;
    assert.equal(shown([one + (two ?? ''), rest.join('')]), wanted, `${name}, in two`);
  }
});

test('the clipboard gets what is shown', () => {
  const hidden = 'a\u202Eb \u2066c\u2069 `d\u2066e`\n```py\nf\u2067 = 1\n```\n~~~\ng\u2066';
  assert.equal(visibleMarkdown(hidden), 'a\uFFFDb \u2066c\u2069 `d\uFFFDe`\n```py\nf\uFFFD = 1\n```\n~~~\ng\uFFFD');
  assert.equal(visibleMarkdown('plain *text* with `code`'), 'plain *text* with `code`');
});
