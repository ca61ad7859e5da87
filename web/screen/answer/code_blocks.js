// The buttons of code blocks at work: copying, breaking long lines, drawing.

import { barButton, codeOf } from '../../shared/code_block_bar.js';
import { t } from '../../shared/i18n.js';
import { copyText } from '../page/clipboard.js';

/** How long a button says what it has done, in ms. */
const SAID = 2000;

export class CodeBlocks {
  /** Long lines are broken, in all blocks of this page. */
  #wrapped = false;

  /**
   * @param {object} on
   * @param {() => void} on.copied
   * @param {(button: HTMLElement) => void} on.diagram shows the block as a diagram, or its source again
   * @param {(button: HTMLElement, change: () => void) => void} on.keep makes a change without moving the button
   */
  constructor(on) {
    this.on = on;
  }

  /** New blocks. @param {Element[]} blocks */
  take(blocks) {
    if (this.#wrapped) for (const block of blocks) this.#wrap(block);
  }

  /** @param {HTMLElement} button that was pressed */
  press(button) {
    const pre = button.parentElement;
    if (!pre) return;
    if (button.dataset.do === 'diagram') this.on.diagram(button);
    else if (button.dataset.do === 'wrap') this.on.keep(button, () => this.#toggle());
    else void this.#copy(button, codeOf(pre));
  }

  /** @param {HTMLElement} button @param {string} code */
  async #copy(button, code) {
    if (!(await copyText(code))) return;
    confirm(button, t('button.copied'));
    this.on.copied();
  }

  #toggle() {
    this.#wrapped = !this.#wrapped;
    for (const block of document.querySelectorAll('pre[data-block]')) this.#wrap(block);
  }

  /** @param {Element} block */
  #wrap(block) {
    block.toggleAttribute('data-wrap', this.#wrapped);
    barButton(block, 'wrap')?.setAttribute('aria-pressed', String(this.#wrapped));
  }
}

/** Lets a button say for a moment what it has done. @param {HTMLElement} button @param {string} text */
function confirm(button, text) {
  button.dataset.caption = text;
  setTimeout(() => (button.dataset.caption = t(`button.${button.dataset.do}`)), SAID);
}
