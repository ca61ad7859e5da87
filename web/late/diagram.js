// Draws diagrams for the screen (screen/diagrams/diagram_frame.js asks), in a hidden document of its own: the text goes into a
// sandbox, where Mermaid may write HTML and inline styles and nothing else, and an SVG comes out, which this document cuts down
// to a closed vocabulary. The screen shows it as an image.

import { isTooLarge } from './diagram_limits.js';
import { Sandbox } from './diagram_sandbox.js';
import { imageOf } from './diagram_svg.js';

/** @typedef {{text: string, dark: boolean, colours: Record<string, string>, font: string}} Wanted */
/** @typedef {import('./diagram_svg.js').Image & {kind: string, title: string}} Drawing */
/** @typedef {{failed: 'large' | 'line' | 'missing' | 'slow' | 'wrong', detail: string}} Failure */

/** @type {Failure} */
const LARGE = { failed: 'large', detail: '' };
const FAILURES = ['large', 'line', 'missing', 'wrong'];
const LONGEST_WORDS = 200;
/** In a text. */
const TITLE = /^[ \t]*(?:acc)?title\b[:\s]\s*(\S.*)$/im;

const sandbox = new Sandbox();

/** @param {Wanted} wanted @returns {Promise<Drawing | Failure>} */
async function answer(wanted) {
  if (isTooLarge(wanted.text)) return LARGE;
  try {
    const drawn = await sandbox.draw(wanted);
    if (drawn === null) return { failed: 'slow', detail: '' };
    if (FAILURES.includes(drawn?.failed)) return { failed: drawn.failed, detail: words(drawn.detail) };
    const image = imageOf(drawn?.svg);
    return image ? { ...image, kind: words(drawn.kind), title: (TITLE.exec(wanted.text)?.[1] ?? '').trim() } : LARGE;
  } catch (error) {
    return { failed: error instanceof TypeError ? 'missing' : 'wrong', detail: words(String(error)) };
  }
}

/** @param {unknown} text */
const words = (text) => String(text ?? '').slice(0, LONGEST_WORDS);

// Asked from outside

const { port1, port2 } = new MessageChannel();
port1.onmessage = async ({ data }) => port1.postMessage(await answer(data));
parent.postMessage('diagrams', location.origin, [port2]);
