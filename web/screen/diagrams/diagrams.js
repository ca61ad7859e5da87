// Diagrams: a complete code block in Mermaid's language can be shown as a drawing. The source stays in the page:
// selection, copy, search and counts mean the source. The person's last choice holds on this device. With drawings
// chosen, blocks are drawn as they come near the screen; without, nothing for it is fetched.

import { barButton, codeOf } from '../../shared/code_block_bar.js';
import { DiagramFrame, NotDrawn, picture } from './diagram_frame.js';
import { diagramStyle, hideDiagram, isDrawn, night, showDiagram, themeOfPage } from './diagram_view.js';
import { t } from '../../shared/i18n.js';
import { html } from '../page/page.js';
import { prefer, preferred } from '../page/preferences.js';
import { loadItem, storeItem } from '../page/tab.js';

/** How far from the screen they are drawn. */
const MARGIN = '100% 0px';
/** Milliseconds after a key in which nothing is drawn by itself: drawing takes the thread that shows the keys. */
const TYPING = 1000;
/** The item that lists diagrams under way, and its greatest length. */
const BEGUN = 'midstream.drawing';
const MOST = 20;

export class Diagrams {
  #frame = new DiagramFrame();
  /** To be drawn, in this order. @type {Set<HTMLElement>} */
  #waiting = new Set();
  /** @type {Promise<void> | null} */
  #work = null;
  #typed = -TYPING;
  /** Diagrams that took too long, or that an earlier page was drawing when it broke off: they may be the reason. */
  #feared = new Set(begun());
  /** Diagrams that are being drawn. @type {Set<string>} */
  #noted = new Set();
  /** Why blocks are not drawn: a code and a detail. @type {WeakMap<HTMLElement, string[]>} */
  #reasons = new WeakMap();
  #near;

  /**
   * @param {HTMLElement} scroller
   * @param {object} on
   * @param {(change: () => void) => void} on.still makes a change without moving the text under the reader
   * @param {(button: HTMLElement, change: () => void) => void} on.keep makes a change without moving the button
   * @param {(code: string, detail: string) => void} on.failed tells the person who has pressed the button
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
      return this.on.keep(pressed, () => hideDiagram(block));
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
      if (block.dataset.drawn === themeOfPage() || this.#feared.has(key(codeOf(block)))) continue;
      // A failure stands in the button's tooltip only; a press of the button shows a notice.
      await this.#draw(block, this.on.still, (code, detail) => {
        this.#reasons.set(block, [code, detail]);
        this.#explain(block);
      });
    }
  }

  /** Says in its button's tooltip why a block is not drawn. @param {HTMLElement} block */
  #explain(block) {
    const [code, detail] = this.#reasons.get(block) ?? [];
    const button = barButton(block, 'diagram');
    if (code) button?.setAttribute('title', t(`notice.${code}`, { detail }));
    else button?.removeAttribute('title');
  }

  /** In another language. */
  relabel() {
    for (const block of document.querySelectorAll('pre[data-diagram]'))
      this.#explain(/** @type {HTMLElement} */ (block));
  }

  /** Resolves when nobody types. */
  async #quiet() {
    for (;;) {
      const left = this.#typed + TYPING - performance.now();
      if (left <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** The page's colours may have changed: all drawings are made again. */
  #redress() {
    for (const block of document.querySelectorAll('pre[data-drawn]')) this.#near.observe(block);
  }

  /**
   * @param {HTMLElement} block
   * @param {(change: () => void) => void} put
   * @param {(code: string, detail: string) => void} failed
   */
  async #draw(block, put, failed) {
    const text = codeOf(block);
    const theme = themeOfPage();
    block.setAttribute('aria-busy', 'true');
    this.#note(() => this.#noted.add(key(text)));
    try {
      const drawing = await this.#frame.draw({ text, ...diagramStyle() });
      const image = await picture(drawing);
      this.#feared.delete(key(text));
      this.#reasons.delete(block);
      this.#explain(block);
      if (block.isConnected) put(() => showDiagram(block, image, drawing, theme));
    } catch (error) {
      const { code, detail } = error instanceof NotDrawn ? error : new NotDrawn('wrong', String(error));
      if (code === 'slow') this.#feared.add(key(text));
      failed(`diagram-${code}`, detail);
    } finally {
      this.#note(() => this.#noted.delete(key(text)));
      block.removeAttribute('aria-busy');
    }
  }

  /**
   * A text that keeps the browser busy for ever blocks the page too, and would again after each reload. So diagrams
   * under way are noted, and a page draws those that it finds noted at its beginning only after a press of the button.
   * @param {() => void} change of the diagrams that are being drawn
   */
  #note(change) {
    const others = begun().filter((each) => !this.#noted.has(each));
    change();
    const all = new Set([...others, ...this.#feared, ...this.#noted]);
    storeItem('localStorage', BEGUN, [...all].slice(-MOST));
  }
}

/** @returns {string[]} */
function begun() {
  const noted = loadItem('localStorage', BEGUN);
  return Array.isArray(noted) ? noted : [];
}

/** Short, and the same for the same text. @param {string} text */
function key(text) {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (31 * sum + text.charCodeAt(i)) | 0;
  return `${text.length}.${sum}`;
}
