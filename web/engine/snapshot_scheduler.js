// Has a snapshot of a started Python made at an idle time, for the next start (engine/pyodide/snapshot_maker.mjs does it).

/** Milliseconds after the start, and until the next try while an answer is being written. */
const WAIT = 5000;
/** How the locks of answers that are being written begin (engine/answers/answer.py). */
const WRITING = 'midstream:answer:';

const delay = (/** @type {number} */ time) => new Promise((resolve) => setTimeout(resolve, time));

/** Resolves when a second Python would slow down nothing that the person waits for. */
async function untilIdle() {
  do await delay(WAIT);
  while (document.hidden || (await navigator.locks.query()).held?.some(({ name }) => name?.startsWith(WRITING)));
  // WebKit has none.
  if ('requestIdleCallback' in globalThis) await new Promise((resolve) => requestIdleCallback(resolve));
}

/** @param {string} way the name by which boot.mjs knows how Python was started */
export async function scheduleSnapshot(way) {
  const { connection } = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
  // Without a secure context there is no place to store it.
  if (way !== 'compiled' || connection?.saveData || !isSecureContext) return;
  await untilIdle();
  const maker = new Worker('engine/pyodide/snapshot_maker.mjs', { type: 'module', name: 'snapshot' });
  maker.onmessage = ({ data }) => {
    if (data.error) console.info('midstream: no snapshot:', data.error);
  };
  maker.onerror = () => console.info('midstream: no snapshot');
}
