// The hidden document that draws diagrams, with a policy of its own (late/diagram.js). It is loaded for the first
// diagram and removed after some time without one. It answers with SVG as text; the page shows that as an image, which
// can run and load nothing.

import { element } from '../../shared/element.js';

/** @typedef {{text: string, dark: boolean, colours: Record<string, string>, font: string}} Request */
/** @typedef {{svg: string, width: number, height: number, kind: string, title: string}} Drawing */

const DOCUMENT = 'late/diagram.html';
/** Milliseconds until the person learns that it does not come: the document, and a drawing with its modules. */
const LIMITS = { missing: 20_000, slow: 30_000 };
/** Milliseconds without a drawing after which the document goes, and with it some ten megabytes. */
const IDLE = 60_000;

/** There is no drawing, because: `missing`, `slow`, `large`, `line` (with its number) or `wrong` (with a reason). */
export class NotDrawn extends Error {
  /** @param {string} code @param {string} [detail] */
  constructor(code, detail = '') {
    super(`${code} ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

export class DiagramFrame {
  /** @type {HTMLElement | null} */
  #frame = null;
  /** @type {Promise<MessagePort> | null} */
  #port = null;
  /** @type {Promise<unknown>} one after the other: the document has one page to write on */
  #last = Promise.resolve();
  #idle = 0;

  /** @param {Request} request @returns {Promise<Drawing>} rejects with NotDrawn */
  draw(request) {
    const drawing = this.#last.then(() => this.#draw(request));
    this.#last = drawing.catch(() => {});
    return drawing;
  }

  /** @param {Request} request */
  async #draw(request) {
    clearTimeout(this.#idle);
    try {
      this.#port ??= this.#open();
      const port = await within('missing', this.#port);
      const answer = await within('slow', answerOf(port, request));
      if (answer.failed) throw new NotDrawn(answer.failed, answer.detail);
      return answer;
    } catch (error) {
      // A browser asks for a module that it could not get only once in each document.
      if (error instanceof NotDrawn && ['missing', 'slow'].includes(error.code)) this.#close();
      throw error;
    } finally {
      this.#idle = setTimeout(() => this.#close(), IDLE);
    }
  }

  /** @returns {Promise<MessagePort>} */
  #open() {
    const hidden = { 'data-part': 'drawer', src: DOCUMENT, 'aria-hidden': 'true', tabindex: '-1' };
    const frame = /** @type {HTMLIFrameElement} */ (element(document, 'iframe', hidden));
    this.#frame = frame;
    return new Promise((resolve, reject) => {
      /** @param {MessageEvent} event */
      const receive = ({ source, origin, ports }) => {
        if (source !== frame.contentWindow || origin !== location.origin || !ports.length) return;
        removeEventListener('message', receive);
        resolve(ports[0]);
      };
      addEventListener('message', receive);
      // A browser's own page about a missing network is nobody's to read.
      frame.addEventListener('load', () => frame.contentDocument ?? reject(new NotDrawn('missing')));
      document.body.append(frame);
    });
  }

  #close() {
    this.#frame?.remove();
    this.#frame = null;
    this.#port = null;
  }
}

/** @param {MessagePort} port @param {Request} request @returns {Promise<any>} Drawing, or why there is none */
function answerOf(port, request) {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => resolve(data);
    port.postMessage(request);
  });
}

/**
 * @template T
 * @param {keyof typeof LIMITS} code
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function within(code, promise) {
  const late = new Promise((/** @type {(nothing: never) => void} */ _, reject) => {
    setTimeout(() => reject(new NotDrawn(code)), LIMITS[code]);
  });
  return Promise.race([promise, late]);
}

/**
 * A drawing as a loaded image. Its address is revoked at once.
 * @param {Drawing} drawing
 * @returns {Promise<HTMLImageElement>}
 */
export async function picture({ svg, width, height }) {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  const image = new Image(Math.ceil(width), Math.ceil(height));
  try {
    image.src = address;
    await image.decode();
    return image;
  } catch {
    throw new NotDrawn('wrong', 'SVG');
  } finally {
    URL.revokeObjectURL(address);
  }
}
