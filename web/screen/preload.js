// What the first paint waits for, begun as soon as this small graph of modules is there instead of when the last module is:
// the words and the saved text. main.js holds back the rendering while it loads (blocking="render"), so the nearer these two
// are by then, the shorter a reload shows nothing: a browser shows the page before until the first frame of the new one.

import { languageOf, load } from '../shared/i18n.js';
import { preferred } from './page/preferences.js';
import { read } from '../shared/stored_conversation.js';
import { first } from '../shared/tab.js';

/** What this tab shows first. */
export const start = first();
const language = languageOf(preferred('language'), navigator.languages);
// Given anew, even the same one has every style computed again.
if (document.documentElement.lang !== language) document.documentElement.lang = language;
export const words = load(language);
/** What is stored of it. */
export const saved = read(start.conversation);

saved.catch(() => {}); // main.js says what is wrong, a moment later
