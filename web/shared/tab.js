// What this tab shows and what was being typed: the address, sessionStorage and localStorage. Small things only, which may be
// lost without losing a word of an answer; a browser that refuses to store them must not keep the app from working.

import { brings } from '../screen/composer/shared_text.js';

/** @typedef {{conversation: string, top: number | null}} Tab `top`: scroll position, null at the end */
/**
 * A prompt the engine has not confirmed. `after`: what stood last when it was sent; `edits`: the question it is another version of.
 * @typedef {{conversation: string | null, message: string, text: string, after?: string, edits?: string}} Pending
 */
/** @typedef {{texts: Record<string, string>, pending: Pending[]}} Drafts */

/** The conversation that is not stored yet, in `midstream.tab` and as the key of its draft. */
export const NEW = 'new';

/** By name: where the browser denies it, already the name of a storage throws. @typedef {'sessionStorage' | 'localStorage'} Place */

/**
 * @param {Place} place
 * @param {string} key
 * @returns {any} null when there is nothing usable
 */
export function load(place, key) {
  try {
    return JSON.parse(window[place].getItem(key) ?? 'null');
  } catch (error) {
    console.warn('midstream: unusable', key, error);
    return null;
  }
}

/**
 * @param {Place} place
 * @param {string} key
 * @param {unknown} value
 * @returns {boolean} false when the browser refuses
 */
export function store(place, key, value) {
  try {
    window[place].setItem(key, JSON.stringify(value));
    return true;
  } catch (error) {
    console.warn('midstream: not stored', key, error);
    return false;
  }
}

/**
 * The conversation to show first: the address, else what this tab showed, else what was shown last anywhere.
 * @returns {{conversation: string | null, top: number | null}}
 */
export function first() {
  const tab = load('sessionStorage', 'midstream.tab');
  const id = named(tab) ?? text(tab?.conversation) ?? text(load('localStorage', 'midstream.pointer')?.conversation);
  const top = typeof tab?.top === 'number' && tab.conversation === id ? tab.top : null;
  return { conversation: id, top };
}

/**
 * A new conversation may have got its id after the reload of its page had begun: its address is then the old one.
 * @param {any} tab
 */
function named(tab) {
  const [visit] = performance.getEntriesByType('navigation');
  const outdated = inAddress() === NEW && /** @type {PerformanceNavigationTiming} */ (visit)?.type === 'reload';
  return (outdated ? text(tab?.conversation) : null) ?? inAddress();
}

/** The conversation in the address, if it names one; a new one for words that another app has sent. */
export const inAddress = () => asked(new URLSearchParams(location.search));

/** @param {URLSearchParams} query */
export function asked(query) {
  return text(query.get('c')) ?? (brings(query) ? NEW : null);
}

/** @param {unknown} value */
const text = (value) => (typeof value === 'string' && value ? value : null);

/**
 * Remembers the shown conversation for this tab and puts it into the address.
 * @param {string | null} conversation
 * @param {boolean} visited by the person's own choice: Back leads to the one before
 */
export function show(conversation, visited) {
  store('sessionStorage', 'midstream.tab', { conversation: conversation ?? NEW, top: null });
  if ((conversation ?? NEW) === inAddress()) return;
  // A new one is named too: at an address without a name the service worker paints the newest.
  const address = `./?c=${encodeURIComponent(conversation ?? NEW)}`;
  if (visited) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}

/**
 * Where the reader stands, for a reload.
 * @param {string | null} conversation
 * @param {number | null} top
 */
export function leave(conversation, top) {
  store('sessionStorage', 'midstream.tab', { conversation: conversation ?? NEW, top });
}

/**
 * How far the newest answer has come. The journal is the truth; this only says which one to open.
 * @param {{conversation: string, message: string, seq: number}} pointer
 */
export function point(pointer) {
  store('localStorage', 'midstream.pointer', pointer);
}

/** What the address brought is in the draft: a reload must not bring it again. */
export const clean = () => history.replaceState(null, '', `./?c=${NEW}`);

/** What the app was opened with last, as launch.js wrote it. @returns {unknown} */
export const launched = () => load('sessionStorage', 'midstream.launch');

/** @param {string[]} what */
export const keepLaunch = (what) => store('sessionStorage', 'midstream.launch', what);

/** @returns {Drafts} */
export function drafts() {
  const found = load('localStorage', 'midstream.draft');
  const texts = Object.entries(found?.texts ?? {}).filter(([, value]) => text(value));
  const pending = Array.isArray(found?.pending) ? found.pending : [];
  return {
    texts: /** @type {Record<string, string>} */ (Object.fromEntries(texts)),
    pending: pending.filter((/** @type {any} */ each) => text(each?.message) && text(each?.text)),
  };
}

/** @param {Drafts} value */
export const keepDrafts = (value) => store('localStorage', 'midstream.draft', value);
