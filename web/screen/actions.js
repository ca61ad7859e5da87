// The person's actions on the visible turns, on their way to the engine.

import { hideSource } from './answer/source.js';
import { download } from './composer/files.js';
import { isEngineReady } from './page/page.js';

/** @typedef {import('../shared/article.js').Turn} Turn */
/**
 * @typedef {object} Parts
 * @property {import('./page/clipboard.js').PendingCopy} copy
 * @property {import('./current_conversation.js').CurrentConversation} current
 * @property {import('./page/page.js').Notices} notices
 * @property {import('./page/port.js').Port} port
 * @property {import('./page/scroll.js').Scroll} scroll
 * @property {import('./answer/transcript.js').Transcript} transcript
 */

export class Actions {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** @param {import('./page/tab.js').Pending} pending */
  send(pending) {
    const { current, port, scroll } = this.parts;
    current.showPending();
    scroll.toEnd();
    if (port.connected) port.send({ type: 'send', ...pending }); // else it is in the greeting
  }

  stop() {
    const { port, transcript } = this.parts;
    const { live } = transcript;
    if (!live) return;
    transcript.stopping(live);
    port.send({ type: 'stop', message: live.id });
  }

  /** @param {import('./page/port.js').Intent} message of a button */
  intent(message) {
    const { copy, port, transcript } = this.parts;
    const turn = 'message' in message ? transcript.turns.get(message.message) : undefined;
    if (message.type === 'copy') void this.reportCopy(copy.begin());
    // Without an engine the visible text is taken instead of the source.
    if (!isEngineReady() && turn && message.type === 'copy') copy.finish(turn.content.innerText);
    else if (!isEngineReady() && turn && message.type === 'save') {
      download(`${turn.id}.txt`, 'text/plain', turn.content.innerText);
    } else port.send(message); // an engine that comes later gets it after the greeting
  }

  /** @param {Promise<boolean>} copy */
  async reportCopy(copy) {
    if (await copy) this.parts.notices.show('copied');
  }

  /** @param {HTMLElement} button @param {Turn} turn */
  source(button, turn) {
    const { port, scroll } = this.parts;
    if (turn.source) scroll.keep(button, () => hideSource(turn));
    else port.send({ type: 'source', message: turn.id });
  }

  /** @param {Turn} turn @param {number} step */
  version({ id }, step) {
    this.parts.port.send({ type: 'version', message: id, step });
  }

  /** @returns {boolean} false, with a notice, when no engine will come */
  canAct() {
    const { notices, transcript } = this.parts;
    if (transcript.dead) notices.show('no-engine', '', true);
    return !transcript.dead;
  }
}
