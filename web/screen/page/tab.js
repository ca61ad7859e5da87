// The state of this tab: its address, sessionStorage and localStorage, with what was being typed. These are small
// things that may be lost without losing a word of an answer: the app works in a browser that refuses to store them.

import { NEW, conversationOf } from '../../shared/address.js';

/**
 * A prompt that the engine has not confirmed. `after`: the last message before it; `edits`: the replaced question.
 * @typedef {{conversation: string | null, message: string, text: string, after?: string, edits?: string}} Pending
 */
/** @typedef {{texts: Record<string, string>, pending: Pending[]}} Drafts */

/** Where they are denied even `window.localStorage` throws. @typedef {'sessionStorage' | 'localStorage'} StorageName */

/** @param {StorageName} storage @param {string} key @returns {any} null when there is nothing usable */
export function loadItem(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(key) ?? 'null');
  } catch (error) {
    console.warn('midstream: unusable', key, error);
    return null;
  }
}

/**
 * @param {StorageName} storage
 * @param {string} key
 * @param {unknown} value
 * @returns {boolean} false when the browser refuses
 */
export function storeItem(storage, key, value) {
  try {
    window[storage].setItem(key, JSON.stringify(value));
    return true;
  } catch (error) {
    console.warn('midstream: not stored', key, error);
    return false;
  }
}

/**
 * The conversation to show first: the address's, else this tab's, else the last one of any tab.
 * @returns {{conversation: string | null, top: number | null}}
 */
export function startOfTab() {
  const tab = loadItem('sessionStorage', 'midstream.tab');
  const id = named(tab) ?? text(tab?.conversation) ?? text(loadItem('localStorage', 'midstream.pointer')?.conversation);
  const top = typeof tab?.top === 'number' && tab.conversation === id ? tab.top : null;
  return { conversation: id, top };
}

/**
 * A new conversation may have got its id after the reload of its page had begun: its address is then the old one.
 * @param {any} tab
 */
function named(tab) {
  const [visit] = performance.getEntriesByType('navigation');
  const address = conversationInAddress();
  const outdated = address === NEW && /** @type {PerformanceNavigationTiming} */ (visit)?.type === 'reload';
  return (outdated ? text(tab?.conversation) : null) ?? address;
}

export const conversationInAddress = () => conversationOf(new URLSearchParams(location.search));

/** @param {unknown} value */
const text = (value) => (typeof value === 'string' && value ? value : null);

/**
 * Remembers the current conversation for this tab and puts it into the address.
 * @param {string | null} conversation
 * @param {boolean} visited by the person's own choice: Back leads to the one before
 */
export function storeConversation(conversation, visited) {
  storeItem('sessionStorage', 'midstream.tab', { conversation: conversation ?? NEW, top: null });
  if ((conversation ?? NEW) === conversationInAddress()) return;
  // A new one is named too: at an address without a name the service worker paints the newest.
  const address = `./?c=${encodeURIComponent(conversation ?? NEW)}`;
  if (visited) history.pushState(null, '', address);
  else history.replaceState(null, '', address);
}

/** Stores the scroll position for a reload. @param {string | null} conversation @param {number | null} top */
export function storePosition(conversation, top) {
  storeItem('sessionStorage', 'midstream.tab', { conversation: conversation ?? NEW, top });
}

/**
 * Stores the last conversation and its newest answer. The journal has the truth; this only says where to begin.
 * @param {{conversation: string, message: string, seq: number}} pointer
 */
export function storePointer(pointer) {
  storeItem('localStorage', 'midstream.pointer', pointer);
}

/** Takes a shared text out of the address: it is in the draft, and a reload must not add it again. */
export const cleanAddress = () => history.replaceState(null, '', `./?c=${NEW}`);

/** The last launch, as composer/launch.js described it. @returns {unknown} */
export const loadLaunch = () => loadItem('sessionStorage', 'midstream.launch');

/** @param {string[]} launch */
export const storeLaunch = (launch) => storeItem('sessionStorage', 'midstream.launch', launch);

/** @returns {Drafts} */
export function loadDrafts() {
  const stored = loadItem('localStorage', 'midstream.draft');
  const texts = Object.entries(stored?.texts ?? {}).filter(([, value]) => text(value));
  const pending = Array.isArray(stored?.pending) ? stored.pending : [];
  return {
    texts: /** @type {Record<string, string>} */ (Object.fromEntries(texts)),
    pending: pending.filter((/** @type {any} */ each) => text(each?.message) && text(each?.text)),
  };
}

/** @param {Drafts} value */
export const storeDrafts = (value) => storeItem('localStorage', 'midstream.draft', value);
