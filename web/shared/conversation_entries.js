// Entries of the conversation list: real links, which can be opened in a new tab, with a dot for the state, grouped by
// the day of the last change. The service worker prints them too.

import { element, setAttributes } from './element.js';
import { has, t } from './i18n.js';

/**
 * Dots by state: filled = being written, ring = waiting to be sent, half = cut off, full = ended unseen.
 * @type {Record<string, string>}
 */
const DOTS = {
  sending: 'active',
  waiting: 'active',
  streaming: 'active',
  'catching-up': 'active',
  reconnecting: 'active',
  queued: 'waiting',
  offline: 'waiting',
  interrupted: 'interrupted',
  failed: 'interrupted',
  finished: 'finished',
};
const GROUPS = ['pinned', 'today', 'yesterday', 'earlier'];

/** @typedef {Record<string, any>} Item {id, title, state, updated, pinned, server} */

/**
 * The groups that are not empty, in their order.
 * @param {Item[]} items newest first
 * @param {number} now
 * @returns {[string, Item[]][]}
 */
export function groupByDay(items, now) {
  const [today, yesterday] = [0, 1].map((days) => {
    const midnight = new Date(now);
    midnight.setHours(0, 0, 0, 0);
    midnight.setDate(midnight.getDate() - days); // not by 24 hours: a day may have 23 or 25
    return midnight.getTime();
  });
  /** @param {Item} item */
  const groupOf = ({ pinned, updated }) => {
    if (pinned === true) return 'pinned';
    return updated >= today ? 'today' : updated >= yesterday ? 'yesterday' : 'earlier';
  };
  /** @type {[string, Item[]][]} */
  const groups = GROUPS.map((group) => [group, items.filter((item) => groupOf(item) === group)]);
  return groups.filter(([, members]) => members.length);
}

/** @param {Document} document @param {string} group @param {Node[]} rows */
export function makeSection(document, group, rows) {
  const heading = element(document, 'h2', {}, t(`list.${group}`));
  return element(document, 'section', { 'data-group': group }, heading, element(document, 'ul', {}, ...rows));
}

/**
 * Fills one entry.
 * @param {HTMLAnchorElement} link
 * @param {Item} item
 * @returns {HTMLElement}
 */
export function makeEntry(link, item) {
  const document = link.ownerDocument;
  const dot = Object.hasOwn(DOTS, item.state) ? DOTS[item.state] : '';
  const text = has(`list.${dot}`) ? t(`list.${dot}`) : '';
  const where = item.server === true ? t('list.server') : '';
  // A note stays until the conversation is opened: notes that come and go would make the list jump under the reader.
  const note = [dot === 'finished' ? text : '', where].filter(Boolean).join(' · ');
  const name = element(document, 'span', { dir: 'auto' }, titleOf(item));
  link.replaceChildren(name, ...(note ? [element(document, 'small', {}, note)] : []));
  const hint = dot === 'finished' ? null : text || null;
  const href = `?c=${encodeURIComponent(item.id)}`;
  setAttributes(link, { 'data-conversation': item.id, href, 'data-dot': dot, title: hint, 'aria-description': hint });
  const more = { type: 'button', name: 'more', 'aria-haspopup': 'menu' };
  const holder = link.parentElement ?? element(document, 'li', {}, link, element(document, 'button', more));
  setAttributes(/** @type {Element} */ (holder.lastChild), { 'aria-label': t('list.more', { title: titleOf(item) }) });
  return holder;
}

/** @param {Item} item */
export const titleOf = (item) => String(item.title || t('list.untitled'));
