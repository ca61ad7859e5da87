// From the state of an answer to the line under it, its buttons and the announcements of a screen reader. These are
// functions of the status and the clock alone.

import { duration, enumerate, t } from './i18n.js';
import { parseTrouble, troubleText } from './problem.js';

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
 * @property {number[]} queue position and length, [] when not known
 * @property {boolean} waits it is queued behind another answer of its conversation that is being written
 * @property {'server' | 'browser' | 'nobody' | 'unknown'} keeper goes on with the answer while this page is away
 * @property {boolean} paused it was refused too often: it is tried again when the person asks for that
 * @property {boolean} stopping Stop was pressed and is not confirmed
 * @property {boolean} sure false: the prompt may have arrived, and asking again may ask twice
 * @property {{seconds: number, tokens: number} | null} thought before its first word, when that is known
 * @property {import('./problem.js').Trouble | null} error
 * @property {import('./problem.js').Trouble | null} remark what there is to say of a complete answer
 * @property {number} at when this was received, performance.now()
 * @property {number} since when the answer was resumed, performance.now()
 * @property {number} grown when its last token came, as far as this page has seen, performance.now()
 * @property {boolean} painted from storage: the engine has not spoken yet
 */

/** The states in which an answer is not at its end: Stop is offered. */
export const LIVE = new Set(['sending', 'waiting', 'streaming', 'catching-up', 'reconnecting', 'offline']);
/** Those of them in which nothing comes. */
const AWAY = new Set(['reconnecting', 'offline']);
/** How long the line shows a resumption, in ms; later it is in the details. */
const RESUMED_TIME = 4000;
/** Seconds of waiting for the first token after which that is spoken. */
const WAITING_SPOKEN = 5;
/** Seconds without a token after which the line says so instead of a rate, and after which that is spoken. */
const SILENT = 10;
const SILENT_SPOKEN = 15;
/** Tokens per second that would be written as 0. */
const SLOWEST = 0.05;

/** Buttons by state; those of OF_TEXT only once there is text. @type {Record<State, string[]>} */
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
 * @param {boolean} [stored] false: this browser stores nothing, whatever the engine believes
 * @returns {Status | null}
 */
export function parseStatus(raw, stored = true) {
  if (!raw || !Object.hasOwn(BUTTONS, raw.state)) return null;
  const { error, remark, thought } = raw;
  return {
    state: raw.state,
    seq: count(raw.seq),
    saved: stored ? count(raw.saved) : 0,
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
    keeper: raw.keeper === '' ? 'nobody' : ['server', 'browser'].includes(raw.keeper) ? raw.keeper : 'unknown',
    paused: raw.paused === true,
    stopping: raw.stopping === true,
    sure: raw.sure !== false,
    thought: thought ? { seconds: count(thought.seconds), tokens: count(thought.tokens) } : null,
    error: error ? parseTrouble(error) : null,
    remark: remark ? parseTrouble(remark) : null,
    at: performance.now(),
    since: -Infinity,
    grown: performance.now(),
    painted: false,
  };
}

/** @param {unknown} value */
const count = (value) => (typeof value === 'number' && value >= 0 && value < Infinity ? value : 0);
/** @param {unknown} value */
const counts = (value) => (Array.isArray(value) ? value.map(count).filter(Boolean) : []);

/** Takes over the times of the last resumption and token from the status before. @param {Status} before @param {Status} status */
export function carryOver(before, status) {
  if (before.at && before.state === status.state && before.tokens === status.tokens) status.grown = before.grown;
  const again = status.resumed !== before.resumed || (AWAY.has(before.state) && !AWAY.has(status.state));
  // A new article has seen no cut: the resumption in its first status was announced long ago.
  status.since = status.resumed && again && before.at ? status.at : before.since;
}

/**
 * The summary line of the folded reasoning.
 * @param {Status} status
 * @param {boolean} answering its first word is there
 */
