// Announcements about an answer while it goes from state to state, some of them only once, and its text for people who
// want it read.

import { LIVE, announcement, waitAnnouncement } from '../../shared/status.js';
import { preferred } from '../page/preferences.js';

/** @typedef {import('../../shared/article.js').Turn} Turn */

export class Speech {
  /** @param {import('../page/announce.js').Announcer} announcer */
  constructor(announcer) {
    this.announcer = announcer;
    /** Blocks that were read, or were there before the first announcement. @type {WeakMap<Turn, number>} */
    this.read = new WeakMap();
  }

  /** @param {Turn} turn @param {import('../../shared/status.js').Status} before */
  changed(turn, before) {
    const line = announcement(before, turn.status, document.hidden);
    if (line?.urgent) this.announcer.alarm(line.text);
    else if (line?.once) this.#once(turn, line.text);
    else if (line) this.announcer.say(line.text);
    if (LIVE.has(before.state) && before.at && !LIVE.has(turn.status.state)) this.#ended(turn);
  }

  /** More of the text is there. @param {Turn} turn */
  grown(turn) {
    const done = turn.content.children.length - 1; // the last block may still grow
    const read = this.read.get(turn);
    if (read === undefined) this.read.set(turn, Math.max(0, done));
    else if (done > read && preferred('announce') === 'paragraphs') this.#blocks(turn, read, done);
  }

  /** @param {Turn} turn */
  #ended(turn) {
    const choice = preferred('announce');
    const { length } = turn.content.children;
    if (choice === 'whole') this.#blocks(turn, 0, length);
    if (choice === 'paragraphs') this.#blocks(turn, this.read.get(turn) ?? length, length);
  }

  /** @param {Turn} turn @param {number} from @param {number} to */
  #blocks(turn, from, to) {
    this.read.set(turn, to);
    this.announcer.read([...turn.content.children].slice(from, to));
  }

  /** Time has passed. @param {Turn} turn */
  waited(turn) {
    const long = turn.applier && waitAnnouncement(turn.status);
    if (long) this.#once(turn, long);
  }

  /** @param {Turn} turn @param {string} text */
  #once(turn, text) {
    if (turn.announced.has(text)) return;
    turn.announced.add(text);
    this.announcer.say(text);
  }
}
