// Long questions and answers of very many elements: their beginning, a sentence, and a button.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { drawQuestion, drawStatus, makeTurn, paintRows, statusOf, updateStatus } from '../../web/shared/article.js';
import { visibleMarkdown } from '../../web/shared/invisible.js';
import { elements, opsOf, paper, speak } from './support.js';

speak();

const status = { state: 'complete', seq: 1, saved: 1, tokens: 1, seconds: 1, rate: 1 };
const asked = (/** @type {string} */ text) => makeTurn(paper, { message: 'u1', author: 'user', text, status }, 0);

/** @param {any[][]} ops */
function answered(ops) {
  const raw = { message: 'a1', author: 'assistant', status };
  const turn = makeTurn(paper, raw, 1);
  updateStatus(turn, /** @type {any} */ (statusOf(raw)));
  paintRows(turn, [{ n: 1, last: 1, ops }]);
  drawStatus(turn, false);
  return turn;
}

test('a usual question has no fold', () => {
  const turn = asked('How do tides work?\n'.repeat(30));
  assert.equal(turn.fold, null);
  assert.equal(turn.content.textContent, turn.text);
});

test('a long question shows its beginning, and all of it on demand', () => {
  for (const text of ['x'.repeat(1_000_000), 'line\n'.repeat(25_000), '\u{1F600}'.repeat(5000)]) {
    const turn = asked(text);
    const shown = String(turn.content.textContent);
    assert.ok(shown.length < 2500 && text.startsWith(shown.slice(0, -1)), 'its beginning');
    assert.ok(shown.isWellFormed());
    const number = new Intl.NumberFormat('en').format(text.length);
    assert.equal(turn.fold?.textContent, `Only the beginning is shown. Characters in all: ${number}.Show all`);
    turn.whole = true;
    drawQuestion(turn);
    assert.equal(turn.content.textContent, text);
    assert.equal(turn.fold?.textContent, 'Show less');
    const [button] = elements(turn.article, 'button').filter((each) => each.getAttribute('name') === 'whole');
    assert.equal(button.getAttribute('aria-expanded'), 'true');
  }
});

test('what nobody sees in a question is marked, and its own text stays', () => {
  const turn = asked('safe\u202Etxt.exe');
  assert.equal(turn.content.textContent, 'safe\uFFFDtxt.exe');
  assert.equal(turn.text, 'safe\u202Etxt.exe');
});

test('an answer of very many elements is cut, and grows by portions', () => {
  const items = Array.from({ length: 14_000 }, (_, i) => ['li', `${i}`]);
  const turn = answered(opsOf(['ul', ...items]));
  const count = () => elements(turn.content, 'li').length;
  assert.ok(count() > 5000 && count() < 7000);
  assert.match(String(turn.fold?.textContent), /Show all$/);
  assert.equal(turn.applier?.opened, 14_001, 'the numbers of what is still to come');
  let before = 0;
  while (turn.applier?.rest.length) {
    assert.ok(count() > before);
    before = count();
    turn.applier.more();
  }
  drawStatus(turn, false);
  assert.equal(count(), 14_000);
  assert.equal(elements(turn.content, 'li').at(-1)?.textContent, '13999');
  assert.equal(turn.fold?.getAttribute('hidden'), '');
  assert.equal(turn.applier?.opened, 14_001);
});

test('the clipboard gets what is shown', () => {
  const hidden = 'a\u202Eb \u2066c\u2069 `d\u2066e`\n```py\nf\u2067 = 1\n```\n~~~\ng\u2066';
  assert.equal(visibleMarkdown(hidden), 'a\uFFFDb \u2066c\u2069 `d\uFFFDe`\n```py\nf\uFFFD = 1\n```\n~~~\ng\uFFFD');
  assert.equal(visibleMarkdown('plain *text* with `code`'), 'plain *text* with `code`');
});