export function reasoningText(status, answering) {
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
 * The names of the buttons under an answer.
 * @param {Status} status
 * @param {boolean} empty no text yet: nothing to copy, save or continue
 * @param {boolean} dead there is no engine: only buttons that work without it
 */
export function buttonsOf({ state, sure }, empty, dead) {
  if (dead) return empty ? [] : ['copy', 'save'];
  if (empty && CUT.has(state)) return sure ? ['retry'] : ['retry', 'remove'];
  return empty ? BUTTONS[state].filter((name) => !OF_TEXT.has(name)) : BUTTONS[state];
}

/**
 * The line under an answer.
 * @param {Status} status
 * @param {boolean} dead there is no engine, and none will come before a reload
 */
export function statusText(status, dead) {
  const live = LIVE.has(status.state);
  const line = live ? liveText(status, dead) : endText(status);
  return status.sure ? line : t('status.unsure', { line });
}

/** @param {Status} status @param {boolean} dead */
function liveText(status, dead) {
  const { state } = status;
  const here = storedText(status);
  if (dead) return t('status.dead', { here });
  const values = { ...numbers(status), here, kept: t(`kept.${status.keeper}`, { here }) };
  if (status.stopping) return t(AWAY.has(state) ? 'status.stopping.later' : 'status.stopping', values);
  if (status.painted) return t('status.painted', values);
  if (state === 'waiting') return waitText(status);
  if (state === 'reconnecting') return retryText(status, values);
  if (state === 'streaming' && isJustResumed(status)) return t('status.resumed', { n: status.resumed });
  if (state === 'streaming') return streamText(status, values);
  if (state === 'catching-up' && status.head > status.tokens) return t('status.catching-up.of', values);
  return t(`status.${state}`, values);
}

/** @param {Status} status @param {import('./i18n.js').Values} values */
function streamText(status, values) {
  const silence = silentFor(status);
  if (silence >= SILENT) return t('status.silent', { ...values, silence: duration(silence) });
  const key = status.seq > 0 && !status.saved ? 'status.streaming.unsaved' : 'status.streaming';
  return t(isSlow(status) ? `${key}.slow` : key, values);
}

/** Seconds without a token. @param {Status} status */
const silentFor = ({ state, grown }) => (state === 'streaming' ? (performance.now() - grown) / 1000 : 0);

/** @param {Status} status */
const isSlow = ({ rate }) => rate < SLOWEST;

/** Do its tokens come at a rate that can be said? @param {Status} status */
export const isFlowing = (status) => !isSlow(status) && silentFor(status) < SILENT;

/** @param {Status} status */
function endText(status) {
  return [troubleText(status.remark), countText(status)].filter(Boolean).join(' ');
}

/** @param {Status} status */
function countText(status) {
  const { state, error, seams } = status;
  const values = {
    ...numbers(status),
    reason: troubleText(error) || t(`status.${state}.reason`),
  };
  if (state === 'queued') return queueText(status, values);
  if (state === 'complete' && !status.tokens) return ''; // of another program: nobody has counted
  if (state === 'complete' && !status.seconds) return withSeams(t('status.complete.short', values), seams);
  if (state === 'complete' && isSlow(status)) return withSeams(t('status.complete.slow', values), seams);
  if ((state === 'stopped' || state === 'interrupted') && !status.tokens) return t(`status.${state}.empty`, values);
  return withSeams(t(`status.${state}`, values), seams);
}

/** @param {Status} status @param {import('./i18n.js').Values} values */
function queueText({ queue: [place, n], waits, error }, values) {
  if (waits) return t('status.queued.after');
  const line = n > 1 ? t('status.queued.of', { place, n }) : t('status.queued');
  return troubleText(error) ? t('status.queued.reason', { ...values, line }) : line;
}

/** @param {string} line @param {number[]} seams */
function withSeams(line, seams) {
  return seams.length ? t('status.seams', { line, n: seams.length, list: enumerate(seams) }) : line;
}

/** @param {Status} status */
function numbers(status) {
  return {
    n: status.tokens,
    tokens: t('count.tokens', { n: status.tokens }),
    head: t('count.tokens', { n: status.head }),
    saved: savedTokens(status),
    attempt: status.attempt,
    seconds: duration(status.seconds),
    rate: rateText(status.rate),
  };
}

/** @param {Status} status */
const savedTokens = ({ saved, seq, tokens }) => (saved < seq ? saved : tokens);

/** How much of the answer this browser has. @param {Status} status */
function storedText(status) {
  if (!status.tokens) return t('kept.none');
  const n = savedTokens(status);
  return n ? t('kept.saved', { tokens: t('count.tokens', { n }) }) : t('kept.shown', numbers(status));
}

/** "31/s", "0.4/s". @param {number} n */
export const rateText = (n) => t('count.rate', { n: n < 10 ? n : Math.round(n) });

/** @param {Status} status */
const waited = (status) => status.seconds + (performance.now() - status.at) / 1000;

/** @param {Status} status */
function waitText(status) {
  const seconds = waited(status);
  return seconds < 2 ? t('status.waiting') : t('status.waiting.long', { seconds: duration(seconds) });
}

/** @param {Status} status @param {import('./i18n.js').Values} values */
function retryText(status, values) {
  const left = Math.ceil((status.retryAt - Date.now()) / 1000);
  const reason = troubleText(status.error);
  if (status.paused) return t('status.paused', { ...values, reason });
  const now = left > 0 ? '' : '.now';
  // The server is there, and says why it cannot take the question yet.
  if (reason) return t(`status.refused${now}`, { ...values, reason, seconds: duration(left) });
  return t(`status.reconnecting${now}`, { ...values, seconds: duration(left) });
}

/** @param {Status} status */
export const isJustResumed = ({ state, since }) => state === 'streaming' && performance.now() - since < RESUMED_TIME;

/** Does the text change with the clock alone? @param {Status} status */
export const isTicking = ({ state }) => ['waiting', 'streaming', 'reconnecting'].includes(state);

/** The answer's resumptions and seams, for the tooltip of its line; "" without any. @param {Status} status */
export function detailsText({ resumed, seams }) {
  const parts = resumed ? [t('status.resumed', { n: resumed })] : [];
  if (seams.length) parts.push(t('details.seams', { n: seams.length, list: enumerate(seams) }));
  return parts.join('\n');
}

/**
 * The announcement when an answer goes from one state to another; null for silence. Waiting is announced later
 * (`waitAnnouncement`).
 * @param {Status} before
 * @param {Status} status
 * @param {boolean} hidden nobody looks: a cut that heals until somebody does never was
 * @returns {{text: string, urgent?: boolean, once?: boolean} | null}
 */
export function announcement(before, status, hidden) {
  const { state } = status;
  if (status.stopping && !before.stopping && AWAY.has(state)) return { text: t('say.stopping') };
  if (state === before.state || !before.at) return null;
  if (state === 'failed') return { text: statusText(status, false), urgent: true };
  if (state === 'interrupted') return { text: t('say.interrupted'), urgent: true };
  const again = state === 'streaming' && (AWAY.has(before.state) || before.state === 'catching-up');
  if (state === 'sending' || state === 'waiting' || state === 'catching-up') return null;
  if (hidden && (again || AWAY.has(state))) return null;
  if (again) return { text: t('say.resumed') };
  if (state === 'reconnecting' && troubleText(status.error)) return { text: troubleText(status.error) };
  if (state === 'reconnecting' && !savedTokens(status)) return { text: t('say.lost') };
  if (status.waits) return { text: t('status.queued.after') };
  const tokens = t('count.tokens', { n: state === 'reconnecting' ? savedTokens(status) : status.tokens });
  const said = t(`say.${state}`, { tokens });
  return { text: status.remark ? `${troubleText(status.remark)} ${said}` : said, once: state === 'streaming' };
}

/** The announcement of a long wait for the first token, or for the next one; null while it is not long. @param {Status} status */
export function waitAnnouncement(status) {
  if (status.state === 'waiting' && waited(status) >= WAITING_SPOKEN) return t('say.waiting');
  return silentFor(status) >= SILENT_SPOKEN ? t('say.silent') : null;
}
