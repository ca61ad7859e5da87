// Diagrams: a code block in Mermaid's language, once it is complete, can be shown as a drawing. Its source keeps its nodes: what is
// selected, copied, searched and counted is the source. The last choice holds on this device; with drawings chosen, blocks are drawn
// as they come near the screen, and without nothing of it is fetched.

import { button, source } from '../../shared/code_block_bar.js';
import { Drawer, NotDrawn, picture } from './diagram_frame.js';
import { dress, hide, isDrawn, look, night, show } from './diagram_view.js';
import { t } from '../../shared/i18n.js';
import { html } from '../page/page.js';
import { prefer, preferred } from '../page/preferences.js';
import { load, store } from '../../shared/tab.js';

/** How far from the screen they are drawn. */
const MARGIN = '100% 0px';
/** Milliseconds after a key in which nothing is drawn that nobody has asked for: it takes the thread that shows the keys. */
const TYPING = 1000;
/** Where it is noted what is being drawn, and how many notes there may be. */
const BEGUN = 'midstream.drawing';
const MOST = 20;

export class Diagrams {
  #drawer = new Drawer();
  /** To be drawn, in this order. @type {Set<HTMLElement>} */
  #waiting = new Set();
  /** @type {Promise<void> | null} */
  #work = null;
  #typed = -TYPING;
  /** What a page was drawing when it went without a word: it may have been that. */
  #feared = new Set(begun());
  /** What is being drawn. @type {Set<string>} */
  #noted = new Set();
  #near;

  /**
   * @param {HTMLElement} scroller
   * @param {object} on
   * @param {(change: () => void) => void} on.still makes a change without moving what is being read
   * @param {(button: HTMLElement, change: () => void) => void} on.keep makes a change without moving the button
   * @param {(code: string, detail: string) => void} on.failed said to the person who has pressed the button
   * @param {() => void} on.unsaved the browser does not store the choice
   */
  constructor(scroller, on) {
    this.on = on;
    this.#near = new IntersectionObserver((entries) => this.#came(entries), { root: scroller, rootMargin: MARGIN });
    addEventListener('input', () => (this.#typed = performance.now()), { capture: true, passive: true });
    addEventListener('pagehide', () => this.#noted.size && this.#note(() => this.#noted.clear()));
    night.addEventListener('change', () => this.#redress());
    new MutationObserver(() => this.#redress()).observe(html, { attributeFilter: ['data-theme'] });
  }

  /** Blocks that are complete. @param {Element[]} blocks */
  watch(blocks) {
    if (preferred('diagrams') === 'drawn') for (const block of blocks) this.#near.observe(block);
  }

  /** The button of a block. @param {HTMLElement} pressed */
  async press(pressed) {
    const block = /** @type {HTMLElement} */ (pressed.closest('pre'));
    if (block.hasAttribute('aria-busy')) return;
    const drawn = isDrawn(block);
    if (!prefer('diagrams', drawn ? 'source' : 'drawn')) this.on.unsaved();
    if (drawn) {
      this.#near.disconnect();
      this.#waiting.clear();
      return this.on.keep(pressed, () => hide(block));
    }
    await this.#draw(block, (change) => this.on.keep(pressed, change), this.on.failed);
    this.watch([...document.querySelectorAll('pre[data-diagram]:not([data-drawn])')].filter((each) => each !== block));
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #came(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.#near.unobserve(target);
      this.#waiting.add(/** @type {HTMLElement} */ (target));
    }
    this.#work ??= this.#drawWaiting().finally(() => (this.#work = null));
  }

  async #drawWaiting() {
    for (const block of this.#waiting) {
      await this.#quiet();
      if (!this.#waiting.delete(block) || !block.isConnected || block.hasAttribute('aria-busy')) continue;
      if (block.dataset.drawn === look() || this.#feared.has(key(source(block)))) continue;
      // Said in passing; whoever wants to know presses the button.
      await this.#draw(block, this.on.still, (code, detail) => button(block, 'diagram')?.setAttribute('title', t(`notice.${code}`, { detail })));
    }
  }

  /** Resolves when nobody types. */
  async #quiet() {
    for (;;) {
      const left = this.#typed + TYPING - performance.now();
      if (left <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** The page's colours may be others: what is drawn is drawn anew. */
  #redress() {
    for (const block of document.querySelectorAll('pre[data-drawn]')) this.#near.observe(block);
  }

  /**
   * @param {HTMLElement} block
   * @param {(change: () => void) => void} place
   * @param {(code: string, detail: string) => void} failed
   */
  async #draw(block, place, failed) {
    const text = source(block);
    const shown = look();
    block.setAttribute('aria-busy', 'true');
    this.#note(() => this.#noted.add(key(text)));
    try {
      const drawing = await this.#drawer.draw({ text, ...dress() });
      const image = await picture(drawing);
      this.#feared.delete(key(text));
      button(block, 'diagram')?.removeAttribute('title');
      if (block.isConnected) place(() => show(block, image, drawing, shown));
    } catch (error) {
      const { code, detail } = error instanceof NotDrawn ? error : new NotDrawn('wrong', String(error));
      failed(`diagram-${code}`, detail);
    } finally {
      this.#note(() => this.#noted.delete(key(text)));
      block.removeAttribute('aria-busy');
    }
  }

  /**
   * A text that keeps the browser busy for ever does that to the page too, and would again after each reload: what is being drawn is
   * noted, and what stands there when a page begins is drawn only for whoever asks.
   * @param {() => void} change of what is being drawn
   */
  #note(change) {
    const others = begun().filter((each) => !this.#noted.has(each));
    change();
    store('localStorage', BEGUN, [...others, ...this.#noted].slice(-MOST));
  }
}

/** @returns {string[]} */
function begun() {
  const found = load('localStorage', BEGUN);
  return Array.isArray(found) ? found : [];
}

/** Short, and the same for the same text. @param {string} text */
function key(text) {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (31 * sum + text.charCodeAt(i)) | 0;
  return `${text.length}.${sum}`;
}
