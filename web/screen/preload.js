// The two things that the first paint waits for, the texts of the interface and the stored conversation, begun as soon
// as this small graph of modules is there instead of when the last module is. main.js holds back the rendering while it
// loads (blocking="render"), and until the first frame the browser shows the page before.

import { languageOf, setCatalogue } from '../shared/i18n.js';
import { readAll } from '../shared/stored_conversation.js';
import { preferred } from './page/preferences.js';
import { recordsOfTab } from './page/session_storage.js';
import { startOfTab } from './page/tab.js';

/** The conversation that this tab shows first. */
export const start = startOfTab();
const language = languageOf(preferred('language'), navigator.languages);
// An assignment, even of the same value, has every style computed again.
if (document.documentElement.lang !== language) document.documentElement.lang = language;
export const catalogue = loadCatalogue();
export const stored = readAll(start.conversation, recordsOfTab());

stored.catch(() => {}); // main.js says what is wrong, a moment later

/** Without a catalogue the page shows keys instead of texts, and the conversation all the same. */
async function loadCatalogue() {
  try {
    setCatalogue(language, await (await fetch(`i18n/${language}.json`)).json());
  } catch (error) {
    console.error('midstream: no catalogue for', language, error);
  }
}
