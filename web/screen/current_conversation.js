// The current conversation. This is the owner of its id and title; the address, the list, the draft and the first page
// follow.

import { NEW } from '../shared/address.js';
import { t } from '../shared/i18n.js';
import { errorText } from '../shared/problem.js';
import { isFlowing, rateText } from '../shared/status.js';
import { NEAR, readAll } from '../shared/stored_conversation.js';
import { find, html, isEngineReady, part, showConnection } from './page/page.js';
import { recordsOfTab } from './page/session_storage.js';
import { storeConversation, storePointer, storePosition } from './page/tab.js';

/** @typedef {import('../shared/stored_conversation.js').StoredConversation} StoredConversation */
/**
 * @typedef {object} Parts
 * @property {import('./composer/composer.js').Composer} composer
 * @property {import('./answer/decorations.js').Decorations} decorations
 * @property {import('./answer/edit.js').Edits} edits
 * @property {import('./sidebar/conversation_list.js').ConversationList} list
 * @property {import('./page/page.js').Notices} notices
 * @property {import('./page/port.js').Port} port
 * @property {import('./page/scroll.js').Scroll} scroll
 * @property {import('./shell.js').Shell} shell
 * @property {import('./answer/transcript.js').Transcript} transcript
 */

/** Milliseconds after which the app starts without the stored conversation: another tab may hold the database. */
const READ_LIMIT = 3000;

export class CurrentConversation {
  /**
   * @param {Parts} parts
   * @param {string | null} start the conversation to begin with; NEW when the person wants a new one
   */
  constructor(parts, start) {
    this.parts = parts;
    /** The conversation; null for a new one. */
    this.id = start === NEW ? null : start;
    /** The person wants a new one, not just the newest. */
    this.blank = start === NEW;
    this.title = '';
    /** The title as it was given: a new conversation has none. @type {unknown} */
    this.name = '';
    this.listed = false; // the title is the list's, which has words for none
    this.pill = find('button[name=end]');
  }

  /**
   * The stored conversation; null when there is none, or none that can be read now.
   * @param {Promise<StoredConversation | null>} reading
   * @param {Promise<unknown>} catalogue of texts, which a notice needs
   */
  async readInTime(reading, catalogue = Promise.resolve()) {
    const late = new Promise((/** @type {(nothing: null) => void} */ resolve) => setTimeout(resolve, READ_LIMIT, null));
    try {
      return await Promise.race([reading, late]);
    } catch (error) {
      console.warn('midstream: storage', error);
      catalogue.then(() => this.parts.notices.show('saved-unreadable', errorText(error)));
      return null;
    }
  }

  /**
   * @param {StoredConversation | null} stored
   * @returns {Promise<boolean>} false when the person has moved on meanwhile
   */
  async paint(stored) {
    const { composer, decorations, edits, list, transcript } = this.parts;
    if (!this.blank) this.id = stored?.conversation ?? this.id;
    if (stored && !isEngineReady()) list.show(stored.conversations); // the engine's list has states too
    this.rename('');
    this.follow();
    composer.show(this.id);
    list.mark(this.id);
    const painting = this.id;
    const turns = await transcript.build(stored?.turns ?? [], stored?.earlier.answers);
    if (this.id !== painting) return false;
    transcript.showBuilt(turns, stored?.earlier);
    for (const turn of turns.values()) decorations.take(turn, false);
    edits.reopen(turns.values(), this.id);
    this.showPending();
    this.change();
    const first = !performance.getEntriesByName('midstream:painted').length;
    if (stored?.turns.length && first) performance.mark('midstream:painted');
    return true;
  }

  /** Shows the prompts that the engine has not confirmed. */
  showPending() {
    const { composer, transcript } = this.parts;
    for (const { conversation, message, text, edits } of composer.pending) {
      if (conversation !== this.id || transcript.turns.has(message)) continue;
      const before = edits ? transcript.before(edits) : null;
      if (before !== null) transcript.cut(before, message);
      transcript.add({ message, author: 'user', text, status: { state: 'sending' } });
    }
  }

  /** The intent that makes the engine show this conversation. @returns {import('./page/port.js').Intent} */
  opening() {
    if (this.blank) return { type: 'new' };
    return { type: 'open', conversation: this.id, painted: this.parts.transcript.painted() };
  }

  /** The engine shows this conversation: the address, the list and the draft follow. @param {string | null} id */
  take(id) {
    const { composer, list, transcript } = this.parts;
    if (this.id === null && id && transcript.turns.size) composer.adopt(id);
    else if (id !== composer.conversation) composer.show(id);
    this.id = id;
    this.blank = id === null;
    storeConversation(id, false);
    list.mark(id);
  }

