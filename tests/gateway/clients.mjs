// The official clients in Node against a gateway: `node clients.mjs BASE_URL SHAPE…` prints what each met, as JSON.

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';
import { EventSource } from 'eventsource';
import OpenAI from 'openai';

const [base, ...shapes] = process.argv.slice(2);
const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: 'none', maxRetries: 0 });
const provider = createOpenAICompatible({ name: 'gateway', baseURL: `${base}/v1`, apiKey: 'none' });

/** @type {(model: string) => import('openai').OpenAI.ChatCompletionCreateParamsStreaming} */
const request = (model) => ({ model, messages: [{ role: 'user', content: 'hi' }], stream: true });

/** @param {any} error */
const met = (error) => ({ status: error.status ?? error.statusCode, code: error.code, message: error.message });

/**
 * The loop of the documentation, unchanged.
 * @param {string} model
 */
async function loop(model) {
  let text = '';
  try {
    const stream = await openai.chat.completions.create(request(model));
    for await (const chunk of stream) text += chunk.choices[0].delta.content ?? '';
    return { text };
  } catch (error) {
    return { text, error: met(error) };
  }
}

/** @param {string} model */
async function helper(model) {
  const stream = openai.chat.completions.stream(request(model));
  try {
    const whole = await stream.finalChatCompletion();
    return { text: whole.choices[0].message.content ?? '' };
  } catch (error) {
    return { text: '', error: met(error) };
  }
}

/** @param {string} model */
async function sdk(model) {
  let text = '';
  let error;
  const result = streamText({ model: provider(model), prompt: 'hi', maxRetries: 0, onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === 'text-delta') text += part.text;
    if (part.type === 'error') error = met(part.error);
  }
  return error ? { text, error } : { text };
}

/**
 * The positions that an EventSource gets of a run, until the server tells it to stop.
 * @param {string} run
 */
function follow(run) {
  return new Promise((resolve) => {
    /** @type {string[]} */
    const ids = [];
    const source = new EventSource(`${base}/v1/runs/${run}/events`);
    source.onmessage = (event) => event.data !== '[DONE]' && ids.push(event.lastEventId);
    source.onerror = () => source.readyState === source.CLOSED && resolve({ ids });
  });
}

/** @param {string} shape */
async function meet(shape) {
  const response = await openai.chat.completions
    .create(request(shape))
    .asResponse()
    .catch((error) => error);
  await response.text?.();
  const followed = follow(response.headers.get('midstream-run'));
  return { loop: await loop(shape), helper: await helper(shape), sdk: await sdk(shape), follow: await followed };
}

const found = await Promise.all(shapes.map(async (shape) => [shape, await meet(shape)]));
console.log(JSON.stringify(Object.fromEntries(found)));
