// What this browser has stored, read once, before Python is up: so a reload paints the text that stood there without waiting
// for anything. The engine is the only writer; rows are checked as if a stranger had written them.

/** @typedef {Record<string, any>} Row */
/**
 * @typedef {object} Saved
 * @property {string | null} conversation
 * @property {Row[]} conversations newest first
 * @property {{turn: Row, rows: {n: number, last: number, ops: unknown}[]}[]} turns in order
 */

import { LIVE } from './status.js';

/**
 * Reads the conversation that is to be shown, or the newest one.
 * @param {string | null} wanted
 * @returns {Promise<Saved | null>} null when nothing is stored
 */
export async function read(wanted) {
  const database = await open();
  if (!database) return null;
  try {
    const stores = database.transaction(['conversations', 'messages', 'journal'], 'readonly');
    const all = await done(stores.objectStore('conversations').getAll());
    const conversations = all.filter((row) => typeof row?.id === 'string').sort((a, b) => b.updated - a.updated);
    const conversation = wanted ?? conversations[0]?.id ?? null;
    const messages = conversation === null ? [] : await messagesOf(stores, conversation);
    const journal = stores.objectStore('journal');
    const turns = messages.map(async (record) => saved(record, await rowsOf(journal, record.id)));
    return { conversation, conversations, turns: await Promise.all(turns) };
  } finally {
    database.close(); // an open connection would hold up an upgrade by the engine
  }
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
 * @param {IDBTransaction} stores
 * @param {string} conversation
 */
async function messagesOf(stores, conversation) {
  const index = stores.objectStore('messages').index('conversation');
  const found = await done(index.getAll(IDBKeyRange.bound([conversation], [conversation, []])));
  return found.filter((record) => typeof record?.id === 'string');
}

/**
 * The rows up to the first hole: what lies behind one is given again by the engine.
 * @param {IDBObjectStore} journal
 * @param {string} message
 */
async function rowsOf(journal, message) {
  const rows = await done(journal.getAll(IDBKeyRange.bound([message, 0], [message, Infinity])));
  const hole = rows.findIndex((row, i) => !Number.isSafeInteger(row?.n) || (i > 0 && row.n !== rows[i - 1].n + 1));
  return hole < 0 ? rows : rows.slice(0, hole);
}

/**
 * @param {Row} record
 * @param {Row[]} rows
 */
function saved(record, rows) {
  const seq = rows.at(-1)?.last ?? 0;
  const tokens = rows.reduce((sum, row) => sum + (Number.isSafeInteger(row.tokens) ? row.tokens : 0), 0);
  const { id: message, author, text, seconds, error } = record;
  const rate = seconds > 0 ? tokens / seconds : 0;
  // What was being written then is not being written yet: the engine has to pick it up first.
  const state = author === 'assistant' && LIVE.has(record.state) ? 'catching-up' : record.state;
  const status = { state, seq, saved: seq, tokens, seconds, rate, error };
  return { turn: { message, author, text, status }, rows: rows.map(({ n, last, ops }) => ({ n, last, ops })) };
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
