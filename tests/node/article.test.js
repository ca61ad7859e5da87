// A turn: what stands folded in it, and the line that leads to its other versions.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  drawQuestion,
  drawStatus,
  makeTurn,
  paintRows,
  statusOf,
  updateStatus,
  versionPicker,
} from '../../web/shared/article.js';
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

// Versions

test('odd versions are none', () => {
  for (const odd of [[0, 2], [3, 2], [1, 1], ['x', 2], '2 of 2', null, [1.5, 2]]) {
    assert.equal(versionPicker(paper, odd), null, JSON.stringify(odd));
  }
});

test('at an end there is nothing to go on to', () => {
  for (const [place, off] of [
    [
      [1, 3],
      [true, false],
    ],
    [
      [2, 3],
      [false, false],
    ],
    [
      [3, 3],
      [false, true],
    ],
  ]) {
    const line = /** @type {HTMLElement} */ (versionPicker(paper, place));
    const buttons = elements(line, 'button');
    assert.deepEqual(
      buttons.map((button) => button.getAttribute('disabled') !== null),
      off,
    );
    assert.equal(elements(line, 'span')[0].textContent, `${place[0]} of ${place[1]}`);
  }
});
