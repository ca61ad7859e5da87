// What leaves the app by the person's wish, and comes in: the clipboard and files. The source text comes from the engine; without an engine
// what is shown is taken instead.

import { caught } from '../../shared/problem.js';
import { TooLarge, conversationsIn } from './zip.js';

/** The copy that waits for its text. @type {((text: string) => void) | null} */
let waiting = null;

/**
 * Copies a text that is still to come: the browser wants the request within the click, the engine answers a moment later.
 * @returns {Promise<void>} rejected when the browser refuses
 */
export async function copyLater() {
  const text = new Promise((/** @type {(text: string) => void} */ resolve) => (waiting = resolve));
  const blob = text.then((words) => new Blob([words], { type: 'text/plain' }));
  return navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
}

/** @param {string} text @returns {Promise<void>} rejected when the browser refuses, as over plain http */
export const copyNow = async (text) => navigator.clipboard.writeText(text);

/**
 * Says what became of a copy.
 * @param {Promise<void>} copy
 * @param {import('../page/page.js').Notices} notices
 */
export function copied(copy, notices) {
  copy.then(() => notices.show('copied'), () => notices.show('copy-failed', '', true));
}

/**
 * @param {string} text
 * @returns {boolean} false when nobody waits for it
 */
export function arrived(text) {
  const taken = waiting !== null;
  waiting?.(text);
  waiting = null;
  return taken;
}

/** Bytes of a file that is loaded: it goes through memory as one string. */
const LARGEST = 64 * 2 ** 20;

/**
 * Hands the engine a file that the person has chosen.
 * @param {File} file
 * @param {import('../port.js').Port} port
 * @param {import('../page/page.js').Notices} notices
 */
export async function bring(file, port, notices) {
  const zipped = /\.zip$/i.test(file.name);
  try {
    const files = zipped ? await conversationsIn(file, LARGEST) : [file];
    if (!files.length) return notices.show('import-no-conversations', file.name, true);
    for (const each of files) {
      if (each.size > LARGEST) notices.show('import-too-large', String(LARGEST / 2 ** 20), true);
      else port.send({ type: 'import', text: await each.text() });
    }
  } catch (error) {
    const code = error instanceof TooLarge ? 'import-too-large' : zipped ? 'import-archive' : 'import-failed';
    notices.show(code, error instanceof TooLarge ? String(LARGEST / 2 ** 20) : caught(error), true);
  }
}

/**
 * Offers a file for download.
 * @param {string} name
 * @param {string} mime
 * @param {string} text
 */
export function download(name, mime, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: mime }));
  link.download = name;
  link.click();
  // The browser has its own hold on the blob once the download has begun; a minute is plenty for a "save as" question.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
