// What the engine says, and what is said of the engine itself: each message to the parts that show it.

import { keysOfTab } from './settings/endpoint_settings.js';
import { drawn } from './answer/search_highlight.js';
import { has, t } from '../shared/i18n.js';
import * as kept from '../shared/session_storage.js';
import { connection, part } from './page/page.js';
import { told } from '../shared/problem.js';
import { arrived, download } from './composer/files.js';
import * as source from './answer/source.js';
import { LIVE } from '../shared/status.js';
import { swap } from '../shared/version_picker.js';

/** @typedef {import('./port.js').Message} Message */
/** @typedef {import('./answer/transcript.js').Turn} Turn */
/**
 * @typedef {object} More parts
 * @property {import('./settings/endpoint_settings.js').Endpoints} endpoints
 * @property {import('./sidebar/conversation_menu.js').Manage} manage
 * @property {import('./sidebar/search_panel.js').Search} search
 * @property {import('./settings/welcome.js').Welcome} welcome
 */

export class Heard {
  /**
   * @param {import('./current_conversation.js').Parts & More} parts
   * @param {import('./current_conversation.js').Shown} shown
   */
  constructor(parts, shown) {
    this.parts = parts;
    this.shown = shown;
    /** The conversation that was emptied last: its draft belongs to the new one that is shown instead. */
    this.emptied = '';
  }

  /** The first messages to an engine: what is shown, what is painted, what it may not have got. */
  greeting() {
    const { composer, transcript } = this.parts;
    const stopping = [...transcript.turns.values()].filter(({ status }) => status.stopping && LIVE.has(status.state));
    return [
      ...kept.greeting(),
      { type: 'keys', keys: keysOfTab() },
      this.shown.opening(),
      { type: 'network', online: navigator.onLine },
      ...composer.pending.map((each) => ({ type: 'send', ...each })),
      ...stopping.map(({ id }) => ({ type: 'stop', message: id })),
    ];
  }

  /** @param {Message} message from the engine */
  message(message) {
    if (Object.hasOwn(this.#heard, message.type)) this.#heard[message.type](message);
    else console.warn('midstream: unknown message', message.type);
  }

  /** @type {Record<string, (message: Message) => void>} */
  #heard = {
    hello: () => this.parts.boot.come(),
    endpoint: (message) => this.#endpoint(message),
    endpoints: (message) => this.parts.endpoints.show(message),
    tested: (message) => this.parts.endpoints.tested(message),
    conversations: ({ items, deleted }) => {
      const { list, manage } = this.parts;
      list.show(items);
      manage.told(deleted);
      this.shown.rename(list.titleOf(this.shown.id) ?? this.shown.title);
    },
    found: (message) => this.parts.search.show(message),
    conversation: (message) => this.#conversation(message),
    turn: (message) => this.#turn(message),
    patch: (message) => this.#patch(message),
    colours: ({ message, node, kept, spans }) => {
      this.parts.colours.set(this.parts.transcript.turns.get(message)?.applier?.codes.get(node), kept, spans);
    },
    status: (message) => this.parts.transcript.status(message),
    source: (message) => this.#source(message),
    removed: (message) => this.#removed(message),
    draft: ({ conversation, text }) =>
      this.parts.composer.give(conversation === this.emptied ? null : conversation, String(text ?? '')),
    keep: ({ changes }) => kept.keep(changes) || this.parts.notices.show('tab-full', '', true),
    connection: ({ state }) => connection(state),
    download: ({ name, mime, text }) => download(String(name), String(mime), String(text)),
    preferred: () => location.reload(), // the words of a page are drawn once, and a reload loses nothing
    clipboard: ({ text }) => void arrived(String(text)),
    notice: ({ code, level, detail, problem }) => {
      const none = code === 'tab-only' && kept.tried();
      this.parts.notices.show(none ? 'tab-none' : String(code), told(detail ?? '', problem), level === 'error');
    },
  };

  /** @param {Message} message */
  #endpoint({ name, model, note, about, kind }) {
    this.parts.welcome.show(kind);
    const line = model ? t('endpoint.model', { name, model }) : t('endpoint', { name });
    const words = has(`endpoint.about.${about}`) ? t(`endpoint.about.${about}`) : note;
    part('endpoint').textContent = words ? t('endpoint.note', { line, note: words }) : line;
  }

