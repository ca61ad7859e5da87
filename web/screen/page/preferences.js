// The person's choices about looks, language, the Enter key, announcements and keys. They are stored in localStorage, because
// pre_paint.js needs them before the first frame. The engine gets the language too (`prefer`), because the service
// worker can read it only from there.

import { LANGUAGES } from '../../shared/i18n.js';
import { loadItem, storeItem } from './tab.js';

/**
 * All choices; the first one is the default.
 * @type {{theme: string[], language: string[], enter: string[], announce: string[], keys: string[], diagrams: string[]}}
 */
export const CHOICES = {
  theme: ['system', 'light', 'dark'],
  language: ['system', ...Object.keys(LANGUAGES)],
  enter: ['automatic', 'always', 'never'], // whether it sends (page/field.js)
  announce: ['states', 'whole', 'paragraphs'],
  keys: ['on', 'off'],
  diagrams: ['source', 'drawn'], // chosen with the button of a diagram
};

const KEY = 'midstream.preferences';

/** @typedef {keyof typeof CHOICES} Name */

/** The choice of the person. An unknown value counts as the default. @param {Name} name @returns {string} */
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
  return storeItem('localStorage', KEY, stored());
}

/** The choices that were made in this page. @type {Record<string, any>} */
const chosen = {};

/** @returns {Record<string, any>} */
const stored = () => ({ ...loadItem('localStorage', KEY), ...chosen });

/** Light, dark, or the system's setting. */
export function applyTheme() {
  const theme = preferred('theme');
  const html = document.documentElement;
  if (theme === 'system') delete html.dataset.theme;
  else html.dataset.theme = theme;
}
