// What becomes of an entry of the outbox by the answer to its request.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const OWN = 'https://chat.example/v1/chat/completions';
Object.assign(globalThis, { location: new URL('https://chat.example/') });
// By a name that the compiler does not follow: the types of a worker and those of a page exclude each other.
const ENTRY = '../../web/worker/outbox_entry.js';
const { send } = await import(ENTRY);

/**
 * @param {number} status
 * @param {object} error
 * @param {string} [url]
 */
async function answered(status, error, url = OWN) {
  globalThis.fetch = async () => Response.json({ error }, { status });
  const entry = /** @type {any} */ ({ method: 'POST', url, headers: { a: 'b' }, body: '{}', attempts: 1 });
  return (await send(entry)).outcome;
}

const SIGNED_OUT = { message: 'Sign in', problem: { code: 'sign_in' } };

test('an entry waits for the sign-in, with its request', async () => {
  const outcome = await answered(401, SIGNED_OUT);
  assert.deepEqual([outcome.state, outcome.status, outcome.message], ['queued', 401, 'Sign in']);
  assert.ok(!('body' in outcome) && !('headers' in outcome));
});

test('every other refusal of a key is final', async () => {
  for (const [status, error, url] of /** @type {[number, object, string?][]} */ ([
    [401, { message: 'no key' }],
    [403, SIGNED_OUT],
    [401, SIGNED_OUT, 'https://other.example/v1/chat/completions'],
  ])) {
    const outcome = await answered(status, error, url);
    assert.deepEqual([outcome.state, outcome.body], ['failed', null]);
  }
});
