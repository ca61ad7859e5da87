// The connection to the engine: one MessagePort; each post is one JSON string with an array of messages, which have a
// `type`.
//
// The engine's document may come late, or be loaded again. Each one asks with "engine?" and gets a port of its own.
// Messages that are sent before wait in their order.

import { TypingPriority } from './typing_priority.js';

/** @typedef {import('./port_types.js').Message} Message */
/** @typedef {import('./port_types.js').Intent} Intent */
/** @typedef {Record<string, any> & {type: string}} FrameMessage between this page and engine/engine.js */

/**
 * @typedef {object} Handlers
 * @property {() => Intent[]} connect the first intents to a new engine, before those that wait
 * @property {(message: Message) => void} message from the engine
 * @property {(message: FrameMessage) => void} aside from engine/engine.js itself: its boot, the service worker
 * @property {() => void} silent the engine has died while the page was in the back/forward cache
 */

/** Milliseconds in which an engine must answer a question; it answers at once, unless the machine is busy. */
const SILENCE = 10_000;

export class Port {
  /** @param {HTMLIFrameElement} frame the engine's document */
  constructor(frame) {
    this.frame = frame;
    /** @type {MessagePort | null} */
    this.port = null;
    this.engine = ''; // the id of the document that has the port
    this.doubt = 0; // the timer of an engine that has to prove itself alive
    /** @type {Intent[]} */
    this.queue = [];
    /** @type {TypingPriority<Message[]>} */
    this.priority = new TypingPriority((messages) => this.#each(messages));
  }

  /** Starts listening. The engine's document may have spoken before, so it is asked. @param {Handlers} on */
  open(on) {
    this.on = on;
    addEventListener('message', (event) => this.#aside(event));
    this.frame.contentWindow?.postMessage('screen?', location.origin);
  }

  get connected() {
    return this.port !== null;
  }

  /** @param {Intent} intent */
  send(intent) {
    if (this.port) this.port.postMessage(JSON.stringify([intent]));
    else this.queue.push(intent);
  }

  /**
   * Asks the engine something that it always answers, unless its worker died while the page was in the browser's cache.
   * @param {Intent[]} intents
   */
  prove(...intents) {
    if (!this.port) return;
    clearTimeout(this.doubt);
    this.doubt = setTimeout(() => this.on?.silent(), SILENCE);
    for (const intent of intents) this.send(intent);
  }

  /** Loads the engine's document anew. From now on messages wait for the new port; the old engine receives none. */
  restart() {
    clearTimeout(this.doubt);
    this.port?.close();
    this.port = null;
    this.frame.contentWindow?.location.reload();
  }

  /** Posts a message to engine/engine.js, not to Python. @param {FrameMessage} message */
  postAside(message) {
    this.frame.contentWindow?.postMessage(message, location.origin);
  }

  /** @param {MessageEvent} event */
  #aside(event) {
    if (event.source !== this.frame.contentWindow || event.origin !== location.origin) return;
    if (typeof event.data?.type !== 'string') return;
    if (event.data.type !== 'engine?') this.on?.aside(event.data);
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
    port1.postMessage(JSON.stringify([...(this.on?.connect() ?? []), ...this.queue.splice(0)]));
  }

  /** @param {unknown} batch */
  #receive(batch) {
    clearTimeout(this.doubt);
    this.priority.take(parse(batch));
  }

  /** @param {Message[]} messages */
  #each(messages) {
    for (const message of messages) {
      // One message that cannot be handled must not take the rest of its batch with it.
      try {
        this.on?.message(message);
      } catch (error) {
        console.error('midstream: message not handled', message.type, error);
      }
    }
  }
}

/** @param {unknown} batch @returns {Message[]} */
function parse(batch) {
  try {
    const messages = JSON.parse(String(batch));
    if (Array.isArray(messages)) return messages.filter((message) => typeof message?.type === 'string');
  } catch (error) {
    console.error('midstream: not JSON from the engine', error);
  }
  return [];
}
