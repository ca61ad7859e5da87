// What this browser has stored, read once, before Python is up: so a reload paints the text that stood there without waiting
// for anything. The engine is the only writer; rows are checked as if a stranger had written them. It writes to a database,
// or, where the browser denies one, this tab keeps its records (session_storage.js); of a record that lies in both the tab's is newer.

/** @typedef {Record<string, any>} Row */
/** @typedef {{turn: Row, rows: {n: number, last: number, ops: unknown, reasoning?: unknown}[]}} SavedTurn */
/**
 * @typedef {object} Saved
 * @property {string | null} conversation
 * @property {Row[]} conversations newest first
 * @property {SavedTurn[]} turns in order
 */
/**
 * @typedef {object} Reading
 * @property {string | null} conversation
 * @property {Row[]} conversations newest first
 * @property {Row[]} messages of the conversation that are shown, in order
 * @property {Promise<SavedTurn>[]} turns for each message; the newest is there first
 * @property {unknown} language that was chosen for the words, if one was
 */
/**
 * @typedef {object} Source where records lie
 * @property {() => Promise<any[]>} conversations
 * @property {(conversation: string) => Promise<any[]>} messages
 * @property {(message: string) => Promise<any[]>} rows
 * @property {() => Promise<any>} language
 */

import { records } from './session_storage.js';
import { line } from './branches.js';
import { LIVE } from './status.js';

/**
 * Reads the conversation that is to be shown, or the newest one.
 * @param {string | null} wanted
 * @returns {Promise<Saved | null>} null when nothing is stored
 */
export async function read(wanted) {
  const kept = records();
  const database = await open().catch((error) => {
    if (!kept.length) throw error;
    console.warn('midstream: storage', error); // said by the engine already, when the tab began to keep them
    return null;
  });
  try {
    if (!database) return kept.length ? await whole(view(ofTab(kept), wanted)) : null;
    const stored = ofDatabase(database);
    return await whole(view(kept.length ? both(ofTab(kept), stored) : stored, wanted));
  } finally {
    database?.close(); // an open connection would hold up an upgrade by the engine
  }
}

/**
 * The same without what only a tab knows, for the service worker.
 * @param {string | null} wanted
 * @param {Promise<unknown>} since nothing is read before; to open the database takes a while too
 * @returns {Promise<Reading | null>} null when nothing is stored
 */
export async function stored(wanted, since) {
  const database = await open();
  try {
    await since;
    return database && (await view(ofDatabase(database), wanted));
  } finally {
    database?.close(); // as soon as what has been asked for has come
  }
}

/**
 * @param {Promise<Reading>} reading
 * @returns {Promise<Saved>}
 */
async function whole(reading) {
  const { conversation, conversations, turns } = await reading;
  return { conversation, conversations, turns: await Promise.all(turns) };
}

/**
 * @param {Source} source
 * @param {string | null} wanted
 * @returns {Promise<Reading>}
 */
async function view(source, wanted) {
  const asked = wanted === null ? null : source.messages(wanted); // beside the others, not after them
  const [all, language, messages] = await Promise.all([source.conversations(), source.language(), asked]);
  const known = all.filter((row) => typeof row?.id === 'string').sort((a, b) => b.updated - a.updated);
  const conversations = known.filter(({ deleted }) => !deleted);
  const conversation = wanted ?? conversations[0]?.id ?? null;
  const there = known.find(({ id }) => id === conversation); // one without a record may have messages all the same
  const found = conversation === null || there?.deleted ? [] : messages ?? (await source.messages(conversation));
  const usable = found.filter((record) => typeof record?.id === 'string' && ['user', 'assistant'].includes(record.author));
  const shown = line(usable, there?.leaf);
  const turns = shown.toReversed().map(async ({ record, versions }) => saved(record, versions, unbroken(await source.rows(record.id))));
  return { conversation, conversations, messages: shown.map(({ record }) => record), turns: turns.reverse(), language };
}

// Sources

/**
 * @param {IDBDatabase} database
 * @returns {Source}
 */
function ofDatabase(database) {
  const settings = database.objectStoreNames.contains('settings') ? ['settings'] : []; // not in the first version
  const stores = database.transaction(['conversations', 'messages', 'journal', ...settings], 'readonly');
  const messages = stores.objectStore('messages').index('conversation');
  const journal = stores.objectStore('journal');
  return {
    conversations: () => done(stores.objectStore('conversations').getAll()),
    messages: (id) => done(messages.getAll(IDBKeyRange.bound([id], [id, []]))),
    rows: (id) => done(journal.getAll(IDBKeyRange.bound([id, 0], [id, Infinity]))),
    language: async () => (settings.length ? (await done(stores.objectStore('settings').get('language')))?.language : null),
  };
}

/**
 * @param {[string, Row][]} kept
 * @returns {Source}
 */
function ofTab(kept) {
  /** @param {string} store */
  const all = (store) => kept.filter(([name]) => name === store).map(([, record]) => record);
  const [conversations, messages, journal] = ['conversations', 'messages', 'journal'].map(all);
  return {
    conversations: async () => conversations,
    messages: async (id) => messages.filter((one) => one.conversation === id).sort((a, b) => a.position - b.position),
    rows: async (id) => journal.filter((row) => row.message === id).sort((a, b) => a.n - b.n),
    language: async () => null,
  };
}

/**
 * @param {Source} tab
 * @param {Source} stored
 * @returns {Source}
 */
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

/**
 * The rows up to the first hole: what lies behind one is given again by the engine.
 * @param {any[]} rows
 */
function unbroken(rows) {
  const hole = rows.findIndex((row, i) => !Number.isSafeInteger(row?.n) || (i > 0 && row.n !== rows[i - 1].n + 1));
  return hole < 0 ? rows : rows.slice(0, hole);
}

/**
 * @param {Row} record
 * @param {[number, number]} versions
 * @param {Row[]} rows
 * @returns {SavedTurn}
 */
function saved(record, versions, rows) {
  const seq = rows.at(-1)?.last ?? 0;
  const tokens = rows.reduce((sum, row) => sum + (Number.isSafeInteger(row.tokens) ? row.tokens : 0), 0);
  const { id: message, author, text, seconds, thought, error } = record;
  const rate = seconds > 0 ? tokens / seconds : 0;
  // What was being written then is not being written yet: the engine has to pick it up first.
  const state = author === 'assistant' && LIVE.has(record.state) ? 'catching-up' : record.state;
  const status = { state, seq, saved: seq, tokens, seconds, rate, thought, error };
  // Out of a file, and never drawn: its words are there at once, and the engine draws them over.
  const opsOf = (/** @type {Row} */ row) => (record.parser === 0 ? plain(String(row.text ?? '')) : row.ops);
  const shown = rows.map((row) => ({ n: row.n, last: row.last, ops: opsOf(row), reasoning: row.reasoning }));
  return { turn: { message, author, text, status, versions }, rows: shown };
}

/** The ops of a text that nobody has parsed: its paragraphs. @param {string} text */
function plain(text) {
  const paragraphs = text.split(/\n\s*\n/).filter((each) => each.trim());
  return paragraphs.flatMap((each, i) => [[0, 0, 'p', i + 1], [1, i + 1, each], [7, i + 1]]);
}
