// The page's half of the service worker's life: registers it, has it store and check the runtime for offline use, and hands over
// to a new version when the person has agreed. It stands in the engine's document, since registering is a Trusted Types sink,
// which the policy of the visible document forbids.

/** Milliseconds without news of Python after which the runtime is stored for offline use even if it has not answered. */
const PATIENCE = 30_000;
/** Milliseconds until an update that has to wait for an answer is tried again. */
const HELD_RETRY = 5000;
/** Milliseconds until a file that could not be fetched is tried again; doubled each time, up to the last. */
const RETRY = 30_000;
const RETRY_LAST = 3_600_000;
/** How often a page that stays open looks for a new version, in ms. A browser does so by itself at each navigation. */
const LOOK_EVERY = 3_600_000;
/** Milliseconds after which a service worker that was asked has been ended by the browser: the longest event is 300 s. */
const ASK_LIMIT = 310_000;

/** The names of errors when a person, or a private window, forbids service workers. */
const DENIED = new Set(['SecurityError', 'NotSupportedError', 'InvalidStateError', 'NotAllowedError']);

/** @typedef {{version: string, done: number, total: number, bytes: number, size: number}} Stored */
/** @typedef {Stored & {failed?: string, full?: boolean, held?: boolean, checked?: string | null, sound?: boolean}} Reply by sw.js */
/** @typedef {(message: {type: string} & Record<string, unknown>) => void} Notify */

export class Offline {
  /** @type {ServiceWorkerRegistration | null} */
  #registration = null;
  /** The network and the processor belong to Python first; then whether it has started. @type {Promise<boolean>} */
  #started;
  /** @type {Promise<unknown>} */
  #reporting;
  /** Another tab has changed the version: this page knows nothing of its files. */
  #replaced = false;
  #leaving = false;
  #patientUntil = 0;
  #retryAfter = RETRY;
  #timer = 0;
  #notify;
  #painted;

