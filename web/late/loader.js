// In the sandbox: modules whose text the document around it hands in (diagram_sandbox.js). Each becomes a module of this frame,
// with the addresses of those that it imports in their places. Our modules import no circles (the build's are looked at by a test).

/** @typedef {{load: (name: string) => Promise<any>, port: MessagePort}} Frame */

const frame = /** @type {Frame} */ (/** @type {unknown} */ (globalThis));
/** @type {Map<string, (text: string | null) => void>} */
const asked = new Map();
/** Addresses by name. @type {Map<string, Promise<string>>} */
const known = new Map();

/** @param {string} name @returns {Promise<string>} */
function ask(name) {
  return new Promise((resolve, reject) => {
    asked.set(name, (text) => (text === null ? reject(new Error(`missing module ${name}`)) : resolve(text)));
    frame.port.postMessage({ load: name });
  });
}

/** @param {string} name below the folder of this file @returns {Promise<string>} */
function addressOf(name) {
  const there = known.get(name);
  if (there) return there;
  const address = link(name);
  known.set(name, address);
  return address;
}

/** @param {string} name */
async function link(name) {
  const folder = name.replace(/[^/]+$/, '');
  const text = await ask(name);
  const lazy = text.replace(/\bimport\("\.\/([^"]+)"\)/g, (_, other) => `load("${folder}${other}")`);
  const needed = [
    ...new Set([...lazy.matchAll(/\b(?:from|import)\s*["']\.\/([^"']+)["']/g)].map(([, other]) => other)),
  ];
  const addresses = new Map(
    await Promise.all(needed.map(async (other) => /** @type {const} */ ([other, await addressOf(folder + other)]))),
  );
  const whole = lazy.replace(
    /\b(from|import)(\s*)["']\.\/([^"']+)["']/g,
    (_, word, space, other) => `${word}${space}"${addresses.get(other)}"`,
  );
  return URL.createObjectURL(new Blob([whole], { type: 'text/javascript' }));
}

frame.load = async (name) => import(await addressOf(name));

frame.port.onmessage = async ({ data }) => {
  if (data.name) return asked.get(data.name)?.(data.text);
  try {
    const { draw } = await frame.load('drawing.js');
    frame.port.postMessage({ drawing: await draw(data.wanted) });
  } catch {
    frame.port.postMessage({ drawing: { failed: 'missing', detail: '' } });
  }
};

export {};
