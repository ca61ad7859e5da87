// The transcript: one article per turn. It is the only writer of that part of the document and keeps what it has painted: an
// article is never made anew for a message that is there already.
//
// Patches of a message are numbered without holes. One that was seen before is ignored; a hole, or an op that cannot be
// applied, makes the screen ask for the whole answer (`reset`), and until that comes the text stays as it is.

import { draw, make, renew, seen, statusOf, think } from '../../shared/article.js';
import { unpack } from './packed_ops.js';
import { pressed } from './turn_actions.js';
import { begun, fill } from './hydrate.js';
import * as source from './source.js';
import { Slices } from '../page/chunked.js';
import { LIVE, clean, ticking } from '../../shared/status.js';
import { mark } from '../../shared/version_picker.js';
import { Voice } from './speech.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */
/** @typedef {import('../../shared/apply.js').Applier} Applier */
/** @typedef {import('../../shared/status.js').Status} Status */
/** @typedef {import('../port.js').Message} Message */
/** @typedef {import('../../shared/stored_conversation.js').SavedTurn} SavedTurn */

/**
 * @typedef {object} On
 * @property {import('../page/announce.js').Announcer} announcer
 * @property {() => void} change a status or the set of turns has changed
 * @property {() => void} resized a turn that is not being written has got text
 */

/** Milliseconds between two redraws of a status line whose state stays the same: numbers that race cannot be read. */
const REDRAW = 250;

export class Transcript {
  /**
   * @param {HTMLElement} log
   * @param {import('./turn_actions.js').Buttons & On} on
   */
  constructor(log, on) {
    this.log = log;
    this.on = on;
    /** @type {Map<string, Turn>} in the order of the conversation */
    this.turns = new Map();
    /** There is no engine, and none will come before a reload. */
    this.dead = false;
    this.voice = new Voice(on.announcer);
    this.timer = 0;
    this.later = 0;
    log.addEventListener('click', (event) => pressed(event, this.turns, on));
  }

  /** The newest answer that is being written. */
  get live() {
    if (this.dead) return null; // it may go on elsewhere, but nothing here can tell or stop it
    return [...this.turns.values()].findLast((turn) => turn.applier && LIVE.has(turn.status.state)) ?? null;
  }

  /** Patch numbers already on screen, for the `open` intent. */
  painted() {
    const shown = [...this.turns.values()].filter((turn) => turn.n > 0 && !turn.asked);
    return Object.fromEntries(shown.map((turn) => [turn.id, turn.n]));
  }

  /**
   * Shows these turns, in this order, and no others.
   * @param {unknown} turns
   */
  show(turns) {
    const known = this.turns;
    this.turns = new Map();
    for (const raw of Array.isArray(turns) ? turns : []) this.#take(raw, known);
    this.#tidy();
    this.#changed();
  }

  /**
   * Makes turns out of storage, the newest first and in slices, without showing them: a patch that came in between would not
   * fit. What the service worker has printed of them stays.
   * @param {SavedTurn[]} saved
   * @returns {Promise<Map<string, Turn>>} for `restore`, in the order of the conversation
   */
  async build(saved) {
    const standing = new Map([...this.log.children].map((article) => [article.getAttribute('data-message'), article]));
    const slices = new Slices();
    /** @type {[SavedTurn, Turn][]} */
    const made = [];
    let answers = 0;
    for (const one of saved) {
      const turn = this.turns.get(one.turn.message) ?? begun(one.turn, answers + 1);
      if (turn) made.push([one, turn]);
      if (turn?.applier) answers += 1;
      await slices.rest();
    }
    for (const [one, turn] of made.toReversed()) {
      if (this.turns.get(turn.id) !== turn) await fill(turn, one.rows, standing.get(turn.id), slices, this.dead);
    }
    return new Map(made.map(([, turn]) => [turn.id, turn]));
  }

  /**
   * Shows turns out of storage, before the engine is there, and no others.
   * @param {Map<string, Turn>} turns
   */
  restore(turns) {
    const known = this.turns;
    this.turns = new Map();
    for (const turn of turns.values()) this.#place(known.get(turn.id) ?? turn);
    this.#tidy();
    this.#changed();
  }

  /**
   * Takes away what stands after a turn: another version of it is to come.
   * @param {string} after its message; '' for all
   * @param {string} but what may stay
   * @returns {boolean} whether something did stand there
   */
  cut(after, but) {
    const ids = [...this.turns.keys()];
    const from = ids.indexOf(after) + 1;
    const gone = from || !after ? ids.slice(from).filter((id) => id !== but) : [];
    if (gone.length) this.remove(gone);
    return gone.length > 0;
  }

  /** The message before one that stands here; null when it does not. @param {string} message */
  before(message) {
    const ids = [...this.turns.keys()];
    const at = ids.indexOf(message);
    return at < 0 ? null : (ids[at - 1] ?? '');
  }

  /** Takes away what is none of the turns. */
  #tidy() {
    const shown = new Set([...this.turns.values()].map((turn) => turn.article));
    for (const child of [...this.log.children]) if (!shown.has(/** @type {HTMLElement} */ (child))) child.remove();
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
    const status = statusOf(raw);
    if (!status) return null;
    const turn = known.get(raw.message) ?? make(document, raw, this.#answers() + 1);
    if (!this.turns.has(turn.id)) this.#place(turn);
    mark(turn, raw.versions);
    this.#renew(turn, status);
    return turn;
  }

