// The table of the engine's messages: each goes to the part of the page that shows it.

import { has, t } from '../shared/i18n.js';
import { visibleMarkdown } from '../shared/invisible.js';
import { problemText } from '../shared/problem.js';
import { download } from './composer/files.js';
import { part, showConnection } from './page/page.js';

/** @typedef {import('./page/port.js').Message} Message */
/** @template {Message['type']} T @typedef {Extract<Message, {type: T}>} MessageOf */
/**
 * @typedef {object} Parts
 * @property {import('./boot.js').Boot} boot
 * @property {import('./page/clipboard.js').PendingCopy} copy
 * @property {import('./current_conversation.js').CurrentConversation} current
 * @property {import('./settings/endpoint_settings.js').Endpoints} endpoints
 * @property {import('./sidebar/conversation_list.js').ConversationList} list
 * @property {import('./sidebar/conversation_menu.js').ConversationMenu} menu
 * @property {import('./page/page.js').Notices} notices
 * @property {import('./page/session_storage.js').SessionRecords} records
 * @property {import('./sidebar/search_panel.js').Search} search
 * @property {import('./answer/transcript.js').Transcript} transcript
 * @property {import('./settings/welcome.js').Welcome} welcome
 */

export class EngineMessages {
  /** @param {Parts} parts @param {import('./conversation_messages.js').ConversationMessages} turns */
  constructor({ boot, copy, current, endpoints, list, menu, notices, records, search, transcript, welcome }, turns) {
    this.welcome = welcome;
    /** The endpoint that answers. @type {MessageOf<'endpoint'> | null} */
    this.endpoint = null;
    /** One for each message of the port, and no other. @type {{[T in Message['type']]: (message: MessageOf<T>) => void}} */
    this.handlers = {
      hello: () => boot.come(),
      endpoint: (message) => {
        this.endpoint = message;
        this.relabel();
      },
      endpoints: (message) => endpoints.show(message),
      tested: (message) => endpoints.tested(message),
      conversations({ items, deleted }) {
        list.show(items);
        menu.showDeleted(deleted);
        current.follow();
      },
      found: (message) => search.show(message),
      conversation: (message) => turns.conversation(message),
      turn: (message) => turns.turn(message),
      patch: (message) => turns.patch(message),
      colours: (message) => turns.colours(message),
      status: (message) => transcript.status(message),
      source: (message) => turns.source(message),
      removed: (message) => turns.removed(message),
      draft: (message) => turns.draft(message),
      keep: ({ changes }) => records.write(changes) || notices.show('tab-full', '', true),
      connection: ({ state }) => showConnection(state, transcript.isReconnecting),
      download: ({ name, mime, text }) => download(String(name), String(mime), String(text)),
      preferred() {}, // the page speaks that language already
      clipboard: ({ text }) => copy.finish(visibleMarkdown(String(text))),
      notice({ code, level, detail, problem }) {
        const none = code === 'tab-only' && records.probe();
        notices.show(none ? 'tab-none' : String(code), () => problemText(detail ?? '', problem), level === 'error');
      },
    };
  }

  /** The line about the endpoint, in the page's language. */
  relabel() {
    if (this.endpoint) showEndpoint(this.endpoint, this.welcome);
  }

  /** @param {Message} message from the engine */
  receive(message) {
    const handlers = /** @type {Record<string, (message: Message) => void>} */ (this.handlers);
    if (Object.hasOwn(handlers, message.type)) handlers[message.type](message);
    else console.warn('midstream: unknown message', message.type);
  }
}

/** @param {MessageOf<'endpoint'>} message @param {import('./settings/welcome.js').Welcome} welcome */
function showEndpoint({ name, model, note, about, kind }, welcome) {
  welcome.show(kind);
  const line = model ? t('endpoint.model', { name, model }) : t('endpoint', { name });
  const addition = has(`endpoint.about.${about}`) ? t(`endpoint.about.${about}`) : note;
  part('endpoint').textContent = addition ? t('endpoint.note', { line, note: addition }) : line;
}
