// Which conversation is shown. It owns that, with its title, and brings the address, the list, the draft and the first page in
// line with it.

import { t } from '../shared/i18n.js';
import { find, html, part } from './page/page.js';
import { caught } from '../shared/problem.js';
import { read } from '../shared/stored_conversation.js';
import { rate } from '../shared/status.js';
import * as tab from '../shared/tab.js';

/** @typedef {import('./port.js').Message} Message */
/**
 * @typedef {object} Parts of the page, each the owner of its own
 * @property {import('./page/announce.js').Announcer} announcer
 * @property {import('./boot.js').Boot} boot
 * @property {import('./answer/colours.js').Colours} colours
 * @property {import('./composer/composer.js').Composer} composer
 * @property {import('./answer/diagrams.js').Diagrams} diagrams
 * @property {import('./answer/edit.js').Edits} edits
 * @property {import('./answer/formulas.js').Formulas} formulas
 * @property {import('../shared/conversation_list.js').List} list
 * @property {import('./page/page.js').Notices} notices
 * @property {import('./port.js').Port} port
 * @property {import('./page/scroll.js').Scroll} scroll
 * @property {import('./page/content_visibility.js').Settle} settle
 * @property {import('./shell.js').Shell} shell
 * @property {import('./answer/transcript.js').Transcript} transcript
 */

/** Milliseconds after which the app starts without what is stored: another tab may hold the database. */
const READ_LIMIT = 3000;

export class Shown {
  /**
   * @param {Parts} parts
   * @param {string | null} start the conversation to begin with; NEW for one that was asked for
   */
  constructor(parts, start) {
    this.parts = parts;
    /** The conversation; null for a new one. */
    this.id = start === tab.NEW ? null : start;
    /** The new one was asked for, and not just the newest there is. */
    this.blank = start === tab.NEW;
    this.title = '';
    this.pill = find('button[name=end]');
  }

  /**
   * What is stored of it; null when there is nothing, or nothing that can be read now.
   * @param {Promise<import('../shared/stored_conversation.js').Saved | null>} reading
   * @param {Promise<unknown>} words without which nothing can be said
   */
  async stored(reading, words = Promise.resolve()) {
    const late = new Promise((/** @type {(nothing: null) => void} */ resolve) => setTimeout(resolve, READ_LIMIT, null));
    try {
      return await Promise.race([reading, late]);
    } catch (error) {
      console.warn('midstream: storage', error);
      words.then(() => this.parts.notices.show('saved-unreadable', caught(error)));
      return null;
    }
  }

  /**
   * @param {import('../shared/stored_conversation.js').Saved | null} saved
   * @returns {Promise<boolean>} false when the person has moved on meanwhile
   */
  async paint(saved) {
    const { boot, composer, diagrams, edits, formulas, list, transcript } = this.parts;
    if (!this.blank) this.id = saved?.conversation ?? this.id;
    if (saved && !boot.ready) list.show(saved.conversations); // the engine's list has states too
    this.rename(list.titleOf(this.id));
    composer.show(this.id);
    list.mark(this.id);
    const painting = this.id;
    const turns = await transcript.build(saved?.turns ?? []);
    if (this.id !== painting) return false;
    transcript.restore(turns);
    for (const { applier } of turns.values()) {
      formulas.watch(applier?.formulas.splice(0) ?? []);
      diagrams.watch(applier?.diagrams.splice(0) ?? []);
    }
    edits.restore(turns.values());
    this.repeat();
    this.change();
    if (saved?.turns.length && !performance.getEntriesByName('midstream:painted').length) performance.mark('midstream:painted');
    return true;
  }

  /** Prompts that the engine has not confirmed are shown as being sent. */
  repeat() {
    const { composer, transcript } = this.parts;
    for (const { conversation, message, text, edits } of composer.pending) {
      if (conversation !== this.id || transcript.turns.has(message)) continue;
      const before = edits ? transcript.before(edits) : null;
      if (before !== null) transcript.cut(before, message);
      transcript.add({ message, author: 'user', text, status: { state: 'sending' } });
    }
  }

  /** What the engine is to show. @returns {Message} */
  opening() {
    return this.blank ? { type: 'new' } : { type: 'open', conversation: this.id, painted: this.parts.transcript.painted() };
  }

  /**
   * The engine shows this conversation: the address, the list and the draft follow.
   * @param {string | null} id
   */
  take(id) {
    const { composer, list, transcript } = this.parts;
    if (this.id === null && id && transcript.turns.size) composer.adopt(id);
    else if (id !== composer.conversation) composer.show(id);
    this.id = id;
    this.blank = id === null;
    tab.show(id, false);
    list.mark(id);
  }

  /**
   * Shows another conversation: what is stored of it at once, then the engine's view of it.
   * @param {string} id
   * @param {boolean} visited by the person's own choice: Back leads to the one before
   */
  async visit(id, visited) {
    const { list, port, scroll, transcript } = this.parts;
    const unseen = list.finished(id);
    this.id = id;
    this.blank = false;
    tab.show(id, visited);
    const saved = await this.stored(read(id));
    if (this.id !== id || !(await this.paint(saved))) return;
    scroll.toEnd();
    const question = [...transcript.turns.values()].findLast((turn) => !turn.applier);
    if (unseen && question) scroll.toElement(question.article); // an answer that nobody has seen is read from its start
    if (port.connected) port.send(this.opening());
  }

  /** @param {boolean} visited */
  fresh(visited) {
    const { composer, list, port, transcript } = this.parts;
    this.id = null;
    this.blank = true;
    tab.show(null, visited);
    composer.show(null);
    this.rename('');
    transcript.show([]);
    list.mark(null);
    composer.prompt.focus();
    if (port.connected) port.send(this.opening());
  }

  /** Something in the transcript has changed: everything that depends on it is brought up to date. */
  change() {
    const { composer, shell, transcript } = this.parts;
    const { live } = transcript;
    const full = transcript.turns.size > 0;
    const other = part('empty').hidden !== full;
    part('empty').hidden = full;
    if (other && html.dataset.paint === 'done') this.#edge(full); // before that, main.js knows where the reader stood
    composer.mode(live !== null);
    shell.hold(live !== null);
    const words = live?.status.rate ? t('button.end.live', { rate: rate(live.status.rate) }) : t('button.end');
    if (this.pill.textContent !== words) this.pill.textContent = words;
    html.toggleAttribute('data-live', live !== null);
    this.#entitle(live !== null);
  }

  /** A text is followed at its end; the first page is read from its beginning. @param {boolean} full */
  #edge(full) {
    const { scroll } = this.parts;
    if (full) scroll.toEnd();
    else scroll.toPosition(0);
  }

  /** @param {unknown} name */
  rename(name) {
    this.title = typeof name === 'string' && name ? name : t('title.new');
    if (part('title').textContent !== this.title) part('title').textContent = this.title;
    this.#entitle(this.parts.transcript.live !== null);
  }

  /** @param {boolean} live */
  #entitle(live) {
    const words = t(live ? 'title.live' : 'title.page', { title: this.title });
    if (document.title !== words) document.title = words;
  }

  /** The page may be about to go: the engine stores what it holds, the tab remembers where the reader stands. */
  leave() {
    const { port, scroll, transcript } = this.parts;
    if (port.connected) port.send({ type: 'flush' });
    tab.leave(this.id, scroll.following ? null : part('scroller').scrollTop);
    const last = [...transcript.turns.values()].at(-1);
    if (this.id && last) tab.point({ conversation: this.id, message: last.id, seq: Number(last.article.dataset.seq) });
  }
}
