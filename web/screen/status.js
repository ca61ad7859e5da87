// From the state of an answer to the words under it, the buttons beside them and what is spoken. Pure functions: what is
// shown depends on the status and the clock only.

import { duration, t } from './i18n.js';

/**
 * @typedef {'sending' | 'waiting' | 'streaming' | 'catching-up' | 'reconnecting' | 'offline' | 'queued' | 'complete'
 *   | 'stopped' | 'interrupted' | 'failed' | 'length'} State
 * @typedef {object} Status
 * @property {State} state
 * @property {number} seq last event covered
 * @property {number} saved last event stored, 0 when the browser refuses to store
 * @property {number} tokens
 * @property {number} seconds since the run began
 * @property {number} rate tokens per second
 * @property {number} attempt
 * @property {number} retryAt epoch milliseconds, 0 when none is planned
 * @property {{message: string, hint: string} | null} error
 * @property {number} at when this was heard, performance.now()
 * @property {boolean} painted from storage: the engine has not spoken yet
 */

/** The states in which an answer is being written: Stop is offered. */
export const LIVE = new Set(['sending', 'waiting', 'streaming', 'catching-up', 'reconnecting']);
/** The states whose words change with the clock alone. */
export const TICKING = new Set(['waiting', 'reconnecting']);

/** @type {Record<State, string[]>} */
const BUTTONS = {
  sending: [],
  waiting: [],
  streaming: ['copy', 'save'],
  'catching-up': ['copy', 'save'],
  reconnecting: ['retry', 'copy', 'save'],
  offline: ['copy', 'save'],
  queued: [],
  complete: ['copy', 'save', 'regenerate'],
  stopped: ['copy', 'save', 'regenerate'],
  interrupted: ['copy', 'save', 'regenerate'],
  failed: ['retry', 'copy', 'save'],
  length: ['copy', 'save', 'regenerate'],
};

/**
 * A status as it came over the port or out of storage, made safe; null when its state is not one of ours.
 * @param {Record<string, any> | undefined} raw
 * @returns {Status | null}
 */
export function clean(raw) {
  if (!raw || !Object.hasOwn(BUTTONS, raw.state)) return null;
  const { error } = raw;
  return {
    state: raw.state,
    seq: count(raw.seq),
    saved: count(raw.saved),
    tokens: count(raw.tokens),
    seconds: count(raw.seconds),
    rate: count(raw.rate),
    attempt: count(raw.attempt),
    retryAt: count(raw.retry_at),
    error: error ? { message: String(error.message ?? ''), hint: String(error.hint ?? '') } : null,
    at: performance.now(),
    painted: false,
  };
}

/** @param {unknown} value */
const count = (value) => (typeof value === 'number' && value >= 0 && value < Infinity ? value : 0);

/**
 * Which buttons stand under an answer.
 * @param {Status} status
 * @param {boolean} empty no text yet: nothing to copy or save
 */
export function buttons({ state }, empty) {
  const names = BUTTONS[state];
  return empty ? names.filter((name) => name !== 'copy' && name !== 'save') : names;
}

/**
 * The line under an answer, as facts/interface.md section 3 has it.
 * @param {Status} status
 * @param {boolean} gateway the answer goes on without this browser
 */
export function words(status, gateway) {
  const { state, error } = status;
  const tokens = t('count.tokens', { n: status.tokens });
  const values = {
    n: status.tokens,
    tokens,
    saved: status.saved < status.seq ? status.saved : status.tokens,
    attempt: status.attempt,
    seconds: duration(status.seconds),
    rate: rate(status.rate),
    reason: error?.message ? [error.message, error.hint].filter(Boolean).join(' ') : t(`status.${state}.reason`),
  };
  if (state === 'waiting') return waiting(status);
  if (state === 'reconnecting') return reconnecting(status, values, gateway);
  if (state === 'streaming' && status.seq > 0 && !status.saved) return t('status.streaming.unsaved', values);
  if (state === 'complete' && !status.seconds) return t('status.complete.short', values);
  if (LIVE.has(state) && status.painted) return t('status.catching-up.saved', values);
  return t(`status.${state}`, values);
}

/** "31/s", "0.4/s". @param {number} n */
export const rate = (n) => t('count.rate', { n: n < 10 ? n : Math.round(n) });

/** @param {Status} status */
function waiting(status) {
  const seconds = status.seconds + (performance.now() - status.at) / 1000;
  return seconds < 2 ? t('status.waiting') : t('status.waiting.long', { seconds: duration(seconds) });
}

/**
 * @param {Status} status
 * @param {import('./i18n.js').Values} values
 * @param {boolean} gateway
 */
function reconnecting(status, values, gateway) {
  const left = Math.ceil((status.retryAt - Date.now()) / 1000);
  const key = left > 0 ? 'status.reconnecting' : 'status.reconnecting.now';
  const line = t(key, { ...values, seconds: duration(left) });
  return gateway ? `${line} ${t('status.reconnecting.gateway')}` : line;
}

/**
 * What is spoken when an answer goes from one state to another; null for silence.
 * @param {State | null} before
 * @param {Status} status
 * @returns {{text: string, urgent: boolean} | null}
 */
export function spoken(before, status) {
  const { state } = status;
  if (state === before || before === null) return null;
  const tokens = t('count.tokens', { n: status.tokens });
  if (state === 'failed') return { text: words(status, false), urgent: true };
  if (state === 'interrupted') return { text: t('say.interrupted'), urgent: true };
  if (state === 'streaming' && ['catching-up', 'reconnecting', 'offline'].includes(before)) {
    return { text: t('say.resumed'), urgent: false };
  }
  if (state === 'sending' || state === 'catching-up') return null;
  return { text: t(`say.${state}`, { tokens }), urgent: false };
}
