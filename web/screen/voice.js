// What is spoken of an answer while it goes from state to state, and what of that only once.

import { spoken, spokenWait } from './status.js';

/** @typedef {import('./article.js').Turn} Turn */

export class Voice {
  /** @param {import('./announce.js').Announcer} announcer */
  constructor(announcer) {
    this.announcer = announcer;
  }

  /**
   * @param {Turn} turn
   * @param {import('./status.js').Status} before
   */
  changed(turn, before) {
    const line = spoken(before, turn.status, document.hidden);
    if (line?.urgent) this.announcer.alarm(line.text);
    else if (line?.once) this.#once(turn, line.text);
    else if (line) this.announcer.say(line.text);
  }

  /** Time has passed. @param {Turn} turn */
  waited(turn) {
    const long = turn.applier && spokenWait(turn.status);
    if (long) this.#once(turn, long);
  }

  /**
   * @param {Turn} turn
   * @param {string} text
   */
  #once(turn, text) {
    if (turn.said.has(text)) return;
    turn.said.add(text);
    this.announcer.say(text);
  }
}
