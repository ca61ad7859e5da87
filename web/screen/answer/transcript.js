// The transcript: one article per turn. It is the only writer of that part of the document. An article that is there
// stays: it is never made again for the same message.
//
// Patches of a message are numbered without holes. A repeated patch is ignored. After a hole, or an op that cannot be
// applied, the screen asks for the whole answer (`reset`), and the text stays as it is until that comes.

import {
  addReasoning,
  drawQuestion,
  drawStatus,
  labelTurn,
  makeTurn,
  statusOf,
  updateSeq,
  updateStatus,
} from '../../shared/article.js';
import { LIVE, isTicking, parseStatus } from '../../shared/status.js';
import { NEAR } from '../../shared/stored_conversation.js';
import { Chunks } from '../page/chunked.js';
import { beginTurn, fillTurn } from './hydrate.js';
import { unpack } from './packed_ops.js';
import { relabelTurn } from './relabel.js';
import { growSource } from './source.js';
import { Speech } from './speech.js';
import { markVersion } from './version_picker.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {import('../../shared/apply.js').Applier} Applier */
/** @typedef {import('../../shared/status.js').Status} Status */
/** @typedef {import('../page/port_types.js').PatchMessage} PatchMessage */
/** @typedef {import('../../shared/stored_conversation.js').StoredTurn} StoredTurn */

/**
 * @typedef {object} On
 * @property {() => boolean} stored false: this browser stores nothing
 * @property {(message: string) => void} reset the whole answer is needed again
 * @property {() => void} resized a turn that is not being written has got text
 */

/** Milliseconds between two redraws of a status line whose state stays the same: numbers that race cannot be read. */
const REDRAW = 250;

/** @type {import('../../shared/stored_conversation.js').Earlier} */
const NONE = { turns: 0, answers: 0 };

export class Transcript {
  /** A status or the set of turns has changed. */
  onchange = () => {};

  /** @param {HTMLElement} log @param {import('../page/announce.js').Announcer} announcer @param {On} on */
  constructor(log, announcer, on) {
    this.log = log;
    this.on = on;
    /** @type {Map<string, Turn>} in the order of the conversation */
    this.turns = new Map();
    /** There is no engine, and none will come before a reload. */
    this.dead = false;
    this.speech = new Speech(announcer);
    this.timer = 0;
    this.later = 0;
    /** How many of the last turns are shown when a conversation is opened. */
    this.most = NEAR;
    /** The turns before the first one that is shown. */
    this.earlier = NONE;
  }

  /** The newest answer that is being written. */
  get live() {
    if (this.dead) return null; // it may go on without this page, which can neither see nor stop it
    return [...this.turns.values()].findLast((turn) => turn.applier && LIVE.has(turn.status.state)) ?? null;
  }

  /** An answer here has lost its connection. */
  get isReconnecting() {
    return [...this.turns.values()].some(({ status }) => status.state === 'reconnecting');
  }

  /** Patch numbers already on screen, for the `open` intent. */
  painted() {
    const painted = [...this.turns.values()].filter((turn) => turn.n > 0 && !turn.resetting);
    return Object.fromEntries(painted.map((turn) => [turn.id, turn.n]));
  }

  /** Shows the last of these turns, in this order, and no others. @param {unknown} turns */
  show(turns) {
    const known = this.turns;
    const all = Array.isArray(turns) ? turns : [];
    const hidden = all.slice(0, this.#first(all, known));
    this.earlier = { turns: hidden.length, answers: hidden.filter((raw) => raw?.author === 'assistant').length };
    this.turns = new Map();
    for (const raw of all.slice(hidden.length)) this.#take(raw, known);
    this.#tidy();
    this.#changed();
  }

  /** The first turn to be shown: what stands there stays. @param {any[]} all @param {Map<string, Turn>} known */
  #first(all, known) {
    const standing = all.findIndex((raw) => known.has(raw?.message));
    const near = Math.max(0, all.length - this.most);
    return standing < 0 ? near : Math.min(near, standing);
  }

