// How the app looks, speaks and listens, as a person has chosen it. Kept in localStorage, since pre_paint.js needs it before the
// first frame; the engine is told the language (`prefer`), since the service worker cannot read it from here.

import { LANGUAGES } from '../../shared/i18n.js';
import { load, store } from '../../shared/tab.js';

/**
 * What can be chosen; the first one is the default.
 * @type {{theme: string[], language: string[], announce: string[], keys: string[], diagrams: string[]}}
 */
export const CHOICES = {
  theme: ['system', 'light', 'dark'],
  language: ['system', ...Object.keys(LANGUAGES)],
  announce: ['states', 'whole', 'paragraphs'],
  keys: ['on', 'off'],
  diagrams: ['source', 'drawn'], // chosen with the button of a diagram
};

const KEY = 'midstream.preferences';

/** @typedef {keyof typeof CHOICES} Name */

/**
 * Something else than one of the choices, from whatever wrote it, is the default.
 * @param {Name} name
 * @returns {string}
 */
export function preferred(name) {
  const value = stored()[name];
  return CHOICES[name].includes(value) ? value : CHOICES[name][0];
}

/**
 * @param {Name} name
 * @param {string} value
 * @returns {boolean} false when the browser refuses to store it: it then holds until the next reload
 */
export function prefer(name, value) {
  chosen[name] = value;
  return store('localStorage', KEY, stored());
}

/** What was chosen in this page. @type {Record<string, any>} */
const chosen = {};

/** @returns {Record<string, any>} */
const stored = () => ({ ...load('localStorage', KEY), ...chosen });

/** Light, dark or as the system has it. */
export function dress() {
  const theme = preferred('theme');
  const html = document.documentElement;
  if (theme === 'system') delete html.dataset.theme;
  else html.dataset.theme = theme;
}
