// Every state of an answer: what the line says, which buttons stand there, what is spoken. In a page: tests/browser/screen/answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { drawStatus, makeTurn, statusOf, updateStatus } from '../../web/shared/article.js';
import { LIVE, announcement, isFlowing, waitAnnouncement } from '../../web/shared/status.js';
import { elements, json, opsOf, paper, speak } from './support.js';

speak();

const { numbers, rows } = json('data/answer_states.json');
/** How long a person listens to what is spoken, in ms. */
const LISTENING = 6000;

/**
 * An answer that has come into the state of a row, and the status before it.
 * @param {any} row
 */
function reached(row) {
  const raw = (/** @type {string} */ state, /** @type {object} */ more) => ({
    message: 'a1',
    author: 'assistant',
    status: { seq: 0, saved: 0, tokens: 0, seconds: 0, rate: 0, ...numbers, state, ...more },
  });
  const turn = makeTurn(paper, raw(row.before, {}), 1);
  updateStatus(turn, /** @type {any} */ (statusOf(raw(row.before, {}))));
  if (row.text) turn.applier?.apply(opsOf(['p', 'Some text.']));
  const before = turn.status;
  updateStatus(turn, /** @type {any} */ (statusOf(raw(row.state, row.numbers))));
  drawStatus(turn, false);
  return { turn, before };
}

test('there is a row for every state', () => {
  const states = new Set(rows.map((/** @type {any} */ row) => row.state));
  assert.equal(states.size, 12);
  assert.ok([...LIVE].every((state) => states.has(state)));
});

test('every state is said in words, with its buttons', () => {
  for (const row of rows) {
    const { turn } = reached(row);
    assert.equal(turn.line.textContent, row.words);
    assert.equal(turn.line.getAttribute('title') ?? '', row.details, row.words);
    const offered = turn.actions.filter((button) => button.getAttribute('hidden') === null);
    assert.deepEqual(
      offered.map(({ textContent }) => textContent),
      row.buttons,
      row.words,
    );
    assert.equal(turn.article.getAttribute('data-state'), row.state);
    assert.equal(turn.article.getAttribute('aria-busy'), String(LIVE.has(row.state)));
  }
});

test('every state is spoken, or is not', () => {
  for (const row of rows) {
    const { turn, before } = reached(row);
    const line = announcement(before, turn.status, false);
    turn.status.at -= LISTENING;
    const late = waitAnnouncement(turn.status);
    const said = line ? (line.urgent ? `!${line.text}` : line.text) : (late ?? '');
    assert.equal(said, row.spoken, `${row.before}, then ${row.words}`);
  }
});

test('silence is said in words, and no rate stands beside it', () => {
  const row = (/** @type {object} */ more) => ({ state: 'streaming', before: 'waiting', text: true, numbers: more });
  const { turn } = reached(row({ seconds: 40 }));
  turn.status.grown -= 40_000;
  drawStatus(turn, false);
  assert.equal(turn.line.textContent, 'The model has sent nothing for 40 s. 214 tokens saved here.');
  assert.equal(isFlowing(turn.status), false);
  assert.equal(waitAnnouncement(turn.status), 'The model sends nothing at the moment');
  // A status with the same tokens is no word of the model; one more token is.
  const again = (/** @type {number} */ tokens) => ({
    ...turn.status,
    tokens,
    at: performance.now(),
    grown: performance.now(),
  });
  updateStatus(turn, again(214));
  drawStatus(turn, false);
  assert.equal(turn.line.textContent, 'The model has sent nothing for 40 s. 214 tokens saved here.');
  updateStatus(turn, again(215));
  drawStatus(turn, false);
  assert.equal(turn.line.textContent, '215 tokens, 31/s, 40 s, saved to 215');
  assert.equal(isFlowing(turn.status), true);
});

test('a rate that would be written as 0 is not written', () => {
  for (const [state, more, words] of [
    ['streaming', {}, '214 tokens, 7 s, saved to 214'],
    ['streaming', { saved: 0 }, '214 tokens, 7 s, not saved in this browser'],
    ['complete', {}, '214 tokens, 7 s'],
  ]) {
    const { turn } = reached({
      state,
      before: 'waiting',
      text: true,
      numbers: { .../** @type {object} */ (more), rate: 0.04 },
    });
    assert.equal(turn.line.textContent, words);
    assert.equal(isFlowing(turn.status), false);
  }
});

test('whoever is signed out finds the way to the sign-in, and only they do', () => {
  const error = { message: 'Sign in', hint: '', problem: { code: 'sign_in', values: {} } };
  const raw = (/** @type {object} */ status) => ({
    message: 'a1',
    author: 'assistant',
    status: { seq: 0, saved: 0, tokens: 0, seconds: 0, rate: 0, ...numbers, ...status },
  });
  const turn = makeTurn(paper, raw({ state: 'sending' }), 1);
  const links = () => elements(turn.article, 'a').map((link) => [link.getAttribute('href'), link.textContent]);
  for (const [status, count] of /** @type {[object, number][]} */ ([
    [{ state: 'sending' }, 0],
    [{ state: 'queued', error }, 1],
    [{ state: 'reconnecting', error, attempt: 2 }, 1],
    [{ state: 'streaming' }, 0],
    [{ state: 'reconnecting', attempt: 1 }, 0],
  ])) {
    updateStatus(turn, /** @type {any} */ (statusOf(raw(status))));
    drawStatus(turn, false);
    drawStatus(turn, false);
    assert.deepEqual(links(), Array(count).fill(['sign-in?next=', 'Sign in']));
    if (count) assert.match(turn.line.textContent ?? '', /Sign in again/);
  }
});
