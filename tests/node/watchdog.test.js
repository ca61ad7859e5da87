// Whether Python still answers: how long a silence may be, and which one means nothing.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Watchdog } from '../../web/engine/watchdog.js';

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
