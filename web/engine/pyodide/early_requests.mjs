// The first requests of the engine, made before there is a Python: an answer that was being written when the page went goes on
// as soon as the network allows, while Python still loads.
//
// Nothing is decided here. The requests are those that Python is going to make, found in the records that it has stored. Python
// takes an answer only when its own request is the very same (engine/browser/net.py), and counts every event as ever. A wrong
// guess costs one request, never a word.

/** Milliseconds in which the database has to answer; later the engine is nearly there itself. */
const LIMIT = 1000;
const AT_MOST = 3;

const page = new URL('../..', import.meta.url).href;

/** @typedef {{url: string, headers: Record<string, string>}} EarlyRequest */
/** @typedef {{response: Promise<Response>, controller: AbortController}} Started */
/** By the request that Python would make. @type {Map<string, Started>} */
const started = new Map();
let over = false;

/**
 * The answer to a request of just this kind, to be used once.
 * @param {string} method @param {string} url @param {string} headers as JSON
 * @returns {Started | undefined}
 */
function take(method, url, headers) {
  over = true; // Python asks by itself now: one that begins later would be a second one
  const key = `${method} ${url} ${headers}`;
  const found = started.get(key);
  started.delete(key);
  return found;
}

/** Ends the requests that nobody has wanted. */
function end() {
  over = true;
  for (const { controller } of started.values()) controller.abort();
  started.clear();
}

/** With the options of engine/browser/net.py. @param {EarlyRequest} request */
function ask({ url, headers }) {
  const controller = new AbortController();
  const { signal } = controller;
  const response = fetch(url, {
    method: 'GET',
    headers,
    cache: 'no-store',
    credentials: 'same-origin',
    redirect: 'error',
    signal,
  });
  const key = `GET ${url} ${JSON.stringify(headers)}`;
  started.set(key, { response, controller });
  response.catch(() => started.delete(key)); // Python's own attempt is as good, and says what is wrong
}

/**
 * @template T @param {IDBRequest<T>} request @returns {Promise<T>}
 */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The engine's database as it is; an Error where there is none. */
function opened() {
  const request = indexedDB.open('midstream');
  // It does not exist: making it is the engine's.
  request.onupgradeneeded = () => request.transaction?.abort();
  return result(request);
}

/**
 * The request that Python is going to make for the newest run of an answer (engine/transport/transports.py;
 * tests/unit/test_twins.py holds the two together). Null when the run cannot be joined.
 * @param {any} message @param {any} row the last one of its journal, if there is one @returns {EarlyRequest | null}
 */
export function requestOf(message, row) {
  const index = message.runs.length - 1;
  const run = message.runs[index];
  if (!run.run || run.stop) return null;
  if (run.via === 'spool') return { url: new URL(`spool/${run.key}`, page).href, headers: {} };
  if (run.endpoint.kind !== 'gateway') return null;
  const { last: seq, epoch } = row?.run === index ? row : { last: 0, epoch: 0 };
  const base = run.endpoint.url.replace(/(?<!\/)\/+$/, '') || 'v1';
  const after = epoch ? `${epoch}-${seq}` : `${seq}`;
  return {
    url: new URL(`${base}/runs/${run.run}/events?after=${after}`, page).href,
    headers: { accept: 'text/event-stream' },
  };
}

/** The last row of a message's journal. @param {IDBDatabase} database @param {string} message its id */
async function lastRow(database, message) {
  const keys = IDBKeyRange.bound([message, 0], [message, Infinity]);
  return (await result(database.transaction('journal').objectStore('journal').openCursor(keys, 'prev')))?.value;
}

async function find() {
  const database = await opened();
  database.onversionchange = () => database.close();
  try {
    const streaming = database.transaction('messages').objectStore('messages').index('state').getAll('streaming');
    const messages = (await result(streaming)).sort((one, other) => other.created - one.created).slice(0, AT_MOST);
    const { held = [] } = await navigator.locks.query();
    const writing = new Set(held.map(({ name }) => name));
    const free = messages.filter(({ id }) => !writing.has(`midstream:answer:${id}`));
    return await Promise.all(free.map(async (message) => requestOf(message, await lastRow(database, message.id))));
  } finally {
    database.close();
  }
}

export async function sendEarlyRequests() {
  Object.assign(globalThis, { midstreamEarly: { take, end } });
  const late = setTimeout(() => {
    over = true;
  }, LIMIT);
  try {
    for (const request of await find()) if (request && !over) ask(request);
  } catch {
    // No database, or one that is not as expected: the engine looks for itself, and says what is wrong.
  }
  clearTimeout(late);
}
