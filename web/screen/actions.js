// What the person does with the turns that are shown, on its way to the engine.

import * as blocks from '../shared/code_block_bar.js';
import { t } from '../shared/i18n.js';
import { arrived, copied, copyLater, copyNow, download } from './composer/files.js';
import * as source from './answer/source.js';

/** @typedef {import('./port.js').Message} Message */

export class Person {
  /**
   * @param {import('./current_conversation.js').Parts} parts
   * @param {import('./current_conversation.js').Shown} shown
   */
  constructor(parts, shown) {
    this.parts = parts;
    this.shown = shown;
  }

  /** @param {import('../shared/tab.js').Pending} pending */
  send(pending) {
    const { port, scroll } = this.parts;
    this.shown.repeat();
    scroll.toEnd();
    if (port.connected) port.send({ type: 'send', ...pending }); // else the greeting brings it
  }

  stop() {
    const { port, transcript } = this.parts;
    const { live } = transcript;
    if (!live) return;
    transcript.stopping(live);
    port.send({ type: 'stop', message: live.id });
  }

  /** @param {Message} message a button under an answer, or a request of the transcript itself */
  intent(message) {
    const { boot, notices, port, transcript } = this.parts;
    const turn = transcript.turns.get(message.message);
    if (message.type === 'copy') copied(copyLater(), notices);
    if (!boot.ready && turn && message.type === 'copy') arrived(turn.content.innerText);
    else if (!boot.ready && turn && message.type === 'save') {
      download(`${message.message}.txt`, 'text/plain', turn.content.innerText);
    } else port.send(message); // one that is still to come gets it after the greeting
  }

  /** @param {HTMLElement} button @param {import('../shared/article.js').Turn} turn */
  source(button, turn) {
    const { port, scroll } = this.parts;
    if (turn.source) scroll.keep(button, () => source.hide(turn));
    else port.send({ type: 'source', message: turn.id });
  }

  /** @param {import('../shared/article.js').Turn} turn @param {number} step */
  version({ id }, step) {
    this.parts.port.send({ type: 'version', message: id, step });
  }

  /** @param {HTMLElement} button of a code block */
  block(button) {
    const { announcer, diagrams, notices, scroll, settle } = this.parts;
    const pre = button.parentElement;
    if (!pre) return;
    if (button.dataset.do === 'diagram') return void diagrams.press(button);
    if (button.dataset.do === 'wrap') {
      settle.again();
      return scroll.keep(button, () => blocks.wrap(document));
    }
    copyNow(blocks.source(pre)).then(
      () => {
        blocks.say(button, t('button.copied'));
        announcer.say(t('notice.copied'));
      },
      () => notices.show('copy-failed', '', true),
    );
  }

  /** @returns {boolean} false, and said, when no engine will come */
  able() {
    const { notices, transcript } = this.parts;
    if (transcript.dead) notices.show('no-engine', '', true);
    return !transcript.dead;
  }
}
