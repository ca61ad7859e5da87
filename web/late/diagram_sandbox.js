// A sandbox: a frame of no origin, without a network and without a way to this page but one port. A browser that gives such a
// frame a process of its own (Chromium on a desktop) goes on while it draws, and a drawing that takes too long ends with its
// frame. The service worker does not serve a frame of no origin, so this document fetches the modules, and hands them in as text.

/** Runs the text that is handed in. The policy names it by its hash (midstream/gateway/http/policies.py). */
const BEGIN =
  'onmessage = ({ data, ports }) => { globalThis.port = ports[0]; import(URL.createObjectURL(new Blob([data], { type: "text/javascript" }))); };';
/** Beside this document's own policy, which the frame has inherited: no network at all. */
const POLICY = "connect-src 'none'";
const LOADER = 'loader.js';
/** Milliseconds of a drawing, downloads not counted. What still goes on then may have taken some hundred megabytes. */
const BUDGET = 8000;

/** @typedef {{load: string} | {drawing: any}} Said what comes out of the frame */

export class Sandbox {
  /** @type {HTMLIFrameElement | null} */
  #frame = null;
  /** @type {Promise<MessagePort> | null} */
  #port = null;
  /** Modules by name: a new frame gets them without a download. @type {Map<string, Promise<string>>} */
  #modules = new Map();

  /**
   * @param {object} wanted for `draw` of drawing.js
   * @returns {Promise<any>} what that answers, unseen; null when it was ended
   */
  async draw(wanted) {
    this.#port ??= this.#open();
    const port = await this.#port;
    return new Promise((resolve) => {
      let timer = 0;
      let loading = 0;
      const begin = () => {
        timer = setTimeout(() => {
          this.#close();
          resolve(null);
        }, BUDGET);
      };
      port.onmessage = async ({ data }) => {
        clearTimeout(timer);
        if (typeof data?.load !== 'string') return resolve(data?.drawing);
        loading += 1;
        const text = await this.#module(data.load).catch(() => null);
        port.postMessage({ name: data.load, text });
        loading -= 1;
        clearTimeout(timer);
        if (!loading) begin();
      };
      port.postMessage({ wanted });
      begin();
    });
  }

  /** @returns {Promise<MessagePort>} */
  async #open() {
    const loader = await this.#module(LOADER);
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts');
    frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><body><script>${BEGIN}</script>`;
    this.#frame = frame;
    const { port1, port2 } = new MessageChannel();
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
    document.body.append(frame);
    await loaded;
    frame.contentWindow?.postMessage(loader, '*', [port2]);
    return port1;
  }

  /** @param {string} name below this folder */
  #module(name) {
    const there = this.#modules.get(name);
    if (there) return there;
    const module = fetchText(name);
    module.catch(() => this.#modules.delete(name));
    this.#modules.set(name, module);
    return module;
  }

  #close() {
    this.#frame?.remove();
    this.#frame = null;
    this.#port = null;
  }
}

/** @param {string} name */
async function fetchText(name) {
  if (!/^[\w/.-]+\.js$/.test(name) || name.includes('..')) throw new TypeError(`no module: ${name}`);
  const response = await fetch(name);
  if (!response.ok) throw new TypeError(`${name}: ${response.status}`);
  return response.text();
}
