// One entry of the outbox: the form that it must have, and the request that sends it.

/// <reference lib="webworker" />

import { isTextMap, mayRequest } from './common.js';

/**
 * @typedef {object} Entry
 * @property {number} n its position in the queue
 * @property {string} key
 * @property {'prompt' | 'resume' | 'stop'} kind
 * @property {string} conversation
 * @property {string} method
 * @property {string} url
 * @property {Record<string, string>} headers
 * @property {string | null} body null once it is no longer needed
 * @property {number} created
 * @property {number} attempts
 * @property {number} due not tried before, unless something has changed
 * @property {'queued' | 'sending' | 'sent' | 'failed'} state
 * @property {string | null} run
 * @property {number} status of the last answer; 0 when there was none
 * @property {string} message
 * @property {boolean} gone removed while it was being sent
 */

const KINDS = ['prompt', 'resume', 'stop'];
const METHODS = ['POST', 'PUT', 'DELETE'];
/** The only headers that are stored: the key of an endpoint can be in none of them. */
const ENTRY_HEADERS = /^(content-type|accept|idempotency-key|midstream-[a-z-]+)$/i;
const ENTRY_CHARACTERS = 8 * 1024 * 1024;
/** To be tried again, as 5xx is. 409: the conversation has a running answer. */
const LATER = [408, 409, 425, 429];
const SEND_MS = 60_000;
export const FIRST_WAIT_MS = 1000; // between two tries, doubled each time
const LAST_WAIT_MS = 60_000;
const MESSAGE_CHARACTERS = 500;

/**
 * @param {string} key
 * @param {any} value from a page
 * @returns {Omit<Entry, 'n'> | string} or what is wrong with it
 */
export function entryIn(key, value) {
  const { kind, conversation, method = 'POST', url, headers = {}, body = null } = value ?? {};
  if (!KINDS.includes(kind)) return `kind is one of ${KINDS.join(', ')}.`;
  if (typeof conversation !== 'string' || !conversation) return 'conversation is missing.';
  if (!METHODS.includes(method)) return `method is one of ${METHODS.join(', ')}.`;
  if (!mayRequest(url)) return 'url is absolute, with https or to this machine, and without a password.';
  if (body !== null && typeof body !== 'string') return 'body is a string.';
  if (body?.length > ENTRY_CHARACTERS) return 'body is too long.';
  if (!isTextMap(headers)) return 'headers are strings.';
  const other = Object.keys(headers).find((name) => !ENTRY_HEADERS.test(name));
  if (other) return `The header ${other} is not kept here.`;
  const asked = { key, kind, conversation, method, url, headers, body };
  return {
    ...asked,
    created: Date.now(),
    attempts: 0,
    due: 0,
    state: 'queued',
    run: null,
    status: 0,
    message: '',
    gone: false,
  };
}

/** Whether it has not had its answer. @param {Pick<Entry, 'state'>} entry */
export const waits = ({ state }) => state === 'queued' || state === 'sending';

/**
 * @param {Entry} entry
 * @returns {Promise<{outcome: Partial<Entry>, done: () => Promise<void>}>} `done` closes the connection: when the outcome is stored
 */
export async function send({ method, url, headers, body, attempts }) {
  const signal = AbortSignal.timeout(SEND_MS);
  /** @type {RequestInit} */
  const options = {
    method,
    headers,
    body,
    signal,
    cache: 'no-store',
    credentials: 'same-origin',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
  };
  try {
    const response = await fetch(url, options);
    return {
      outcome: await outcomeOf(response, attempts, new URL(url).origin === location.origin),
      done: async () => response.body?.cancel(),
    };
  } catch (error) {
    return {
      outcome: later(attempts, 0, String(error instanceof Error ? error.message : error)),
      done: async () => {},
    };
  }
}

/**
 * @param {Response} response
 * @param {number} attempts
 * @param {boolean} own of the server that this app comes from: the person can sign in there again
 * @returns {Promise<Partial<Entry>>}
 */
async function outcomeOf(response, attempts, own) {
  const { ok, status, headers } = response;
  const over = { status, headers: {}, body: null };
  if (ok) return { ...over, state: 'sent', run: headers.get('midstream-run'), message: '' };
  const { message, code } = await errorIn(response);
  const signIn = own && status === 401 && code === 'sign_in';
  if (status < 500 && !LATER.includes(status) && !signIn) return { ...over, state: 'failed', message };
  return later(attempts, status, message, Number(headers.get('retry-after')) * 1000 || 0);
}

/**
 * @param {number} attempts
 * @param {number} status
 * @param {string} message
 * @returns {Partial<Entry>}
 */
function later(attempts, status, message, least = 0) {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LAST_WAIT_MS) * (0.5 + Math.random() / 2);
  return { state: 'queued', status, message, due: Date.now() + Math.max(wait, least) };
}

/**
 * The words and the problem's code of an error in the form of the chat protocol, else how the answer begins.
 * @param {Response} response
 */
async function errorIn(response) {
  const { value } = (await response.body?.getReader().read()) ?? {};
  const words = new TextDecoder().decode(value).slice(0, 16 * MESSAGE_CHARACTERS);
  try {
    const { error } = JSON.parse(words);
    return { message: String(error.message ?? error).slice(0, MESSAGE_CHARACTERS), code: error.problem?.code };
  } catch {
    return { message: words.slice(0, MESSAGE_CHARACTERS), code: '' };
  }
}
