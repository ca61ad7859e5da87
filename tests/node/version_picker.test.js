// The line that leads to the other versions of a turn.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { versionPicker } from '../../web/shared/article.js';
import { elements, paper, speak } from './support.js';

speak();

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
