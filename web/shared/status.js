// From the state of an answer to the words under it, the buttons beside them and what is spoken. Pure functions: what is
// shown depends on the status, the clock, and on whether this tab can keep anything.

import { duration, enumerate, t } from './i18n.js';
import { lost } from './session_storage.js';
import { said, troubled } from './problem.js';

/**
 * @typedef {'sending' | 'waiting' | 'streaming' | 'catching-up' | 'reconnecting' | 'offline' | 'queued' | 'complete'
 *   | 'stopped' | 'interrupted' | 'failed' | 'length'} State
 * @typedef {object} Status
 * @property {State} state
 * @property {number} seq last event covered
 * @property {number} saved last event stored, 0 when the browser refuses to store
 * @property {number} tokens
 * @property {number} head tokens to catch up to, 0 when not known
 * @property {number} seconds since the run began
 * @property {number} rate tokens per second
 * @property {number} attempt
 * @property {number} retryAt epoch milliseconds, 0 when none is planned
 * @property {number} resumed tokens at the last resumption in this page, 0 for none
 * @property {number[]} seams tokens at which the answer was continued
 * @property {number[]} queue place and length, [] when not known
 * @property {boolean} waits it is queued behind another answer of its conversation that is being written
 * @property {'server' | 'browser' | 'nobody' | 'unknown'} keeper who goes on with the answer while this page does not hear it
 * @property {boolean} stopping Stop was pressed and is not confirmed
 * @property {boolean} sure false: the prompt may have arrived, and asking again may ask twice
 * @property {{seconds: number, tokens: number} | null} thought before its first word, when that is known
 * @property {import('./problem.js').Trouble | null} error
 * @property {number} at when this was heard, performance.now()
 * @property {number} since when the answer was resumed, performance.now()
 * @property {boolean} painted from storage: the engine has not spoken yet
 */

/** The states in which an answer is not at its end: Stop is offered. */
export const LIVE = new Set(['sending', 'waiting', 'streaming', 'catching-up', 'reconnecting', 'offline']);
/** Those of them in which nothing comes. */
const AWAY = new Set(['reconnecting', 'offline']);
/** How long a resumption is said in the line, in ms; later it stands in the details. */
const RESUMED_TIME = 4000;
/** Seconds of waiting for the first token after which that is spoken. */
const WAITING_SPOKEN = 5;

/** Those that make no sense without text are left out until there is some. @type {Record<State, string[]>} */
const BUTTONS = {
  sending: [],
  waiting: [],
  streaming: ['copy', 'save', 'source'],
  'catching-up': ['copy', 'save', 'source'],
  reconnecting: ['retry', 'copy', 'save', 'source'],
  offline: ['copy', 'save', 'source'],
  queued: ['edit', 'remove'],
  complete: ['copy', 'save', 'source', 'regenerate'],
  stopped: ['continue', 'copy', 'save', 'source', 'regenerate'],
  interrupted: ['continue', 'copy', 'save', 'source', 'regenerate'],
  failed: ['retry', 'continue', 'copy', 'save', 'source'],
  length: ['continue', 'copy', 'save', 'source', 'regenerate'],
};
/** The states that, without any text, leave nothing to do but to ask again. */
const CUT = new Set(['stopped', 'interrupted', 'failed', 'length']);
const OF_TEXT = new Set(['copy', 'save', 'source', 'continue']);

/**
 * A status as it came over the port or out of storage, made safe; null when its state is not one of ours.
 * @param {Record<string, any> | undefined} raw
 * @returns {Status | null}
 */
export function clean(raw) {
  if (!raw || !Object.hasOwn(BUTTONS, raw.state)) return null;
  const { error, thought } = raw;
  return {
    state: raw.state,
    seq: count(raw.seq),
    saved: lost() ? 0 : count(raw.saved),
    tokens: count(raw.tokens),
    head: count(raw.head),
    seconds: count(raw.seconds),
    rate: count(raw.rate),
    attempt: count(raw.attempt),
    retryAt: count(raw.retry_at),
    resumed: count(raw.resumed),
    seams: counts(raw.seams),
    queue: counts(raw.queue),
    waits: raw.waits === true,
    keeper: raw.keeper === 'server' || raw.keeper === 'browser' ? raw.keeper : raw.keeper === '' ? 'nobody' : 'unknown',
    stopping: raw.stopping === true,
    sure: raw.sure !== false,
    thought: thought ? { seconds: count(thought.seconds), tokens: count(thought.tokens) } : null,
    error: error ? troubled(error) : null,
    at: performance.now(),
    since: -Infinity,
    painted: false,
  };
}

