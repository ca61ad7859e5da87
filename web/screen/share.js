// What leaves the app by the person's wish, and comes in: the clipboard and files. The source text comes from the engine; without an engine
// what is shown is taken instead.

/** The copy that waits for its text. @type {((text: string) => void) | null} */
let waiting = null;

/**
 * Copies a text that is still to come: the browser wants the request within the click, the engine answers a moment later.
 * @returns {Promise<void>} rejected when the browser refuses
 */
export function copyLater() {
  const text = new Promise((/** @type {(text: string) => void} */ resolve) => (waiting = resolve));
  const blob = text.then((words) => new Blob([words], { type: 'text/plain' }));
  return navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
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

export class TooLarge extends Error {
  megabytes = LARGEST / 2 ** 20;
}

/**
 * The text of a file that the person has chosen.
 * @param {File} file
 * @returns {Promise<string>} rejected with TooLarge, or when the file cannot be read
 */
export async function textOf(file) {
  if (file.size > LARGEST) throw new TooLarge(file.name);
  return file.text();
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
