// A mock of PyScript's module for tests of engine/engine.js: "Python" is there at once, takes the port and says hello.

class Worker extends EventTarget {
  ready = Promise.resolve(this);
  onerror = () => {};

  postMessage(/** @type {any} */ { port, base }) {
    Object.assign(globalThis, { mock: { port, base, worker: this } });
    port.onmessage = () => {};
    port.postMessage(JSON.stringify([{ type: 'hello' }, { type: 'conversation', id: null, title: '', turns: [] }]));
  }
}

export const whenDefined = async () => ({ xworker: new Worker() });