  /**
   * @param {Notify} notify sends a message to the screen
   * @param {Promise<unknown>} running settles when Python has been started, or cannot be
   * @param {Promise<void>} painted until then the line belongs to the screen
   */
  constructor(notify, running, painted) {
    this.#notify = notify;
    this.#painted = painted;
    this.#started = Promise.race([
      running.then(
        () => true,
        () => false,
      ),
      this.#quiet().then(() => true),
    ]);
    this.#reporting = this.#started;
    // Without a service worker (a private window, plain http) everything works but the offline part.
    if (!isSecureContext) notify({ type: 'shell', state: 'insecure' });
    else if ('serviceWorker' in navigator)
      this.#begin().catch((error) => console.warn('midstream: service worker', error));
    else notify({ type: 'shell', state: 'denied' });
  }

  /** Python is still coming, over a slow line, which belongs to it. */
  wait() {
    this.#patientUntil = performance.now() + PATIENCE;
  }

  async #quiet() {
    for (let left = PATIENCE; left > 0; left = this.#patientUntil - performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, left));
    }
  }

  /** @param {unknown} error */
  #refused(error) {
    // Another error is a network that was not there.
    if (!(error instanceof DOMException) || !DENIED.has(error.name)) return this.#incomplete(error, false);
    console.warn('midstream: no service worker', error);
    this.#notify({ type: 'shell', state: 'denied' });
  }

  /** Hands over to the new version; while the old one holds an answer's connection it waits, and says so. */
  async update() {
    // Chromium waits for the old version to fall idle, which each message to it puts off by half a minute.
    this.#leaving = true;
    await this.#reporting;
    const { waiting } = this.#registration ?? {};
    if (!waiting) return this.#notify({ type: 'shell', state: 'updated' });
    const { held } = await ask(waiting, { type: 'skip-waiting' });
    if (!held) return;
    this.#notify({ type: 'shell', state: 'update-held' });
    setTimeout(() => this.update(), HELD_RETRY);
  }

  async #begin() {
    let had = navigator.serviceWorker.controller !== null; // the first one that takes over is no update
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      const { controller } = navigator.serviceWorker;
      if (had && controller) this.#changed('updated');
      had = controller !== null;
      if (!controller && !this.#replaced) this.#install(); // deleted, with the data of the site: no version came instead
    });
    // The off switch, which takes itself away.
    navigator.serviceWorker.addEventListener('message', ({ data }) => data?.type === 'off' && this.#changed('off'));
    addEventListener('online', () => this.#report());
    setInterval(() => this.#registration?.update().catch(() => {}), LOOK_EVERY);
    await this.#painted;
    await this.#install();
    const started = await this.#started;
    if (!started) await this.#mend(true);
    await this.#report();
    if (started) await this.#mend(false);
  }

  #install() {
    return this.#register().catch((error) => this.#refused(error));
  }

  async #register() {
    const found = await navigator.serviceWorker.getRegistration();
    const made = navigator.serviceWorker.register('sw.js', { type: 'module', updateViaCache: 'none' });
    // What answers may not be the host (a hotel's login page): the version that is here goes on.
    this.#registration = await (found?.active ? made.catch(() => found) : made);
    this.#registration.addEventListener('updatefound', () => this.#watch(this.#registration?.installing));
    this.#watch(this.#registration.installing);
  }

  /** @param {ServiceWorker | null | undefined} other */
  #watch(other) {
    let installed = false;
    other?.addEventListener('statechange', () => {
      if (other.state === 'redundant' && !installed) this.#incomplete();
      installed = true;
      if (other.state === 'installed' || other.state === 'activated') this.#report();
    });
  }

  /** Another version is active: this tab has asked for it, or another one. @param {'updated' | 'off'} state */
  #changed(state) {
    this.#replaced = true;
    this.#notify({ type: 'shell', state });
  }

  /** One after the other: of two at once, one would report an old state. */
  #report() {
    this.#reporting = this.#reporting.then(() => this.#reportState()).catch((error) => this.#incomplete(error));
    return this.#reporting;
  }

  /** Posts the state of the shell to the screen, after all missing files have been fetched. */
  async #reportState() {
    const { active, waiting } = this.#registration ?? {};
    if (!active || this.#leaving) return;
    await ask(active, { type: 'state' });
    // Filled before it is offered: an update must not cost the ability to work offline.
    if (waiting && (await this.#fill(waiting))) this.#postStored('update-ready');
    else if (await this.#fill(active)) this.#postStored('offline-ready');
  }

  /** Posts how much is stored, unless that is no longer of this page's version. @param {string} state @param {object} [stored] */
  #postStored(state, stored = {}) {
    if (!this.#replaced) this.#notify({ type: 'shell', state, ...stored });
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
      const { failed, full, ...stored } = await ask(other, { type: 'fill', skip });
      if (failed) skip.push(failed);
      const { done, total } = stored;
      if (total > 0 && done === total) {
        this.#retryAfter = RETRY;
        return true;
      }
      if (full || done + skip.length >= total) {
        if (total > 0)
          this.#incomplete(
            full ? 'the storage is full' : skip.join(),
            other.state === 'activated' && { ...stored, full },
          );
        return false;
      }
      if (other.state === 'activated') this.#postStored('installing', stored);
    }
  }

  /**
   * Something could not be fetched: it is tried again, less and less often.
   * @param {unknown} [why]
   * @param {object | false} [stored] to be said
   */
  #incomplete(why = 'the new version is not complete', stored = !this.#registration?.active && {}) {
    console.warn('midstream: shell', why);
    if (stored) this.#postStored('incomplete', stored);
    if (this.#timer) return;
    this.#timer = setTimeout(() => this.#retry(), this.#retryAfter);
    this.#retryAfter = Math.min(2 * this.#retryAfter, RETRY_LAST);
  }

  async #retry() {
    this.#timer = 0;
    // A first install that failed has left no registration; one of an update is tried when it is looked for.
    await (this.#registration?.active ? this.#registration.update() : this.#register()).catch(() => {});
    await this.#report();
  }

  /** Has the stored files checked, and fetches those again that have changed. @param {boolean} now else once a day */
  async #mend(now) {
    const active = this.#registration?.active;
    /** @type {string[]} */
    const looked = [];
    let dropped = 0;
    for (let next = active ? '' : null; active && next !== null && !this.#leaving; ) {
      const { checked, sound } = await ask(active, { type: 'check', skip: looked, now });
      next = checked ?? null;
      if (next) looked.push(next);
      if (next && !sound) dropped += 1;
    }
    if (!dropped) return;
    await this.#report();
    this.#notify({ type: 'shell', state: 'mended' });
  }
}

/**
 * Asks a service worker; sw.js answers each message on the port that comes with it.
 * @param {ServiceWorker} other
 * @param {Record<string, unknown>} message
 * @returns {Promise<Reply>}
 */
function ask(other, message) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the service worker does not answer')), ASK_LIMIT);
    port1.onmessage = (event) => (clearTimeout(timer), resolve(event.data));
    other.postMessage(message, [port2]);
  });
}
