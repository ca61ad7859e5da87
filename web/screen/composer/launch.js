// The app is opened from outside: by a share, a web+midstream: link, a file, a shortcut, a link to a conversation. Where the
// browser knows `launch_handler` and a window of the app stands open, it hands the address to that window, and an answer
// that is being written there goes on undisturbed; elsewhere it loads the address like any other. Both go one way here.

import { brings, fromAddress, fromFile } from './shared_text.js';
import { NEW, clean, keepLaunch, launched } from '../../shared/tab.js';

/** @typedef {import('./shared_text.js').Incoming} Incoming */
/** @typedef {{targetURL?: string | null, files?: readonly {getFile: () => Promise<File>}[]}} LaunchParams */
/** @typedef {{setConsumer: (consumer: (params: LaunchParams) => void) => void}} LaunchQueue */

export class Launch {
  /**
   * @param {import('../page/page.js').Notices} notices
   * @param {object} on
   * @param {(conversation: string) => void} on.visit
   * @param {(visited: boolean) => void} on.fresh a new conversation; `visited`: Back leads to the one before
   * @param {(text: string) => void} on.draft
   * @param {(file: File) => void} on.load saved conversations
   */
  constructor(notices, on) {
    this.notices = notices;
    this.on = on;
    this.address = location.href; // as it was when the page began: it is cleaned as soon as what it brings is in the draft
    this.first = true; // of what the browser hands over
  }

  /** Takes what the page's own address brings, then what the browser hands over. */
  open() {
    const { searchParams } = new URL(this.address);
    if (brings(searchParams)) {
      keepLaunch([this.address]);
      this.#add([fromAddress(searchParams)], false, 'incoming');
      clean();
    }
    const { launchQueue } = /** @type {{launchQueue?: LaunchQueue}} */ (window);
    launchQueue?.setConsumer((params) => void this.#launched(params));
  }

  /**
   * Files that the person has chosen: saved conversations are loaded, a text becomes a draft.
   * @param {File[]} files
   */
  async bring(files) {
    const texts = files.filter((file) => !/\.(json|zip)$/i.test(file.name));
    for (const file of files) if (!texts.includes(file)) this.on.load(file);
    if (texts.length) this.#add(await Promise.all(texts.map(fromFile)), true, 'incoming-file');
  }

  /** @param {LaunchParams} params */
  async #launched({ targetURL, files: handles = [] }) {
    const { first } = this;
    this.first = false;
    const files = await opened(handles);
    const what = [String(targetURL ?? ''), ...files.map(({ name, size, lastModified }) => `${name} ${size} ${lastModified}`)];
    // A page that was loaded with an address gets it once more here, and one that was reloaded what it got before.
    const own = targetURL === this.address && !handles.length;
    if (first && (own || JSON.stringify(what) === JSON.stringify(launched()))) return;
    keepLaunch(what);
    if (files.length < handles.length) this.notices.show('incoming-unreadable', '', true);
    if (handles.length) return this.bring(files);
    if (targetURL) this.#goto(new URL(targetURL, location.href).searchParams);
  }

  /** @param {URLSearchParams} query */
  #goto(query) {
    const conversation = query.get('c');
    if (brings(query)) this.#add([fromAddress(query)], true, 'incoming');
    else if (conversation === NEW) this.on.fresh(true);
    else if (conversation) this.on.visit(conversation);
  }

  /**
   * @param {Incoming[]} all
   * @param {boolean} visited
   * @param {string} code of the words when all went well
   */
  #add(all, visited, code) {
    const text = all.map((each) => each.text).filter(Boolean).join('\n');
    const notes = all.flatMap((each) => each.notes);
    if (text || !visited) this.on.fresh(visited);
    if (text) this.on.draft(text);
    if (text && !notes.length) this.notices.show(code);
    for (const note of notes) this.notices.show(note.code, note.detail, true);
  }
}

/**
 * Those of the files that can be read: one may be gone, or the person refuses it.
 * @param {readonly {getFile: () => Promise<File>}[]} handles
 */
async function opened(handles) {
  const all = await Promise.allSettled(handles.map((handle) => handle.getFile()));
  return all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}
