// A mock of the engine for tests of the screen: takes the port as the real engine's document does, records the intents that
// come and posts what a test tells it to. It knows nothing about conversations.

const id = crypto.randomUUID();
const announce = () => parent.postMessage({ type: 'engine?', id }, location.origin);

const mock = {
  /** @type {any[]} */
  intents: [],
  /** @type {MessagePort | null} */
  port: null,
  /** @type {(() => void)[]} */
  waiting: [],

  /** Posts one batch, or, given a string, exactly that. */
  post(/** @type {any} */ batch) {
    mock.port?.postMessage(typeof batch === 'string' ? batch : JSON.stringify(batch));
  },

  /** As engine/engine.js itself: news of the boot and the shell. */
  aside(/** @type {any} */ message) {
    parent.postMessage(message, location.origin);
  },

  /** The next intent of a type, taken out of the record; fails when none comes. */
  async intent(/** @type {string} */ type) {
    const limit = new Promise((_, reject) => setTimeout(reject, 20_000, new Error(`no intent ${type}`)));
    limit.catch(() => {}); // the one that came in time leaves it behind
    for (;;) {
      const at = mock.intents.findIndex((intent) => intent.type === type);
      if (at >= 0) return mock.intents.splice(at, 1)[0];
      await Promise.race([limit, new Promise((resolve) => mock.waiting.push(() => resolve(null)))]);
    }
  },
};
Object.assign(globalThis, { mock });

addEventListener('message', (event) => {
  if (event.source !== parent) return;
  if (event.data === 'screen?') announce();
  if (event.data?.type) mock.intents.push({ ...event.data, type: `aside:${event.data.type}` });
  if (event.data === 'port') {
    mock.port = event.ports[0];
    mock.port.onmessage = ({ data }) => {
      mock.intents.push(...JSON.parse(data));
      for (const wake of mock.waiting.splice(0)) wake();
    };
  }
});
announce();
