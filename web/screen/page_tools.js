// Wires the tools that work from anywhere on the page: the keys, the settings, text files that are pasted or dropped.

import { fromFile } from './composer/shared_text.js';
import { find } from './page/page.js';
import { Endpoints } from './settings/endpoint_settings.js';
import { Settings } from './settings/settings.js';
import { listenToKeys } from './settings/shortcuts.js';
import { Usage } from './settings/storage_usage.js';
import { Welcome } from './settings/welcome.js';

/**
 * @typedef {object} Page
 * @property {import('./composer/composer.js').Composer} composer
 * @property {import('./sidebar/conversation_list.js').ConversationList} list
 * @property {import('./page/scroll.js').Scroll} scroll
 * @property {import('./page/page.js').Notices} notices
 * @property {() => void} stop
 * @property {() => void} fresh a new conversation
 * @property {(message: import('./page/port.js').Intent) => void} intent
 * @property {(language: string) => void} language
 */

/** @param {Page} page @returns {{endpoints: Endpoints, settings: Settings, welcome: Welcome}} */
export function addPageTools(page) {
  const unsaved = () => page.notices.show('choice-not-saved');
  const usage = new Usage(find('[data-part=usage]'), () => {
    settings.dialog.close();
    page.intent({ type: 'delete-all' });
  });
  const settings = new Settings(find('dialog[data-part=settings]'), {
    language: page.language,
    unsaved,
    open: () => void usage.show(),
  });
  find('button[name=settings]').addEventListener('click', () => {
    page.list.close();
    settings.open();
  });
  listenToKeys({
    stop: () => !open() && !page.composer.stopButton.hidden && page.stop(),
    write: () => page.composer.prompt.focus(),
    new: page.fresh,
    search,
    save: (target) => page.intent({ type: 'save', message: target.closest('article')?.dataset.message ?? '' }),
    previous: (target) => turn(page.scroll, target, -1),
    next: (target) => turn(page.scroll, target, 1),
    settings: () => settings.open(),
    help: () => settings.open('shortcuts'),
  });
  takeFiles(page);
  const endpoints = new Endpoints(find('[data-part=endpoints]'), { intent: page.intent, unsaved });
  const welcome = new Welcome({
    demo: (text) => page.composer.ask(text),
    suggestion(text) {
      page.composer.fill(text);
      page.composer.prompt.focus();
    },
    endpoint(preset) {
      settings.open('endpoints');
      endpoints.beginForm(preset);
    },
  });
  return { endpoints, settings, welcome };
}

/** Is there something that Escape closes? */
const open = () => document.querySelector('dialog[open], :popover-open') !== null;

function search() {
  const list = find('#list');
  if (getComputedStyle(list).display === 'none') list.showPopover();
  find('input[name=search]').focus();
}

/**
 * Goes to the turn before or after the focused one; from the scroller itself, to the one at its top.
 * @param {import('./page/scroll.js').Scroll} scroll
 * @param {Element} target
 * @param {number} step
 */
function turn(scroll, target, step) {
  const all = [...document.querySelectorAll('article')];
  const within = target.closest('article');
  const { top } = scroll.scroller.getBoundingClientRect();
  const above = all.findLastIndex((each) => each.getBoundingClientRect().top < top + 1);
  const from = within ? all.indexOf(within) : above + (step < 0 ? 1 : 0);
  const next = all[Math.max(0, from + step)];
  if (!next) return false;
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  scroll.toElement(next);
  return true;
}

/**
 * Text files become part of the message, quoted; a notice refuses other kinds. The browser itself pastes text.
 * @param {Page} page
 */
function takeFiles({ composer, notices }) {
  /** @param {DataTransfer | null} data */
  const files = (data) => [...(data?.files ?? [])];
  /** @param {File[]} all */
  const take = async (all) => {
    for (const { text, notes } of await Promise.all(all.map(fromFile))) {
      if (text) composer.add(text.trimEnd());
      for (const { code, detail } of notes) notices.show(code, detail, true);
    }
  };
  composer.prompt.addEventListener('paste', (event) => {
    const dropped = files(event.clipboardData);
    // A spreadsheet puts a picture of the cells beside their text: the text is meant.
    if (!dropped.length || event.clipboardData?.types.includes('text/plain')) return;
    event.preventDefault();
    void take(dropped);
  });
  addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault(); // else the browser would open the file
  });
  addEventListener('drop', (event) => {
    const dropped = files(event.dataTransfer);
    if (!dropped.length) return;
    event.preventDefault();
    void take(dropped);
  });
}
