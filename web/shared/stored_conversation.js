// The stored conversation, read before Python is up, so that a reload shows its text without waiting for anything. The
// engine is the only writer; rows are checked as if a stranger had written them. The engine writes to a database, or,
// where the browser denies one, the tab holds its records (screen/page/session_storage.js). Of a record that is in
// both, the tab's is newer.

import { line } from './branches.js';
import { LIVE } from './status.js';

/** Turns of a conversation that a page begins with, counted from the end; the others come when somebody asks for them. */
export const NEAR = 600;

/** @typedef {Record<string, any>} Row */
/** @typedef {{turn: Row, rows: {n: number, last: number, ops: unknown, reasoning?: unknown}[]}} StoredTurn */
/**
 * @typedef {object} StoredConversation
 * @property {string | null} conversation
 * @property {Row[]} conversations newest first
 * @property {StoredTurn[]} turns the last ones, in order
 * @property {Earlier} earlier those before them
 */
/** @typedef {{turns: number, answers: number}} Earlier how many there are, and how many of them are answers */
/**
 * @typedef {object} Reading
 * @property {string | null} conversation
 * @property {Row[]} conversations newest first
 * @property {Row[]} messages of the chosen branch, the last ones, in order
 * @property {Earlier} earlier the messages before them
 * @property {Promise<StoredTurn>[]} turns for each of these messages; the newest is there first
 * @property {unknown} language that was chosen for the page, if one was
 */
/**
 * @typedef {object} Source where records lie
 * @property {() => Promise<any[]>} conversations
 * @property {(conversation: string) => Promise<any[]>} messages
 * @property {(message: string) => Promise<any[]>} rows
 * @property {() => Promise<any>} language
 */

/**
 * Reads a conversation out of the database and the tab.
 * @param {string | null} wanted null for the newest
 * @param {[store: string, record: Row][]} held the tab's records
 * @param {number} [many] how many of its last turns
 * @returns {Promise<StoredConversation | null>} null when nothing is stored
 */
export async function readAll(wanted, held, many = NEAR) {
  const database = await open().catch((error) => {
    if (!held.length) throw error;
    console.warn('midstream: storage', error); // the engine has reported it when the tab began to hold them
    return null;
  });
  try {
    if (!database) return held.length ? await whole(view(ofTab(held), wanted, many)) : null;
    const stored = ofDatabase(database);
    return await whole(view(held.length ? both(ofTab(held), stored) : stored, wanted, many));
  } finally {
    database?.close(); // an open connection would hold up an upgrade by the engine
  }
}

/**
 * Reads a conversation out of the database, turn by turn, for the service worker.
 * @param {string | null} wanted null for the newest
 * @param {Promise<unknown>} since nothing is read before; to open the database takes a while too
 * @returns {Promise<Reading | null>} null when nothing is stored
 */
export async function readTurns(wanted, since) {
  const database = await open();
  try {
    await since;
    return database && (await view(ofDatabase(database), wanted, NEAR));
  } finally {
    database?.close(); // this waits for the requests that are under way
  }
}

/** @param {Promise<Reading>} reading @returns {Promise<StoredConversation>} */
async function whole(reading) {
  const { conversation, conversations, turns, earlier } = await reading;
  return { conversation, conversations, turns: await Promise.all(turns), earlier };
}

/** @param {Source} source @param {string | null} wanted @param {number} many @returns {Promise<Reading>} */
async function view(source, wanted, many) {
  const early = wanted === null ? null : source.messages(wanted); // beside the others, not after them
  const [all, language, messages] = await Promise.all([source.conversations(), source.language(), early]);
  const known = all.filter((row) => typeof row?.id === 'string').sort((a, b) => b.updated - a.updated);
  const conversations = known.filter(({ deleted }) => !deleted);
  const conversation = wanted ?? conversations[0]?.id ?? null;
  const there = known.find(({ id }) => id === conversation); // one without a record may have messages all the same
  const found = conversation === null || there?.deleted ? [] : (messages ?? (await source.messages(conversation)));
  const usable = found.filter((record) => {
    return typeof record?.id === 'string' && ['user', 'assistant'].includes(record.author);
  });
  const chosen = line(usable, there?.leaf);
  const branch = chosen.slice(-many);
  const before = chosen.slice(0, -many).map(({ record }) => record);
  const earlier = { turns: before.length, answers: before.filter(({ author }) => author === 'assistant').length };
  const turns = branch.toReversed().map(async ({ record, versions }) => {
    return turnOf(record, versions, unbroken(await source.rows(record.id)));
  });
  const visible = branch.map(({ record }) => record);
  return { conversation, conversations, messages: visible, earlier, turns: turns.reverse(), language };
}

