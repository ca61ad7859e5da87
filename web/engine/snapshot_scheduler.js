// Has a snapshot of a started Python made at an idle time, for the next start (engine/pyodide/snapshot_maker.mjs does it).

/** Milliseconds after the start, and until the next try while an answer is being written. */
const WAIT = 5000;
/** How the locks of answers that are being written begin (engine/answers/answer.py). */
const WRITING = 'midstream:answer:';

const delay = (/** @type {number} */ time) => new Promise((resolve) => setTimeout(resolve, time));

/** Resolves when nothing is waited for that a second Python would slow down. */
async function quiet() {
  do await delay(WAIT);
  while (document.hidden || (await navigator.locks.query()).held?.some(({ name }) => name?.startsWith(WRITING)));
  // WebKit has none.
  if ('requestIdleCallback' in globalThis) await new Promise((resolve) => requestIdleCallback(resolve));
}

/** @param {string} way how Python was started */
export async function provide(way) {
  const { connection } = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
  // Without a secure context there is nowhere to keep it.
  if (way !== 'compiled' || connection?.saveData || !isSecureContext) return;
  await quiet();
  const maker = new Worker('engine/pyodide/snapshot_maker.mjs', { type: 'module', name: 'snapshot' });
  maker.onmessage = ({ data }) => {
    if (data.error) console.info('midstream: no snapshot:', data.error);
  };
  maker.onerror = () => console.info('midstream: no snapshot');
}
