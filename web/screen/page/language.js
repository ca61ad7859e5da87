// The language of the page: its catalogue, loaded before the first paint, and again when the person chooses another one.

import { languageOf, setCatalogue } from '../../shared/i18n.js';
import { preferred } from './preferences.js';

const html = document.documentElement;

/** The one that was chosen last counts, even if it is loaded first. */
let newest = '';

/** Loads the texts of the person's language. @returns {Promise<boolean>} false when they cannot be had, or are not wanted any more */
export async function speak() {
  const language = languageOf(preferred('language'), navigator.languages);
  newest = language;
  try {
    const entries = await (await fetch(`i18n/${language}.json`)).json();
    if (newest !== language) return false;
    setCatalogue(language, entries);
  } catch (error) {
    console.error('midstream: no catalogue for', language, error);
    return false;
  }
  markLanguage(language);
  return true;
}

/** An assignment, even of the same value, has every style computed again. @param {string} language */
function markLanguage(language) {
  if (html.lang !== language) html.lang = language;
}
