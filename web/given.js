// Begins what Python's worker is going to need while PyScript still makes that worker (pyodide/given.mjs does it).

/**
 * @param {Promise<unknown>} line until then it belongs to the screen
 * @returns {(port: MessagePort) => void} has it given to the worker at the other end, or null where it cannot be had
 */
export function given(line) {
  /** @type {Promise<Worker | null>} */
  const made = line.then(() => new Promise((resolve) => {
    const worker = new Worker('pyodide/given.mjs', { type: 'module', name: 'given' });
    worker.onmessage = () => resolve(worker);
    worker.onerror = () => resolve(null);
  }));
  return (port) => void made.then((worker) => (worker ? worker.postMessage(port, [port]) : port.postMessage(null)));
}