  /** @param {Message} message */
  #conversation({ id, title, turns, at, patches }) {
    const { composer, edits, scroll, transcript } = this.parts;
    if (id && this.shown.id && id !== this.shown.id) return this.#elsewhere(turns);
    this.shown.take(id || null);
    this.shown.rename(title);
    if (at) {
      swap(this.parts, turns, at, () => {
        transcript.show(turns);
        for (const patch of patches) this.#apply(patch);
      });
      drawn(at, transcript.turns, scroll);
    } else transcript.show(turns);
    edits.restore(transcript.turns.values());
    composer.confirm(transcript.turns);
    this.shown.repeat();
  }

  /**
   * The engine shows another conversation than we do: the person has moved on, or a prompt of an earlier page was confirmed.
   * @param {any[]} turns
   */
  #elsewhere(turns) {
    this.parts.composer.confirm(new Map(turns.map((turn) => [turn.message, turn])));
    this.parts.port.send(this.shown.opening());
  }

  /** @param {Message} message */
  #turn({ conversation, turn, after }) {
    const { composer, scroll, transcript } = this.parts;
    if (this.shown.id && conversation !== this.shown.id) return;
    this.shown.take(conversation);
    const focused = document.activeElement?.closest('article');
    const instead = typeof after === 'string' && transcript.cut(after, turn.message);
    const added = transcript.add(turn);
    composer.confirm(transcript.turns);
    this.shown.repeat(); // those that were sent after this one
    if (added && focused && !focused.isConnected) {
      added.article.tabIndex = -1; // the button that was pressed has gone with its turn
      added.article.focus({ preventScroll: true });
    }
    // A new answer begins: there is room below it, so that its question stands near the top while it grows. One that has to
    // wait does not grow, and would only hide those before it.
    if (added?.applier && added.status.state !== 'queued') transcript.freshen(added);
    if (added?.applier && (scroll.following || instead)) scroll.toEnd();
    this.shown.change();
  }

  /** @param {Message} message */
  #patch(message) {
    const { scroll, transcript } = this.parts;
    const turn = transcript.turns.get(message.message);
    const before = turn?.article.dataset.seq;
    this.#apply(message);
    drawn(message.message, transcript.turns, scroll);
    const isNew = turn && LIVE.has(turn.status.state) && turn.article.dataset.seq !== before;
    if (isNew && !performance.getEntriesByName('midstream:live').length) performance.mark('midstream:live');
  }

  /** @param {Message} patch */
  #apply(patch) {
    const { diagrams, formulas, transcript } = this.parts;
    transcript.patch(patch);
    const turn = transcript.turns.get(patch.message);
    const found = turn?.applier?.formulas.splice(0) ?? [];
    if (turn && LIVE.has(turn.status.state)) formulas.draw(found);
    else formulas.watch(found);
    diagrams.watch(turn?.applier?.diagrams.splice(0) ?? []);
  }

  /** @param {Message} message */
  #source(message) {
    const { scroll, transcript } = this.parts;
    const turn = transcript.turns.get(message.message);
    const button = turn?.actions.find(({ name }) => name === 'source');
    if (turn && button) scroll.keep(button, () => source.show(turn, message, transcript.number(turn)));
  }

  /** @param {Message} message */
  #removed({ conversation, messages }) {
    const { composer, transcript } = this.parts;
    composer.drop(messages);
    if (conversation !== this.shown.id) return;
    transcript.remove(messages);
    if (transcript.turns.size) return;
    this.emptied = conversation;
    composer.bequeath(conversation);
    this.shown.fresh(false);
  }

  // Of the engine itself

  /** @param {Message} message from engine/engine.js: the engine's boot, the service worker */
  aside(message) {
    const { boot, shell } = this.parts;
    if (message.type === 'shell') shell.show(message);
    else if (message.type === 'engine' && message.state === 'running') boot.expect(true);
    else if (message.type === 'engine' && message.state === 'loading') boot.loading(Number(message.done), Number(message.total));
    else if (message.type === 'engine' && message.state === 'lost') this.restart();
    else if (message.type === 'engine') this.#failed(String(message.code), String(message.detail));
  }

  /**
   * @param {string} code of a failure that is known beforehand; `error` is any other
   * @param {string} detail what Python or the browser says of it, quoted where we have no words of our own
   */
  #failed(code, detail) {
    const { boot, notices } = this.parts;
    const key = `engine.failed.${code}`;
    const words = code !== 'error' && has(key) ? t(key) : '';
    if (boot.ready) notices.show('failed', words || detail, true);
    else boot.fail(words || t('engine.failed.error', { detail }));
  }

  /** The engine answers no more. What it had stored is all that was shown, so another one goes on from there. */
  restart() {
    const { boot, notices, port, shell } = this.parts;
    // Another tab has installed a new version: the engine would be of that one, and this page is not.
    if (shell.elsewhere) return boot.fail(t('engine.failed.version'));
    if (!boot.again()) return;
    notices.show('engine-restarted');
    port.restart();
  }
}