  /**
   * Makes turns out of storage, the newest first and in chunks, without showing them: a patch that came in between
   * would not fit. Articles that the service worker has printed stay.
   * @param {StoredTurn[]} stored
   * @param {number} [before] answers before the first of them
   * @returns {Promise<Map<string, Turn>>} for `showBuilt`, in the order of the conversation
   */
  async build(stored, before = 0) {
    const standing = new Map([...this.log.children].map((article) => [article.getAttribute('data-message'), article]));
    const chunks = new Chunks();
    /** @type {[StoredTurn, Turn][]} */
    const made = [];
    let answers = before;
    for (const one of stored) {
      const turn = this.turns.get(one.turn.message) ?? beginTurn(one.turn, answers + 1);
      if (turn) made.push([one, turn]);
      if (turn?.applier) answers += 1;
      await chunks.rest();
    }
    for (const [one, turn] of made.toReversed()) {
      if (this.turns.get(turn.id) === turn) continue;
      await fillTurn(turn, one.rows, standing.get(turn.id), chunks, this.dead);
    }
    return new Map(made.map(([, turn]) => [turn.id, turn]));
  }

  /**
   * Shows turns out of storage, before the engine is there, and no others.
   * @param {Map<string, Turn>} turns
   * @param {import('../../shared/stored_conversation.js').Earlier} [earlier] the turns before them
   */
  showBuilt(turns, earlier = NONE) {
    const known = this.turns;
    this.earlier = earlier;
    this.turns = new Map();
    for (const turn of turns.values()) this.#put(known.get(turn.id) ?? turn);
    this.#tidy();
    this.#changed();
  }

  /**
   * Removes the turns after one: another version of them is to come.
   * @param {string} after the message of that turn; '' for all turns
   * @param {string} but a message that stays
   * @returns {boolean} whether any was removed
   */
  cut(after, but) {
    const ids = [...this.turns.keys()];
    const from = ids.indexOf(after) + 1;
    const gone = from || !after ? ids.slice(from).filter((id) => id !== but) : [];
    if (gone.length) this.remove(gone);
    return gone.length > 0;
  }

  /** The message before one of these; '' for the first, null for an unknown one. @param {string} message */
  before(message) {
    const ids = [...this.turns.keys()];
    const at = ids.indexOf(message);
    return at < 0 ? null : (ids[at - 1] ?? '');
  }