/** @param {unknown} value */
const count = (value) => (typeof value === 'number' && value >= 0 && value < Infinity ? value : 0);
/** @param {unknown} value */
const counts = (value) => (Array.isArray(value) ? value.map(count).filter(Boolean) : []);

/**
 * What a status takes over from the one before it: when the answer was resumed.
 * @param {Status} before
 * @param {Status} status
 */
export function follow(before, status) {
  const again = status.resumed !== before.resumed || (AWAY.has(before.state) && !AWAY.has(status.state));
  // An article that has just been made knows of no cut: what it is told of was said long ago.
  status.since = status.resumed && again && before.at ? status.at : before.since;
}

/**
 * The line that the reasoning is folded under.
 * @param {Status} status
 * @param {boolean} answering its first word is there
 */
export function thinking(status, answering) {
  const { thought, state, tokens, seconds } = status;
  if (!answering && LIVE.has(state)) return t('reasoning.live', { tokens: counted(tokens) });
  // Nothing but reasoning came.
  const known = thought ?? (answering ? { seconds: 0, tokens: 0 } : { seconds, tokens });
  if (!known.tokens) return t('reasoning.done.bare');
  const values = { tokens: counted(known.tokens), seconds: duration(known.seconds) };
  return t(known.seconds ? 'reasoning.done' : 'reasoning.done.short', values);
}

/** @param {number} n */
const counted = (n) => t('count.tokens', { n });

/**
 * Which buttons stand under an answer.
 * @param {Status} status
 * @param {boolean} empty no text yet: nothing to copy, save or continue
 * @param {boolean} dead there is no engine: what needs it is not offered
 */
export function buttons({ state, sure }, empty, dead) {
  if (dead) return empty ? [] : ['copy', 'save'];
  if (empty && CUT.has(state)) return sure ? ['retry'] : ['retry', 'remove'];
  return empty ? BUTTONS[state].filter((name) => !OF_TEXT.has(name)) : BUTTONS[state];
}

/**
 * The line under an answer, as facts/interface.md section 3 has it.
 * @param {Status} status
 * @param {boolean} dead there is no engine, and none will come before a reload
 */
export function words(status, dead) {
  const live = LIVE.has(status.state);
  const line = live && dead ? t('status.dead', { here: here(status) }) : live ? living(status) : ended(status);
  return status.sure ? line : t('status.unsure', { line });
}

/** @param {Status} status */
function living(status) {
  const { state } = status;
  const values = { ...numbers(status), here: here(status), kept: kept(status) };
  if (status.stopping) return t(AWAY.has(state) ? 'status.stopping.later' : 'status.stopping', values);
  if (status.painted) return t('status.painted', values);
  if (state === 'waiting') return waiting(status);
  if (state === 'reconnecting') return reconnecting(status, values);
  if (state === 'streaming' && justResumed(status)) return t('status.resumed', { n: status.resumed });
  if (state === 'streaming' && status.seq > 0 && !status.saved) return t('status.streaming.unsaved', values);
  if (state === 'catching-up' && status.head > status.tokens) return t('status.catching-up.of', values);
  return t(`status.${state}`, values);
}

/** @param {Status} status */
function ended(status) {
  const { state, error, seams } = status;
  const values = {
    ...numbers(status),
    reason: said(error) || t(`status.${state}.reason`),
  };
  if (state === 'queued') return queued(status, values);
  if (state === 'complete' && !status.tokens) return ''; // of another program: nobody has counted
  if (state === 'complete' && !status.seconds) return seamed(t('status.complete.short', values), seams);
  if ((state === 'stopped' || state === 'interrupted') && !status.tokens) return t(`status.${state}.empty`, values);
  return seamed(t(`status.${state}`, values), seams);
}

/**
 * @param {Status} status
 * @param {import('./i18n.js').Values} values
 */
function queued({ queue: [place, n], waits, error }, values) {
  if (waits) return t('status.queued.after');
  const line = n > 1 ? t('status.queued.of', { place, n }) : t('status.queued');
  return said(error) ? t('status.queued.reason', { ...values, line }) : line;
}

