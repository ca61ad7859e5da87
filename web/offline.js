// The page's half of the service worker's life: registers it, has the runtime stored for offline use, and hands over to a new
// version when the person has agreed. Here, in the engine's document, since registering is a Trusted Types sink, which the
// policy of the visible document forbids.

/** Milliseconds without news of Python after which the runtime is stored for offline use even if it has not answered. */
const PATIENCE = 30_000;
/** Milliseconds until an update that has to wait for an answer is tried again. */
const HELD_AGAIN = 5000;

/** What browsers call it when a person, or a private window, forbids service workers. */
const DENIED = new Set(['SecurityError', 'NotSupportedError', 'InvalidStateError', 'NotAllowedError']);

/** @typedef {{version: string, done: number, total: number, failed?: string, held?: boolean}} Stored what sw.js says */
/** @typedef {(message: {type: string} & Record<string, unknown>) => void} Tell */

export class Offline {
  /** @type {ServiceWorkerRegistration | null} */
  #registration = null;
  #reporting = Promise.resolve();
  #until = 0;
  #tell;

  /**
   * @param {Tell} tell how the screen is told
   * @param {Promise<unknown>} running settles when Python has been started, or cannot be
   */
  constructor(tell, running) {
    this.#tell = tell;
    // Without a service worker (a private window, plain http) everything works but the offline part.
    if (!isSecureContext) tell({ type: 'shell', state: 'insecure' });
    else if ('serviceWorker' in navigator) this.#register(running).catch((error) => this.#refused(error));
    else tell({ type: 'shell', state: 'denied' });
  }

  /** Python is still coming, over a slow line, which belongs to it. */
  wait() {
    this.#until = performance.now() + PATIENCE;
  }

  async #quiet() {
    for (let left = PATIENCE; left > 0; left = this.#until - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** @param {unknown} error */
  #refused(error) {
    console.warn('midstream: no service worker', error);
    // Another error is a network that was not there: the next load tries again.
    if (error instanceof DOMException && DENIED.has(error.name)) this.#tell({ type: 'shell', state: 'denied' });
  }

  /** Hands over to the new version; while the old one holds an answer's connection it waits, and says so. */
  async update() {
    const { waiting } = this.#registration ?? {};
    if (!waiting) return this.#tell({ type: 'shell', state: 'updated' });
    const { held } = await ask(waiting, { type: 'skip-waiting' });
    if (!held) return;
    this.#tell({ type: 'shell', state: 'update-held' });
    setTimeout(() => this.update(), HELD_AGAIN);
  }

  /** @param {Promise<unknown>} running */
  async #register(running) {
    const registration = await navigator.serviceWorker.register('sw.js', { type: 'module', updateViaCache: 'none' });
    this.#registration = registration;
    let had = navigator.serviceWorker.controller !== null; // the first one that takes over is no update
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (had) this.#tell({ type: 'shell', state: 'updated' });
      had = true;
    });
    // The network and the processor belong to Python first.
    await Promise.race([running.catch(() => {}), this.#quiet()]);
    registration.addEventListener('updatefound', () => this.#watch(registration.installing));
    this.#watch(registration.installing);
    addEventListener('online', () => this.#report());
    await this.#report();
  }

  /** @param {ServiceWorker | null} other */
  #watch(other) {
    other?.addEventListener('statechange', () => {
      if (other.state === 'installed' || other.state === 'activated') this.#report();
    });
  }

  /** One after the other: two at once would fetch every file twice. */
  #report() {
    this.#reporting = this.#reporting.then(() => this.#say()).catch((error) => console.warn('midstream: shell', error));
    return this.#reporting;
  }

  /** Says what the screen shows about the shell, after everything that was missing has been fetched. */
  async #say() {
    const { active, waiting } = this.#registration ?? {};
    if (!active) return;
    // Filled before it is offered: an update must not cost the ability to work offline.
    if (waiting && (await this.#fill(waiting))) this.#tell({ type: 'shell', state: 'update-ready' });
    else if (await this.#fill(active)) this.#tell({ type: 'shell', state: 'offline-ready' });
  }

  /**
   * Lets a service worker store the runtime, one file per message: a single long event would be killed by the browser.
   * @param {ServiceWorker} other
   * @returns {Promise<boolean>} true when all of it is stored
   */
  async #fill(other) {
    /** @type {string[]} files that could not be had this time */
    const skip = [];
    for (;;) {
      const { done, total, failed } = await ask(other, { type: 'fill', skip });
      if (failed) skip.push(failed);
      if (done + skip.length >= total) return total > 0 && skip.length === 0;
      if (other.state === 'activated') this.#tell({ type: 'shell', state: 'installing', done, total });
    }
  }
}

/**
 * Asks a service worker; sw.js answers each message on the port that comes with it.
 * @param {ServiceWorker} other
 * @param {Record<string, unknown>} message
 * @returns {Promise<Stored>}
 */
function ask(other, message) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = (event) => resolve(event.data);
    other.postMessage(message, [port2]);
  });
}
