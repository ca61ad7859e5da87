// The app is opened from outside: by a share, a web+midstream: link, a file, a shortcut, a link to a conversation. A
// browser with `launch_handler` hands the address to an open window of the app, where a growing answer goes on
// undisturbed; other browsers load the address as a page. Both ways come together here.

import { NEW, hasSharedText } from '../../shared/address.js';
import { cleanAddress, loadLaunch, storeLaunch } from '../page/tab.js';
import { fromAddress, fromFile } from './shared_text.js';

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
   * @param {(file: File) => void} on.import stored conversations
   */
  constructor(notices, on) {
    this.notices = notices;
    this.on = on;
    this.address = location.href; // as the page began with: a shared text is taken out of it later
    this.first = true; // the browser has handed nothing over yet
  }

  /** Takes the text in the page's own address, then the launches that the browser hands over. */
  open() {
    const { searchParams } = new URL(this.address);
    if (hasSharedText(searchParams)) {
      storeLaunch([this.address]);
      this.#add([fromAddress(searchParams)], false, 'incoming');
      cleanAddress();
    }
    const { launchQueue } = /** @type {{launchQueue?: LaunchQueue}} */ (window);
    launchQueue?.setConsumer((params) => void this.#take(params));
  }

  /**
   * Files that the person has chosen: stored conversations are imported, a text becomes a draft.
   * @param {File[]} files
   */
  async addFiles(files) {
    const texts = files.filter((file) => !/\.(json|zip)$/i.test(file.name));
    for (const file of files) if (!texts.includes(file)) this.on.import(file);
    if (texts.length) this.#add(await Promise.all(texts.map(fromFile)), true, 'incoming-file');
  }

  /** @param {LaunchParams} params */
  async #take({ targetURL, files: handles = [] }) {
    const { first } = this;
    this.first = false;
    const files = await open(handles);
    const named = files.map(({ name, size, lastModified }) => `${name} ${size} ${lastModified}`);
    const description = [String(targetURL ?? ''), ...named];
    // A loaded page gets its own address once more here, and a reloaded page gets its last launch.
    const own = targetURL === this.address && !handles.length;
    if (first && (own || JSON.stringify(description) === JSON.stringify(loadLaunch()))) return;
    storeLaunch(description);
    if (files.length < handles.length) this.notices.show('incoming-unreadable', '', true);
    if (handles.length) return this.addFiles(files);
    if (targetURL) this.#goto(new URL(targetURL, location.href).searchParams);
  }

  /** @param {URLSearchParams} query */
  #goto(query) {
    const conversation = query.get('c');
    if (hasSharedText(query)) this.#add([fromAddress(query)], true, 'incoming');
    else if (conversation === NEW) this.on.fresh(true);
    else if (conversation) this.on.visit(conversation);
  }

  /** @param {Incoming[]} all @param {boolean} visited @param {string} code of the notice when all went well */
  #add(all, visited, code) {
    const text = all
      .map((each) => each.text)
      .filter(Boolean)
      .join('\n');
    const notes = all.flatMap((each) => each.notes);
    if (text || !visited) this.on.fresh(visited);
    if (text) this.on.draft(text);
    if (text && !notes.length) this.notices.show(code);
    for (const note of notes) this.notices.show(note.code, note.detail, true);
  }
}

/**
 * The files that can be read: one may be gone, or the person refuses it.
 * @param {readonly {getFile: () => Promise<File>}[]} handles
 */
async function open(handles) {
  const all = await Promise.allSettled(handles.map((handle) => handle.getFile()));
  return all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}
