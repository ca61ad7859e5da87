// What is read of stored rows, whatever they hold, and the turns that are built of them. Here the tab keeps the records, as it
// does where a browser has no database; out of a real database: tests/browser/screen/test_stored_conversation.py.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { drawStatus, makeTurn, paintRows, statusOf, updateStatus } from '../../web/shared/article.js';
import { readAll } from '../../web/shared/stored_conversation.js';
import { hush, opsOf, paper, speak } from './support.js';

speak();
hush();

/** The records that the tab holds. @type {[string, any][]} */
let held = [];
/** There is no database, and none is made. */
const indexedDB = {
  open() {
    const request = { error: { name: 'AbortError' }, onerror: (/** @type {object} */ _) => {} };
    queueMicrotask(() => request.onerror({ preventDefault() {} }));
    return request;
  },
};
Object.assign(globalThis, { indexedDB });
beforeEach(() => (held = []));

const FIRST = opsOf(['h2', 'Tides'], ['p', 'Twice a day ']);
const SECOND = [[1, 2, 'the sea rises.']];

/**
 * Rows of a conversation c1: a question u1 and an answer a1 with these patches, ten events and tokens each.
 * @param {any[]} patches
 * @param {string} [state]
 * @returns {any[]}
 */
function rows(patches, state = 'streaming') {
  const common = { conversation: 'c1', created: 1, runs: [] };
  return [
    ['conversations', { id: 'c1', title: 'Tides', created: 1, updated: 2 }],
    ['messages', { ...common, id: 'u1', position: 0, author: 'user', text: 'How do tides work?', state: 'complete' }],
    ['messages', { ...common, id: 'a1', position: 1, author: 'assistant', state, parser: 1 }],
    ...patches.map((ops, i) => [
      'journal',
      { message: 'a1', n: i + 1, run: 0, first: 10 * i + 1, last: 10 * i + 10, text: '', tokens: 10, ops },
    ]),
  ];
}

/** A record that was held before is replaced. @param {any[]} records */
function store(records) {
  const name = (/** @type {[string, any]} */ [store, { id, message, n }]) => `${store} ${id ?? `${message} ${n}`}`;
  held = [...new Map([...held, ...records].map((entry) => [name(entry), entry])).values()];
}

/** The turns of a conversation as they are painted: what of a patch fits, up to which one, and the line. @param {string | null} [wanted] */
async function painted(wanted = null) {
  const saved = await readAll(wanted, held);
  let answers = 0;
  return (saved?.turns ?? []).flatMap(({ turn: raw, rows }) => {
    const status = statusOf(raw);
    if (!status) return [];
    const turn = makeTurn(paper, raw, raw.author === 'assistant' ? ++answers : answers);
    updateStatus(turn, status);
    paintRows(turn, rows);
    drawStatus(turn, false);
    return [
      {
        id: turn.id,
        n: turn.n,
        text: turn.content.textContent,
        state: status.state,
        line: turn.line.textContent,
        turn,
      },
    ];
  });
}

test('an answer that is being written is shown as far as it is stored', async () => {
  store(rows([FIRST, SECOND]));
  const [question, answer] = await painted();
  assert.equal(question.text, 'How do tides work?');
  assert.equal(answer.text, 'TidesTwice a day the sea rises.');
  assert.deepEqual(
    [answer.n, answer.state, answer.line],
    [2, 'catching-up', '20 tokens saved here. Picking up the rest…'],
  );
});

test('rows after a hole are not shown', async () => {
  const made = rows([FIRST, SECOND, [[1, 2, ' LOST']]]);
  made.splice(-2, 1);
  store(made);
  const [, answer] = await painted();
  assert.deepEqual([answer.n, answer.text], [1, 'TidesTwice a day ']);
});

test('of damaged ops what can be read is shown, and the engine sends all of it', async () => {
  const damages = [
    [
      [0, 0, 'script', 9],
      [1, 9, 'alert(1)'],
    ],
    [[1, 77, 'x']],
    '<img src=x onerror=alert(1)>',
    null,
    [null],
  ];
  for (const ops of damages) {
    store(rows([FIRST, ops]));
    const [, answer] = await painted();
    assert.deepEqual([answer.n, answer.text], [0, 'TidesTwice a day '], JSON.stringify(ops));
  }
});

test('strange records do not stop the paint', async () => {
  const strange = { conversation: 'c1', author: 'assistant', state: 'complete' };
  store([
    ...rows([FIRST]),
    ['messages', { ...strange, id: 's2', position: 0.5, author: 'root' }],
    ['messages', { id: 's4', conversation: 'c1', position: 2, author: 'user', state: 'complete' }],
    ['messages', { ...strange, id: 's3', position: 3, question: 's4', error: 'text', seconds: 'long' }],
    ['messages', { ...strange, id: 's1', position: 4, question: 's3', state: 'constructor' }],
    ['conversations', { id: 'c7' }],
    ['journal', { message: 's3', n: 0.5, ops: [] }],
  ]);
  assert.deepEqual(
    (await painted('c1')).map(({ id }) => id),
    ['u1', 'a1', 's4', 's3'],
  );
});

test('what came out of a file and was never drawn stands there in paragraphs', async () => {
  const made = rows([[]], 'complete');
  made[2][1].parser = 0;
  Object.assign(made[3][1], { text: '# Tides\n\nTwice a *day*\nit rises.\n', ops: [] });
  store(made);
  const [, { turn }] = await painted();
  assert.deepEqual(
    [...turn.content.childNodes].map(({ textContent }) => textContent),
    ['# Tides', 'Twice a *day*\nit rises.\n'],
  );
});

test('the address decides, and without one the newest conversation is shown', async () => {
  store([...rows([FIRST], 'complete'), ['conversations', { id: 'c2', title: 'Newer', created: 5, updated: 9 }]]);
  assert.equal((await readAll('c1', held))?.turns.length, 2);
  assert.equal((await readAll('unknown', held))?.turns.length, 0);
  assert.equal((await readAll(null, held))?.conversation, 'c2');
});

test('a question that waits says so once, under the answer', async () => {
  const made = rows([], 'queued');
  made[1][1].state = 'queued';
  store(made);
  const [question, answer] = await painted();
  assert.deepEqual([question.state, question.line, answer.line], ['queued', '', 'Waiting to send']);
  const offered = answer.turn.actions.filter((button) => button.getAttribute('hidden') === null);
  assert.deepEqual(
    offered.map(({ textContent }) => textContent),
    ['Edit', 'Remove'],
  );
});

test('where nothing is stored nothing is painted', async () => {
  assert.equal(await readAll(null, held), null);
});
