// What can be done from anywhere on the page: the keys, the settings, text files that are pasted or dropped.

import { Endpoints } from './endpoint_settings.js';
import { fromFile } from '../composer/shared_text.js';
import { listen } from './shortcuts.js';
import { find } from '../page/page.js';
import { Settings } from './settings.js';
import { Usage } from './storage_usage.js';
import { Welcome } from './welcome.js';

/**
 * @typedef {object} Page
 * @property {import('../composer/composer.js').Composer} composer
 * @property {import('../../shared/conversation_list.js').List} list
 * @property {import('../page/scroll.js').Scroll} scroll
 * @property {import('../page/page.js').Notices} notices
 * @property {() => void} stop
 * @property {() => void} fresh a new conversation
 * @property {(message: {type: string} & Record<string, unknown>) => void} intent
 * @property {(language: string) => void} language
 */

/**
 * @param {Page} page
 * @returns {{endpoints: Endpoints, welcome: Welcome}} for what the engine says of them
 */
export function furnish(page) {
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
  listen({
    stop: () => !open() && !page.composer.stopButton.hidden && page.stop(),
    write: () => page.composer.prompt.focus(),
    new: page.fresh,
    search,
    save: (target) => page.intent({ type: 'save', message: target.closest('article')?.dataset.message }),
    previous: (target) => turn(page.scroll, target, -1),
    next: (target) => turn(page.scroll, target, 1),
    settings: () => settings.open(),
    help: () => settings.open('shortcuts'),
  });
  takeFiles(page);
  const endpoints = new Endpoints(find('[data-part=endpoints]'), { intent: page.intent, unsaved });
  const welcome = new Welcome({
    demo: (words) => page.composer.ask(words),
    endpoint(preset) {
      settings.open('endpoints');
      endpoints.offer(preset);
    },
  });
  return { endpoints, welcome };
}

/** Something that Escape closes. */
const open = () => document.querySelector('dialog[open], :popover-open') !== null;

function search() {
  const list = find('#list');
  if (getComputedStyle(list).display === 'none') list.showPopover();
  find('input[name=search]').focus();
}

/**
 * The turn before or after the one that the focus is in; from the scroller itself, the one at its top.
 * @param {import('../page/scroll.js').Scroll} scroll
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
 * Text files become part of the message, quoted; other kinds are refused in words. Text itself is the browser's to paste.
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
    const found = files(event.clipboardData);
    // A spreadsheet puts a picture of the cells beside their text: the text is meant.
    if (!found.length || event.clipboardData?.types.includes('text/plain')) return;
    event.preventDefault();
    void take(found);
  });
  addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files')) event.preventDefault(); // else the browser would open the file
  });
  addEventListener('drop', (event) => {
    const found = files(event.dataTransfer);
    if (!found.length) return;
    event.preventDefault();
    void take(found);
  });
}
