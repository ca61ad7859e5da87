// The engine's messages about the current conversation: its turns, patches, statuses and sources.

import { LIVE } from '../shared/status.js';
import { showSource } from './answer/source.js';
import { swapVersion } from './answer/version_picker.js';
import { keysOfTab } from './settings/endpoint_settings.js';
import { recordsOfTab } from './page/session_storage.js';

/** @typedef {import('./page/port_types.js').PatchMessage} PatchMessage */
/**
 * @typedef {object} Parts
 * @property {import('./page/announce.js').Announcer} announcer
 * @property {import('./answer/colours.js').Colours} colours
 * @property {import('./composer/composer.js').Composer} composer
 * @property {import('./current_conversation.js').CurrentConversation} current
 * @property {import('./answer/decorations.js').Decorations} decorations
 * @property {import('./answer/edit.js').Edits} edits
 * @property {import('./answer/search_highlight.js').SearchHighlight} highlight
 * @property {import('./page/port.js').Port} port
 * @property {import('./page/scroll.js').Scroll} scroll
 * @property {import('./answer/transcript.js').Transcript} transcript
 */

export class ConversationMessages {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** The conversation that was emptied last: its draft belongs to the new one that is shown instead. */
    this.emptied = '';
    /** Colours of code that is not made yet, in answers that are cut. @type {Set<import('./page/port_types.js').ColoursMessage>} */
    this.early = new Set();
  }

  /** The first messages to an engine: the current conversation, painted patches, intents that it may not have. @returns {import('./page/port.js').Intent[]} */
  greeting() {
    const { composer, current, transcript } = this.parts;
    const stopping = [...transcript.turns.values()].filter(({ status }) => status.stopping && LIVE.has(status.state));
    const records = recordsOfTab();
    return [
      ...(records.length ? [/** @type {const} */ ({ type: 'kept', records })] : []),
      { type: 'keys', keys: keysOfTab() },
      current.opening(),
      { type: 'network', online: navigator.onLine },
      ...composer.pending.map((each) => /** @type {const} */ ({ type: 'send', ...each })),
      ...stopping.map(({ id }) => /** @type {const} */ ({ type: 'stop', message: id })),
    ];
  }

  /** @param {import('./page/port_types.js').ConversationMessage} message */
  conversation({ id, title, turns, at, patches }) {
    const { composer, current, edits, highlight, transcript } = this.parts;
    if (id && current.id && id !== current.id) return this.#reopen(turns);
    current.take(id || null);
    current.rename(title);
    if (at) {
      swapVersion(this.parts, turns, at, () => {
        transcript.show(turns);
        for (const patch of patches ?? []) this.#apply(patch);
      });
      highlight.changed(at);
    } else transcript.show(turns);
    edits.reopen(transcript.turns.values(), current.id);
    composer.confirm(transcript.turns);
    current.showPending();
  }

  /**
   * The engine shows another conversation: the person has moved on, or a prompt of an earlier page was confirmed.
   * @param {any[]} turns
   */
  #reopen(turns) {
    const { composer, current, port } = this.parts;
    composer.confirm(new Map(turns.map((turn) => [turn.message, turn])));
    port.send(current.opening());
  }

  /** @param {import('./page/port_types.js').TurnMessage} message */
  turn({ conversation, turn, after }) {
    const { composer, current, scroll, transcript } = this.parts;
    if (typeof turn?.message !== 'string') return;
    if (current.id && conversation !== current.id) return this.#follow(conversation, turn.message);
    current.take(conversation);
    const focused = document.activeElement?.closest('article');
    const replaces = typeof after === 'string' && transcript.cut(after, turn.message);
    const added = transcript.add(turn);
    composer.confirm(transcript.turns);
    current.showPending(); // those that were sent after this one
    if (added && focused && !focused.isConnected) {
      added.article.tabIndex = -1; // the pressed button has gone with its turn
      added.article.focus({ preventScroll: true });
    }
    // A new answer gets room below it, so that its question stays near the top while it grows. A queued one does not
    // grow, and the room would only hide those before it.
    if (added?.applier && added.status.state !== 'queued') transcript.freshen(added);
    if (added?.applier && (scroll.following || replaces)) scroll.toEnd();
    current.change();
  }

  /**
   * A prompt of this conversation has begun another one, since this one is gone: it was deleted in another tab.
   * @param {string} conversation
   * @param {string} message
   */
  #follow(conversation, message) {
    const { composer, current } = this.parts;
    const asked = composer.pending.find((each) => each.message === message);
    if (asked?.conversation === current.id) void current.visit(conversation, false);
  }

  /** @param {PatchMessage} message */
  patch(message) {
    const { highlight, transcript } = this.parts;
    const turn = transcript.turns.get(message.message);
    const before = turn?.article.dataset.seq;
    this.#apply(message);
    highlight.changed(message.message);
    const isNew = turn && LIVE.has(turn.status.state) && turn.article.dataset.seq !== before;
    if (isNew && !performance.getEntriesByName('midstream:live').length) performance.mark('midstream:live');
  }

  /** @param {PatchMessage} patch */
  #apply(patch) {
    const { decorations, transcript } = this.parts;
    transcript.patch(patch);
    const turn = transcript.turns.get(patch.message);
    if (turn) decorations.take(turn, LIVE.has(turn.status.state));
  }

  /** @param {import('./page/port_types.js').ColoursMessage} message */
  colours(message) {
    const { colours, transcript } = this.parts;
    const applier = transcript.turns.get(message.message)?.applier;
    const code = applier?.codes.get(message.node);
    if (!code && applier?.rest.length) this.early.add(message);
    else colours.set(code, message.kept, message.spans);
  }

  /** An answer that was cut has new elements. @param {import('../shared/article.js').Turn} turn */
  grown(turn) {
    this.parts.decorations.take(turn, false);
    const { early } = this;
    this.early = new Set();
    for (const message of early) this.colours(message);
  }

  /** @param {import('./page/port_types.js').SourceMessage} message */
  source(message) {
    const { scroll, transcript } = this.parts;
    const turn = transcript.turns.get(message.message);
    const button = turn?.actions.find(({ name }) => name === 'source');
    if (turn && button) scroll.keep(button, () => showSource(turn, message, transcript.number(turn)));
  }

  /** @param {import('./page/port_types.js').RemovedMessage} message */
  removed({ conversation, messages }) {
    const { composer, current, transcript } = this.parts;
    composer.drop(messages);
    if (conversation !== current.id) return;
    transcript.remove(messages);
    if (transcript.turns.size) return;
    this.emptied = conversation;
    composer.bequeath(conversation);
    current.begin(false);
  }

  /** @param {import('./page/port_types.js').DraftMessage} message */
  draft({ conversation, text }) {
    this.parts.composer.putBack(conversation === this.emptied ? null : conversation, String(text ?? ''));
  }
}
