// The keyboard map: one table, for the keys and for the list that explains them. The browser's own keys (reload, find,
// print, tabs) are not in it, and nothing is taken while an input method composes a character.
//
// Keys without Ctrl work only outside of text fields, and can be switched off: speech input would press them by
// accident.

import { element } from '../../shared/element.js';
import { t } from '../../shared/i18n.js';
import { enterSends } from '../page/field.js';
import { preferred } from '../page/preferences.js';

/**
 * `mod`: Ctrl, on a Mac Cmd. `inside`: only with the focus in an element that fits.
 * @typedef {{name: string, key: string, mod?: boolean, shift?: boolean, inside?: string}} Binding
 * @typedef {Record<string, (target: Element) => boolean | void>} Actions by name; false when there is nothing to do
 */

/** @type {Binding[]} */
const BINDINGS = [
  { name: 'send', key: 'Enter', inside: 'textarea' },
  { name: 'line', key: 'Enter', shift: true, inside: 'textarea' },
  { name: 'stop', key: 'Escape' },
  { name: 'write', key: '/' },
  { name: 'new', key: 'o', mod: true, shift: true },
  { name: 'search', key: 'k', mod: true },
  { name: 'save', key: 's', mod: true, inside: 'article[data-author=assistant]' },
  { name: 'previous', key: 'ArrowUp', mod: true, inside: '[data-part=scroller]' },
  { name: 'next', key: 'ArrowDown', mod: true, inside: '[data-part=scroller]' },
  { name: 'settings', key: ',', mod: true },
  { name: 'help', key: '?' },
];

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);
const TYPING = 'input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]';
/** The names of keys without a letter. @type {Record<string, string>} */
const SIGNS = { ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };

/** @param {Actions} actions */
export function listenToKeys(actions) {
  addEventListener('keydown', (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    const binding = BINDINGS.find((each) => actions[each.name] && fits(each, event, target));
    if (binding && actions[binding.name](target) !== false) event.preventDefault();
  });
}

/** @param {Binding} binding @param {KeyboardEvent} event @param {Element} target */
function fits({ key, mod = false, shift, inside }, event, target) {
  if (event.defaultPrevented || event.isComposing || event.repeat || event.altKey) return false;
  // On a layout without Latin letters the key in the same place counts.
  const same = event.key.toLowerCase() === key.toLowerCase() || (mod && event.code === `Key${key.toUpperCase()}`);
  if (!same || mod !== (MAC ? event.metaKey : event.ctrlKey) || (MAC ? event.ctrlKey : event.metaKey)) return false;
  if (shift !== undefined ? shift !== event.shiftKey : mod && event.shiftKey) return false;
  if (inside && !target.closest(inside)) return false;
  const single = !mod && key.length === 1;
  return !single || (preferred('keys') === 'on' && !target.closest(TYPING));
}

/** Writes the map for people. @param {HTMLElement} list a dl */
export function explain(list) {
  const rows = BINDINGS.map(asChosen).map((binding) =>
    element(
      document,
      'div',
      {},
      element(document, 'dt', {}, ...keysOf(binding)),
      element(document, 'dd', {}, t(`keys.${binding.name}`)),
    ),
  );
  list.replaceChildren(...rows);
}

/** Where Enter begins a new line, it sends with Ctrl. @param {Binding} binding @returns {Binding} */
function asChosen(binding) {
  if (enterSends() || binding.key !== 'Enter') return binding;
  return binding.name === 'send' ? { ...binding, mod: true } : { ...binding, shift: false };
}

/** @param {Binding} binding */
function keysOf({ key, mod, shift }) {
  const sign = SIGNS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  const names = [mod ? (MAC ? '⌘' : 'Ctrl') : '', shift ? (MAC ? '⇧' : 'Shift') : '', sign];
  return names.filter(Boolean).map((name) => element(document, 'kbd', {}, name));
}
