// The line to the engine: one MessagePort, each post one JSON string holding an array of messages with a `type`.
//
// The engine's document may come late, or anew: whenever a new one says "engine?" it gets a fresh port, and what was sent
// before it was there is kept in order.

import { Pace } from './page/typing_priority.js';

/** @typedef {Record<string, any> & {type: string}} Message */

/** Milliseconds in which an engine that was asked something has to speak; it answers at once, unless the machine is busy. */
const SILENCE = 10_000;

export class Port {
  /**
   * @param {HTMLIFrameElement} frame the engine's document
   * @param {object} on
   * @param {() => Message[]} on.connect the first messages of a new line, before those that wait
   * @param {(message: Message) => void} on.message from the engine
   * @param {(message: Message) => void} on.aside from engine/engine.js itself: its boot, the service worker
   * @param {() => void} on.silent the engine has died while the page was put away
   */
  constructor(frame, on) {
    this.frame = frame;
    this.on = on;
    /** @type {MessagePort | null} */
    this.port = null;
    this.engine = ''; // which document has the port: each has its own id
    this.doubt = 0; // the timer of an engine that has to prove itself alive
    /** @type {Message[]} */
    this.queue = [];
    /** @type {Pace<Message[]>} */
    this.pace = new Pace((messages) => this.#each(messages));
  }

  /** Starts listening. The engine's document may have spoken before, so it is asked. */
  open() {
    addEventListener('message', (event) => this.#aside(event));
    this.frame.contentWindow?.postMessage('screen?', location.origin);
  }

  get connected() {
    return this.port !== null;
  }

  /** @param {Message} message */
  send(message) {
    if (this.port) this.port.postMessage(JSON.stringify([message]));
    else this.queue.push(message);
  }

  /**
   * Asks the engine something that it always answers, unless the browser has let its worker die while the page was put away.
   * @param {Message[]} messages
   */
  prove(...messages) {
    if (!this.port) return;
    clearTimeout(this.doubt);
    this.doubt = setTimeout(() => this.on.silent(), SILENCE);
    for (const message of messages) this.send(message);
  }

  /** Loads the engine's document anew. What is sent from now on waits for the new port; the old engine hears nothing more. */
  restart() {
    clearTimeout(this.doubt);
    this.port?.close();
    this.port = null;
    this.frame.contentWindow?.location.reload();
  }

  /**
   * Tells engine/engine.js something that is not for Python.
   * @param {Message} message
   */
  tell(message) {
    this.frame.contentWindow?.postMessage(message, location.origin);
  }

  /** @param {MessageEvent} event */
  #aside(event) {
    if (event.source !== this.frame.contentWindow || event.origin !== location.origin) return;
    if (typeof event.data?.type !== 'string') return;
    if (event.data.type !== 'engine?') this.on.aside(event.data);
    else if (event.data.id !== this.engine) this.#connect(event.data.id);
  }

  /** @param {string} engine */
  #connect(engine) {
    this.engine = engine;
    clearTimeout(this.doubt);
    this.port?.close();
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    port1.onmessage = (event) => this.#receive(event.data);
    this.frame.contentWindow?.postMessage('port', location.origin, [port2]);
    port1.postMessage(JSON.stringify([...this.on.connect(), ...this.queue.splice(0)]));
  }

  /** @param {unknown} batch */
  #receive(batch) {
    clearTimeout(this.doubt);
    this.pace.take(parsed(batch));
  }

  /** @param {Message[]} messages */
  #each(messages) {
    for (const message of messages) {
      // One message that cannot be handled must not take the rest of its batch with it.
      try {
        this.on.message(message);
      } catch (error) {
        console.error('midstream: message not handled', message.type, error);
      }
    }
  }
}

/**
 * @param {unknown} batch
 * @returns {Message[]}
 */
function parsed(batch) {
  try {
    const messages = JSON.parse(String(batch));
    if (Array.isArray(messages)) return messages.filter((message) => typeof message?.type === 'string');
  } catch (error) {
    console.error('midstream: not JSON from the engine', error);
  }
  return [];
}