  /**
   * Marks the answer that has just begun.
   * @param {Turn} fresh
   */
  freshen(fresh) {
    for (const turn of this.turns.values()) turn.article.toggleAttribute('data-fresh', turn === fresh);
  }

  /** @param {Turn} turn */
  #place(turn) {
    const there = this.log.children[this.turns.size];
    this.turns.set(turn.id, turn);
    // An article that stands in its place is not touched: moving it would drop a selection inside.
    if (there !== turn.article) this.log.insertBefore(turn.article, there ?? null);
    turn.article.removeAttribute('data-last');
  }

  /** Of an answer in its conversation, from 1. @param {Turn} turn */
  number(turn) {
    return [...this.turns.values()].filter((each) => each.applier).indexOf(turn) + 1;
  }

  #answers() {
    return [...this.turns.values()].filter((turn) => turn.applier).length;
  }

  /** @param {Message} message `patch` of the port */
  patch(message) {
    const turn = this.turns.get(message.message);
    if (!turn?.applier) return; // of a conversation that is no longer shown
    const { n, reset } = message;
    if (!Number.isSafeInteger(n) || n < 1) return this.#reset(turn, 'a patch without a number');
    if (!reset && (turn.asked || n <= turn.n)) return;
    if (!reset && n !== turn.n + 1) return this.#reset(turn, `patch ${n} after ${turn.n}`);
    if (reset) turn.applier.clear();
    turn.asked = false;
    const empty = !turn.content.firstChild || turn.reasoning.hidden;
    const whole = this.#applied(turn, turn.applier, message);
    if (!whole) return;
    turn.n = n;
    think(turn, message.thought, reset === true);
    source.grow(turn, message);
    seen(turn, message.seq, turn.status.saved);
    this.voice.grown(turn);
    if (!LIVE.has(turn.status.state)) this.on.resized();
    if (empty) draw(turn, this.dead);
  }

  /**
   * @param {Turn} turn
   * @param {Applier} applier
   * @param {Message} patch with `packed` ops, or with plain `ops` as they are stored
   * @returns {boolean} false when the answer has been asked for anew
   */
  #applied(turn, applier, { packed, ops }) {
    try {
      applier.apply(packed ? unpack(packed, applier.opened) : ops);
      return true;
    } catch (error) {
      // From now on the odd ops are left out: asking a second time would bring the same ones.
      if (applier.lenient) return true;
      applier.lenient = true;
      this.#reset(turn, error);
      return false;
    }
  }

  /** @param {Message} message `status` of the port */
  status(message) {
    const turn = this.turns.get(message.message);
    const status = clean(message);
    if (!turn || !status) return;
    this.#renew(turn, status);
    this.#changed();
  }

  #changed() {
    this.#tick();
    this.on.change();
  }

  /**
   * The engine has failed, or has come after all.
   * @param {boolean} dead
   */
  bury(dead) {
    if (dead === this.dead) return;
    this.dead = dead;
    for (const turn of this.turns.values()) draw(turn, this.dead);
    this.#changed();
  }

  /** Stop was pressed: said at once, however long it takes to reach the engine. @param {Turn} turn */
  stopping(turn) {
    this.#renew(turn, { ...turn.status, stopping: true });
    draw(turn, this.dead);
  }

  /**
   * Takes turns away, with what is in them.
   * @param {unknown} messages their ids
   */
  remove(messages) {
    for (const id of Array.isArray(messages) ? messages : []) {
      this.turns.get(id)?.article.remove();
      this.turns.delete(id);
    }
    this.#changed();
  }

  /**
   * @param {Turn} turn
   * @param {unknown} reason
   */
  #reset(turn, reason) {
    console.warn('midstream: asking for all of an answer', turn.id, reason);
    turn.asked = true;
    this.on.intent({ type: 'reset', message: turn.id });
  }

  /**
   * @param {Turn} turn
   * @param {Status} status
   */
  #renew(turn, status) {
    const before = turn.status;
    renew(turn, status);
    if (turn.applier) this.voice.changed(turn, before);
    const other = status.state !== before.state || status.since !== before.since || before.painted;
    const due = other || performance.now() - turn.drawn >= REDRAW;
    if (due) draw(turn, this.dead);
    else this.later ||= setTimeout(() => this.#late(), REDRAW);
  }

  /** Lines that count seconds are drawn once a second, as long as there are any. */
  #tick() {
    const due = [...this.turns.values()].some((turn) => ticking(turn.status));
    if (due === this.timer > 0) return;
    clearInterval(this.timer);
    this.timer = due ? setInterval(() => this.#ticked(), 1000) : 0;
  }

  /** The last numbers of a burst. */
  #late() {
    this.later = 0;
    for (const turn of this.turns.values()) if (turn.drawn < turn.status.at) draw(turn, this.dead);
  }

  #ticked() {
    for (const turn of this.turns.values()) {
      this.voice.waited(turn);
      // One that is said to have resumed is drawn once more when that has been said long enough.
      if (ticking(turn.status) || turn.line.hasAttribute('data-fading')) draw(turn, this.dead);
    }
    this.#tick();
  }
}