  /**
   * Shows another conversation: its stored text at once, then the engine's view of it.
   * @param {string} id
   * @param {boolean} visited by the person's own choice: Back leads to the one before
   */
  async visit(id, visited) {
    const { list, port, scroll, transcript } = this.parts;
    const unseen = list.finished(id);
    this.id = id;
    this.blank = false;
    transcript.most = NEAR;
    storeConversation(id, visited);
    const stored = await this.readInTime(readAll(id, recordsOfTab()));
    if (this.id !== id || !(await this.paint(stored))) return;
    scroll.toEnd();
    const question = [...transcript.turns.values()].findLast((turn) => !turn.applier);
    if (unseen && question) scroll.toElement(question.article); // an unseen answer is read from its start
    if (port.connected) port.send(this.opening());
  }

  /** Shows more of the turns before the first one. @param {number} [most] so many in all */
  async showEarlier(most = this.parts.transcript.turns.size + NEAR) {
    const { port, scroll, transcript } = this.parts;
    const [first] = transcript.turns.values();
    transcript.most = most;
    const { id } = this;
    const stored = await this.readInTime(readAll(id, recordsOfTab(), transcript.most));
    if (this.id !== id || !first) return;
    const turns = await transcript.build(stored?.turns ?? [], stored?.earlier.answers);
    if (this.id !== id) return;
    if (turns.has(first.id)) scroll.keep(first.article, () => transcript.showBuilt(turns, stored?.earlier));
    for (const turn of turns.values()) this.parts.decorations.take(turn, false);
    if (port.connected) port.send(this.opening()); // an engine has some of them that are not stored as they are shown
  }

  /** Shows a new conversation. @param {boolean} visited */
  begin(visited) {
    const { composer, list, port, transcript } = this.parts;
    transcript.most = NEAR;
    this.id = null;
    this.blank = true;
    storeConversation(null, visited);
    composer.show(null);
    this.rename('');
    transcript.show([]);
    list.mark(null);
    composer.prompt.focus();
    if (port.connected) port.send(this.opening());
  }

  /** The transcript has changed: everything that depends on it follows. */
  change() {
    const { composer, shell, transcript } = this.parts;
    const { live } = transcript;
    const full = transcript.turns.size > 0;
    const changed = part('empty').hidden !== full;
    part('empty').hidden = full;
    part('earlier').hidden = !transcript.earlier.turns;
    find('[data-part=earlier] span').textContent = t('fold.turns', { n: transcript.earlier.turns });
    if (changed && html.dataset.paint === 'done') this.#scroll(full); // before that, main.js scrolls
    composer.mode(live !== null);
    shell.setBusy(live !== null);
    const flowing = live && isFlowing(live.status);
    const label = flowing ? t('button.end.live', { rate: rateText(live.status.rate) }) : t('button.end');
    if (this.pill.textContent !== label) this.pill.textContent = label;
    showConnection(html.dataset.connection, transcript.isReconnecting);
    html.toggleAttribute('data-live', live !== null);
    this.#entitle(live !== null);
  }

  /** To the end of a text, or to the beginning of the first page. @param {boolean} full */
  #scroll(full) {
    const { scroll } = this.parts;
    if (full) scroll.toEnd();
    else scroll.toPosition(0);
  }

  /** @param {unknown} name @param {boolean} [listed] as the list has it */
  rename(name, listed = false) {
    this.name = name;
    this.listed = listed;
    this.title = typeof name === 'string' && name ? name : t('title.new');
    if (part('title').textContent !== this.title) part('title').textContent = this.title;
    this.#entitle(this.parts.transcript.live !== null);
  }

  /** The list may have another title for it. */
  follow() {
    const title = this.parts.list.titleOf(this.id);
    if (title !== null) this.rename(title, true);
  }

  /** In another language. */
  relabel() {
    if (this.listed) this.follow();
    else this.rename(this.name);
    this.change();
  }

  /** @param {boolean} live */
  #entitle(live) {
    const title = t(live ? 'title.live' : 'title.page', { title: this.title });
    if (document.title !== title) document.title = title;
  }

  /** The page may be about to go: the engine stores all that it holds, and the tab the scroll position. */
  leave() {
    const { port, scroll, transcript } = this.parts;
    if (port.connected) port.send({ type: 'flush' });
    storePosition(this.id, scroll.following ? null : part('scroller').scrollTop);
    const last = [...transcript.turns.values()].at(-1);
    if (!this.id || !last) return;
    storePointer({ conversation: this.id, message: last.id, seq: Number(last.article.dataset.seq) });
  }
}
