// The two things that the first paint waits for, the texts of the interface and the stored conversation, begun as soon
// as this small graph of modules is there instead of when the last module is. main.js holds back the rendering while it
// loads (blocking="render"), and until the first frame the browser shows the page before.

import { readAll } from '../shared/stored_conversation.js';
import { speak } from './page/language.js';
import { recordsOfTab } from './page/session_storage.js';
import { startOfTab } from './page/tab.js';

/** The conversation that this tab shows first. */
export const start = startOfTab();
export const catalogue = speak();
export const stored = readAll(start.conversation, recordsOfTab());

stored.catch(() => {}); // main.js says what is wrong, a moment later
