// What interrupts Python in a piece of work, and what is remembered of work over which Python was lost.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { offerTimeLimit } from '../../web/engine/pyodide/time_limit.mjs';
import { WorkNote } from '../../web/engine/work_note.js';

const stored = new Map();
const storage = {
  getItem: (/** @type {string} */ key) => stored.get(key) ?? null,
  setItem: (/** @type {string} */ key, /** @type {string} */ value) => void stored.set(key, value),
};

beforeEach(() => {
  stored.clear();
  Object.defineProperty(globalThis, 'localStorage', { value: storage, configurable: true });
});

test('Python is interrupted once, after the time of a limit', () => {
  let now = 1000;
  Object.defineProperty(globalThis, 'performance', { value: { now: () => now }, configurable: true });
  /** @type {any} */
  let buffer;
  offerTimeLimit({ setInterruptBuffer: (/** @type {unknown} */ given) => (buffer = given) });
  const limit = /** @type {any} */ (globalThis).midstreamTimeLimit;
  limit.begin(100);
  now = 1099;
  assert.equal(buffer[0], 0);
  now = 1101;
  assert.equal(buffer[0], 2);
  buffer[0] = 0; // as Python does
  assert.equal(buffer[0], 0);
  limit.end();
  assert.equal(buffer, undefined);
});

test('only the work over which Python was lost is kept', () => {
  const note = new WorkNote();
  note.set('a1/2');
  note.set('');
  note.keep();
  assert.deepEqual(note.kept(), []);
  note.set('a1/4');
  note.keep();
  note.keep();
  assert.deepEqual(new WorkNote().kept(), ['a1/4']);
});

test('the list does not grow for ever, and may be denied or damaged', () => {
  const note = new WorkNote();
  for (let i = 0; i < 120; i++) {
    note.set(`a/${i}`);
    note.keep();
  }
  assert.equal(note.kept().length, 100);
  assert.equal(note.kept().at(-1), 'a/119');
  stored.set('midstream.given-up', '{"no');
  assert.deepEqual(note.kept(), []);
  Object.defineProperty(globalThis, 'localStorage', {
    get() {
      throw new Error('denied');
    },
    configurable: true,
  });
  note.keep();
  assert.deepEqual(note.kept(), []);
});
