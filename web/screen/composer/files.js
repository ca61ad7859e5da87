// Files, in both directions.

import { errorText } from '../../shared/problem.js';
import { TooLarge, conversationsIn } from './zip.js';

/** Bytes of an imported file: it goes through memory as one string. */
const LARGEST = 64 * 2 ** 20;

/**
 * Sends a chosen file to the engine.
 * @param {File} file
 * @param {import('../page/port.js').Port} port
 * @param {import('../page/page.js').Notices} notices
 */
export async function importFile(file, port, notices) {
  const zipped = /\.zip$/i.test(file.name);
  let found = false;
  try {
    for await (const each of zipped ? conversationsIn(file, LARGEST) : [file]) {
      found = true;
      if (each.size > LARGEST) throw new TooLarge(LARGEST);
      port.send({ type: 'import', text: await each.text() });
    }
    if (!found) notices.show('import-no-conversations', file.name, true);
  } catch (error) {
    if (error instanceof TooLarge) notices.show('import-too-large', String(error.largest / 2 ** 20), true);
    else notices.show(zipped ? 'import-archive' : 'import-failed', errorText(error), true);
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
