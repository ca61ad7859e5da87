// What went wrong, as it is said: by its code, in the words of the page. Where it stands: tests/browser/screen/test_problems.py.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseTrouble, problemText, troubleText } from '../../web/shared/problem.js';
import { speak } from './support.js';

speak();

/** @param {object} more */
const line = (more) => troubleText(parseTrouble({ message: 'It came in English.', hint: 'Do this.', ...more }));

test('a code that is not known is said as it came', () => {
  assert.equal(line({ problem: { code: 'of_tomorrow' } }), 'It came in English. Do this.');
  assert.equal(line({ problem: 'gone' }), 'It came in English. Do this.');
  assert.equal(line({ problem: { code: 'gone', values: 1, parts: {} } }), 'The server no longer has this answer.');
});

test('a quote does not turn the sentence round', () => {
  const quote = '\u202eخطأ\n\u2069 401';
  const wanted = 'The endpoint reported an error. Message: “\u2068\ufffdخطأ \ufffd 401\u2069”';
  assert.equal(line({ problem: { code: 'endpoint_error', quote } }), wanted);
});

test('numbers are written the language’s way', () => {
  assert.match(
    line({ problem: { code: 'event_too_large', values: { limit: 16_777_216 } } }),
    /more than 16,777,216 bytes/,
  );
});

test('what is wrong with each part of a file is said', () => {
  const bad = {
    code: 'in_message',
    values: { number: 3 },
    parts: [{ code: 'unusable_form', values: { field: 'text' } }],
  };
  const parts = [
    { code: 'in_conversation', values: { number: 1 }, parts: [bad] },
    { code: 'import_more', values: { n: 2 } },
  ];
  assert.equal(
    problemText('', { code: 'import_some', values: { n: 1 }, parts }),
    '1 conversation was added. Not usable: conversation 1: message 3: “text” cannot be read; and 2 more.',
  );
});