  /** Removes all elements but the turns' own. */
  #tidy() {
    const articles = new Set([...this.turns.values()].map((turn) => turn.article));
    for (const child of [...this.log.children]) if (!articles.has(/** @type {HTMLElement} */ (child))) child.remove();
    this.#renumber();
  }

  /**
   * Adds a turn at the end, or renews the status of one that is there.
   * @param {any} raw {message, author, text?, status}
   * @returns {Turn | null} null when it is malformed
   */
  add(raw) {
    const turn = this.#take(raw, this.turns);
    this.#changed();
    return turn;
  }

  /**
   * @param {any} raw
   * @param {Map<string, Turn>} known articles that may be used again
   * @returns {Turn | null}
   */
  #take(raw, known) {
    const status = statusOf(raw, this.on.stored());
    if (!status) return null;
    const turn = known.get(raw.message) ?? makeTurn(document, raw, this.#answers() + 1);
    if (!this.turns.has(turn.id)) this.#put(turn);
    markVersion(turn, raw.versions);
    this.#renew(turn, status);
    return turn;
  }

  /** Marks the answer that has just begun. @param {Turn} fresh */
  freshen(fresh) {
    for (const turn of this.turns.values()) turn.article.toggleAttribute('data-fresh', turn === fresh);
  }

  /** @param {Turn} turn */
  #put(turn) {
    const there = this.log.children[this.turns.size];
    this.turns.set(turn.id, turn);
    // An article that stands in its place is not touched: moving it would drop a selection inside.
    if (there !== turn.article) this.log.insertBefore(turn.article, there ?? null);
    turn.article.removeAttribute('data-last');
  }

  /** Of an answer in its conversation, from 1. @param {Turn} turn */
  number(turn) {
    return this.earlier.answers + [...this.turns.values()].filter((each) => each.applier).indexOf(turn) + 1;
  }

  /** Of two prompts that were sent at once, the one shown later may stand first. */
  #renumber() {
    const answers = [...this.turns.values()].filter((turn) => turn.applier);
    const first = answers.length ? this.number(answers[0]) : 0;
    for (const [i, turn] of answers.entries()) {
      if (turn.number === first + i) continue;
      turn.number = first + i;
      labelTurn(turn, turn.number);
    }
  }

  #answers() {
    return this.earlier.answers + [...this.turns.values()].filter((turn) => turn.applier).length;
  }

  /** @param {PatchMessage} message */
  patch(message) {
    const turn = this.turns.get(message.message);
    if (!turn?.applier) return; // of a conversation that is no longer visible
    const { n, reset } = message;
    if (!Number.isSafeInteger(n) || n < 1) return this.#reset(turn, 'a patch without a number');
    if (!reset && (turn.resetting || n <= turn.n)) return;
    if (!reset && n !== turn.n + 1) return this.#reset(turn, `patch ${n} after ${turn.n}`);
    if (reset) turn.applier.clear();
    turn.resetting = false;
    const empty = !turn.content.firstChild || turn.reasoning.hidden;
    if (!this.#apply(turn, turn.applier, message)) return;
    turn.n = n;
    addReasoning(turn, message.thought, reset === true);
    growSource(turn, message);
    updateSeq(turn, message.seq, turn.status.saved);
    this.speech.grown(turn);
    if (!LIVE.has(turn.status.state)) this.on.resized();
    if (empty || turn.applier.rest.length) drawStatus(turn, this.dead);
  }

  /**
   * @param {Turn} turn
   * @param {Applier} applier
   * @param {PatchMessage & {ops?: any[]}} patch with `packed` ops, or with plain `ops` as they are stored
   * @returns {boolean} false when the answer has been asked for anew
   */
  #apply(turn, applier, { packed, ops }) {
    try {
      applier.apply(packed ? unpack(packed, applier.opened) : ops);
      return true;
    } catch (error) {
      // From now on bad ops are left out: the next reset would bring the same ones.
      if (applier.lenient) return true;
      applier.lenient = true;
      this.#reset(turn, error);
      return false;
    }
  }

  /** @param {import('../page/port_types.js').StatusMessage} message */
  status(message) {
    const turn = this.turns.get(message.message);
    const status = parseStatus(message, this.on.stored());
    if (!turn || !status) return;
    this.#renew(turn, status);
    this.#changed();
  }

  #changed() {
    this.#tick();
    this.onchange();
  }

  /** The engine has failed, or has come after all. @param {boolean} dead */
  setDead(dead) {
    if (dead === this.dead) return;
    this.dead = dead;
    for (const turn of this.turns.values()) drawStatus(turn, this.dead);
    this.#changed();
  }

  /** Stop was pressed: shown at once, however long the way to the engine takes. @param {Turn} turn */
  stopping(turn) {
    this.#renew(turn, { ...turn.status, stopping: true });
    drawStatus(turn, this.dead);
  }

  /**
   * Shows all of a question, or its beginning again; of an answer that is cut, another portion.
   * @param {Turn} turn
   * @param {(turn: Turn) => void} grown the answer has new elements
   */
  unfold(turn, grown) {
    if (!turn.applier) {
      turn.whole = !turn.whole;
      drawQuestion(turn);
    } else {
      try {
        turn.applier.more();
      } catch (error) {
        return this.#reset(turn, error);
      }
      drawStatus(turn, this.dead);
      grown(turn);
    }
    this.on.resized();
  }

  /** Writes all words of ours anew, in another language. */
  relabel() {
    let { answers } = this.earlier;
    for (const turn of this.turns.values()) relabelTurn(turn, turn.applier ? ++answers : answers, this.dead);
  }

  /** Removes turns. @param {unknown} messages their ids */
  remove(messages) {
    for (const id of Array.isArray(messages) ? messages : []) {
      this.turns.get(id)?.article.remove();
      this.turns.delete(id);
    }
    this.#renumber();
    this.#changed();
  }

  /** @param {Turn} turn @param {unknown} reason */
  #reset(turn, reason) {
    console.warn('midstream: asking for all of an answer', turn.id, reason);
    turn.resetting = true;
    this.on.reset(turn.id);
  }

  /** @param {Turn} turn @param {Status} status */
  #renew(turn, status) {
    const before = turn.status;
    updateStatus(turn, status);
    if (turn.applier) this.speech.changed(turn, before);
    const other = status.state !== before.state || status.since !== before.since || before.painted;
    const due = other || performance.now() - turn.drawnAt >= REDRAW;
    if (due) drawStatus(turn, this.dead);
    else this.later ||= setTimeout(() => this.#late(), REDRAW);
  }

  /** Lines that count seconds are drawn once a second, as long as there are any. */
  #tick() {
    const due = [...this.turns.values()].some((turn) => isTicking(turn.status));
    if (due === this.timer > 0) return;
    clearInterval(this.timer);
    this.timer = due ? setInterval(() => this.#ticked(), 1000) : 0;
  }

  /** The last numbers of a burst. */
  #late() {
    this.later = 0;
    for (const turn of this.turns.values()) if (turn.drawnAt < turn.status.at) drawStatus(turn, this.dead);
  }

  #ticked() {
    for (const turn of this.turns.values()) {
      this.speech.waited(turn);
      if (isTicking(turn.status)) drawStatus(turn, this.dead);
    }
    this.#changed();
  }
}