/**
 * @param {string} line
 * @param {number[]} seams
 */
function seamed(line, seams) {
  return seams.length ? t('status.seams', { line, n: seams.length, list: enumerate(seams) }) : line;
}

/** @param {Status} status */
function numbers(status) {
  return {
    n: status.tokens,
    tokens: t('count.tokens', { n: status.tokens }),
    head: t('count.tokens', { n: status.head }),
    saved: saved(status),
    attempt: status.attempt,
    seconds: duration(status.seconds),
    rate: rate(status.rate),
  };
}

/** @param {Status} status */
const saved = ({ saved, seq, tokens }) => (saved < seq ? saved : tokens);

/** What of the answer this browser has, and who keeps writing it. @param {Status} status */
const kept = (status) => t(`kept.${status.keeper}`, { here: here(status) });

/** @param {Status} status */
function here(status) {
  if (!status.tokens) return t('kept.none');
  const n = saved(status);
  return n ? t('kept.saved', { tokens: t('count.tokens', { n }) }) : t('kept.shown', numbers(status));
}

/** "31/s", "0.4/s". @param {number} n */
export const rate = (n) => t('count.rate', { n: n < 10 ? n : Math.round(n) });

/** @param {Status} status */
const waited = (status) => status.seconds + (performance.now() - status.at) / 1000;

/** @param {Status} status */
function waiting(status) {
  const seconds = waited(status);
  return seconds < 2 ? t('status.waiting') : t('status.waiting.long', { seconds: duration(seconds) });
}

/**
 * @param {Status} status
 * @param {import('./i18n.js').Values} values
 */
function reconnecting(status, values) {
  const left = Math.ceil((status.retryAt - Date.now()) / 1000);
  const reason = said(status.error);
  const now = left > 0 ? '' : '.now';
  // The server is there, and says why it cannot take the question yet.
  if (reason) return t(`status.refused${now}`, { ...values, reason, seconds: duration(left) });
  return t(`status.reconnecting${now}`, { ...values, seconds: duration(left) });
}

/** @param {Status} status */
export const justResumed = (status) => status.state === 'streaming' && performance.now() - status.since < RESUMED_TIME;

/** Do the words change with the clock alone? @param {Status} status */
export const ticking = (status) => status.state === 'waiting' || status.state === 'reconnecting' || justResumed(status);

/** What has happened to the answer on its way, for the line's details; "" when nothing has. @param {Status} status */
export function details({ resumed, seams }) {
  const parts = resumed ? [t('status.resumed', { n: resumed })] : [];
  if (seams.length) parts.push(t('details.seams', { n: seams.length, list: enumerate(seams) }));
  return parts.join('\n');
}

/**
 * What is spoken when an answer goes from one state to another; null for silence. Waiting is not among it: that is spoken
 * when it has lasted (`spokenWait`).
 * @param {Status} before
 * @param {Status} status
 * @param {boolean} hidden nobody looks: a cut that heals until somebody does never was
 * @returns {{text: string, urgent?: boolean, once?: boolean} | null}
 */
export function spoken(before, status, hidden) {
  const { state } = status;
  if (status.stopping && !before.stopping && AWAY.has(state)) return { text: t('say.stopping') };
  if (state === before.state || !before.at) return null;
  if (state === 'failed') return { text: words(status, false), urgent: true };
  if (state === 'interrupted') return { text: t('say.interrupted'), urgent: true };
  const again = state === 'streaming' && (AWAY.has(before.state) || before.state === 'catching-up');
  if (state === 'sending' || state === 'waiting' || state === 'catching-up') return null;
  if (hidden && (again || AWAY.has(state))) return null;
  if (again) return { text: t('say.resumed') };
  if (state === 'reconnecting' && said(status.error)) return { text: said(status.error) };
  if (state === 'reconnecting' && !saved(status)) return { text: t('say.lost') };
  if (status.waits) return { text: t('status.queued.after') };
  const tokens = t('count.tokens', { n: state === 'reconnecting' ? saved(status) : status.tokens });
  return { text: t(`say.${state}`, { tokens }), once: state === 'streaming' };
}

/** What is said of an answer that has kept its reader waiting; null while that is not long. @param {Status} status */
export const spokenWait = (status) =>
  status.state === 'waiting' && waited(status) >= WAITING_SPOKEN ? t('say.waiting') : null;
