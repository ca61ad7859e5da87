// Whether Python still answers: how long a silence may be, and which one means nothing; and how work is kept from silencing it.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { offerTimeLimit } from '../../web/engine/pyodide/time_limit.mjs';
import { Watchdog } from '../../web/engine/watchdog.js';
import { WorkNote } from '../../web/engine/work_note.js';

/** Timers that a test moves. */
class Clock {
  now = 0;
  /** @type {Map<number, {at: number, go: () => void}>} */
  timers = new Map();
  made = 0;

  install() {
    const set = (/** @type {() => void} */ go, /** @type {number} */ ms) => {
      this.timers.set((this.made += 1), { at: this.now + ms, go });
      return this.made;
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: (/** @type {number} */ id) => this.timers.delete(id) });
  }

  /** Everything that is due comes in its turn. @param {number} ms */
  run(ms) {
    const end = this.now + ms;
    for (let due = this.#next(end); due; due = this.#next(end)) this.#fire(due);
    this.now = end;
  }

  /** The machine has slept: what is due comes once. @param {number} ms */
  leap(ms) {
    this.now += ms;
    for (const [id, { at }] of [...this.timers]) if (at <= this.now) this.#fire([id, this.timers.get(id)]);
  }

  /** @param {number} end */
  #next(end) {
    const due = [...this.timers].filter(([, { at }]) => at <= end);
    return due.sort(([, a], [, b]) => a.at - b.at)[0];
  }

  /** @param {any} timer */
  #fire([id, { at, go }]) {
    this.timers.delete(id);
    this.now = Math.max(this.now, at);
    go();
  }
}

const page = { hidden: false };
Object.assign(globalThis, { document: page });
let clock = new Clock();
let lost = 0;
let watchdog = new Watchdog(
  () => {},
  () => {},
);

beforeEach(() => {
  page.hidden = false;
  lost = 0;
  clock = new Clock();
  clock.install();
  watchdog = new Watchdog(
    () => {},
    () => (lost += 1),
  );
  watchdog.begin();
});

test('silence in a row is the end', () => {
  clock.run(34_000);
  assert.equal(lost, 0);
  clock.run(2_000);
  assert.equal(lost, 1);
});

test('one answer begins the count anew', () => {
  for (let i = 0; i < 4; i++) {
    clock.run(29_000);
    watchdog.beat();
  }
  assert.equal(lost, 0);
});

test('a leap of the clock counts once', () => {
  // The machine has slept for an hour: the timer that was due fires, and there was no time for an answer.
  clock.run(6_000);
  clock.leap(3_600_000);
  clock.run(1_000);
  assert.equal(lost, 0);
});

test('what a hidden page misses means nothing', () => {
  page.hidden = true;
  clock.run(300_000);
  assert.equal(lost, 0);
  page.hidden = false;
  clock.run(28_000);
  assert.equal(lost, 0);
});

test('an error makes it look closer', () => {
  watchdog.suspect();
  clock.run(7_000);
  assert.equal(lost, 1);
});

// What interrupts Python in a piece of work, and what is remembered of work over which Python was lost

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