// Sources

/** @param {IDBDatabase} database @returns {Source} */
function ofDatabase(database) {
  const settings = database.objectStoreNames.contains('settings') ? ['settings'] : []; // not in the first version
  const stores = database.transaction(['conversations', 'messages', 'journal', ...settings], 'readonly');
  const messages = stores.objectStore('messages').index('conversation');
  const journal = stores.objectStore('journal');
  return {
    conversations: () => done(stores.objectStore('conversations').getAll()),
    messages: (id) => done(messages.getAll(IDBKeyRange.bound([id], [id, []]))),
    rows: (id) => done(journal.getAll(IDBKeyRange.bound([id, 0], [id, Infinity]))),
    async language() {
      return settings.length ? (await done(stores.objectStore('settings').get('language')))?.language : null;
    },
  };
}

/** @param {[string, Row][]} held @returns {Source} */
function ofTab(held) {
  /** @param {string} store */
  const all = (store) => held.filter(([name]) => name === store).map(([, record]) => record);
  const [conversations, messages, journal] = ['conversations', 'messages', 'journal'].map(all);
  return {
    conversations: async () => conversations,
    messages: async (id) => messages.filter((one) => one.conversation === id).sort((a, b) => a.position - b.position),
    rows: async (id) => journal.filter((row) => row.message === id).sort((a, b) => a.n - b.n),
    language: async () => null,
  };
}

/** @param {Source} tab @param {Source} stored @returns {Source} */
function both(tab, stored) {
  /** @param {any[]} ours @param {any[]} theirs */
  const joined = (ours, theirs) => [...theirs.filter((one) => !ours.some(({ id }) => id === one?.id)), ...ours];
  return {
    conversations: async () => joined(await tab.conversations(), await stored.conversations()),
    messages: async (id) =>
      joined(await tab.messages(id), await stored.messages(id)).sort((a, b) => a.position - b.position),
    async rows(id) {
      const ours = await tab.rows(id);
      return ours.length ? ours : stored.rows(id);
    },
    language: stored.language,
  };
}

/** @returns {Promise<IDBDatabase | null>} null when there is none: the engine makes it, not we */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('midstream');
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onsuccess = () => resolve(request.result);
    request.onerror = (event) => {
      event.preventDefault();
      if (request.error?.name === 'AbortError') resolve(null);
      else reject(request.error);
    };
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// Records

/** The rows up to the first hole: the engine sends those behind it again. @param {any[]} rows */
function unbroken(rows) {
  const hole = rows.findIndex((row, i) => !Number.isSafeInteger(row?.n) || (i > 0 && row.n !== rows[i - 1].n + 1));
  return hole < 0 ? rows : rows.slice(0, hole);
}

/**
 * @param {Row} record
 * @param {[number, number]} versions
 * @param {Row[]} rows
 * @returns {StoredTurn}
 */
function turnOf(record, versions, rows) {
  const seq = rows.at(-1)?.last ?? 0;
  const tokens = rows.reduce((sum, row) => sum + (Number.isSafeInteger(row.tokens) ? row.tokens : 0), 0);
  const { id: message, author, text, seconds, thought, error } = record;
  const rate = seconds > 0 ? tokens / seconds : 0;
  // An answer that was being written waits until the engine goes on with it.
  const state = author === 'assistant' && LIVE.has(record.state) ? 'catching-up' : record.state;
  const status = { state, seq, saved: seq, tokens, seconds, rate, thought, error };
  // An imported text that was never parsed: its paragraphs at once, and the engine's patches replace them.
  const opsOf = (/** @type {Row} */ row) => (record.parser === 0 ? plain(String(row.text ?? '')) : row.ops);
  const patches = rows.map((row) => ({ n: row.n, last: row.last, ops: opsOf(row), reasoning: row.reasoning }));
  return { turn: { message, author, text, status, versions }, rows: patches };
}

/** Ops for the paragraphs of an unparsed text. @param {string} text */
function plain(text) {
  const paragraphs = text.split(/\n\s*\n/).filter((each) => each.trim());
  return paragraphs.flatMap((each, i) => [
    [0, 0, 'p', i + 1],
    [1, i + 1, each],
    [7, i + 1],
  ]);
}
