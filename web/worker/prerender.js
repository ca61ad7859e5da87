// The page with its saved text in it. The answer to a navigation begins with the beginning of index.html at once; as soon as the
// journal has been read the list, the title and the turns follow, each in its place, and then the rest. Nothing is stored for that
// beside the journal: it holds all that stood on screen, and the screen's own modules build the turns.
//
// A read that fails or takes too long leaves the page as it is stored, and the page's own scripts paint.

/// <reference lib="webworker" />

import { NEW, conversationOf } from '../shared/address.js';
import { drawStatus, makeTurn, paintRows, statusOf, updateStatus } from '../shared/article.js';
import { groupByDay, makeEntry, makeSection, titleOf } from '../shared/conversation_entries.js';
import { languageOf, setCatalogue, t } from '../shared/i18n.js';
import { readTurns } from '../shared/stored_conversation.js';
import { warn } from './common.js';
import { withTimeout } from './store.js';
import { MiniDocument, escapeHtml } from './mini_dom.js';

/** @typedef {import('../shared/stored_conversation.js').Reading} Reading */
/** @typedef {Record<'top' | 'body' | 'middle' | 'head' | 'tail' | 'engine' | 'end', string>} Shell index.html up to the body, the list, the title,
 *   the turns, the engine; the engine; the rest */

/** How long the page may wait for the saved text, in ms. A slow machine's own scripts would need longer still. */
const READ_MS = 1000;
/** A conversation of more turns is printed from its end: the last ones first, then those before them. */
const MANY = 40;
const LAST = 12;
/** Turns in one piece of those before. */
const PIECE = 20;
const PLACEHOLDERS =
  /^(.*)<!--scripts-->(.*)<!--\/scripts-->(.*)<!--list-->(.*)<!--title-->.*<!--\/title-->(.*)<!--turns-->(.*)(<iframe .*<\/iframe>)(.*)$/s;

const miniDocument = new MiniDocument();

/**
 * @param {Response} page index.html
 * @param {FetchEvent} event the navigation
 * @param {(language: string) => Promise<Response>} catalogue
 * @returns {Promise<Response>}
 */
export async function prerender(page, event, catalogue) {
  const wanted = conversationOf(new URL(event.request.url).searchParams);
  const shell = wanted === NEW || !page.ok ? null : cut(await page.clone().text());
  if (!shell) return page;
  const headers = new Headers(page.headers);
  for (const name of ['Content-Length', 'Content-Encoding', 'ETag', 'Last-Modified']) headers.delete(name);
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      try {
        for await (const piece of pieces(shell, wanted, event, catalogue)) controller.enqueue(encoder.encode(piece));
        controller.close();
      } catch (error) {
        warn(error); // the page has gone meanwhile
      }
    },
  });
  return new Response(body, { headers });
}

/**
 * @param {string} html
 * @returns {Shell | null}
 */
function cut(html) {
  const found = PLACEHOLDERS.exec(html);
  if (!found) return null;
  const [top, scripts, rest, middle, head, tail, engine, end] = found.slice(1);
  // The scripts come after the text, and nothing waits for them: neither the parser nor the first frame.
  const [metadata, body] = rest.split(/(?<=<body>)/);
  return {
    top: top + metadata,
    body,
    middle,
    head,
    tail,
    engine,
    end: scripts.replace(' blocking="render"', '') + end,
  };
}

/**
 * @param {Shell} shell
 * @param {string | null} wanted
 * @param {FetchEvent} event
 * @param {(language: string) => Promise<Response>} catalogue
 */
async function* pieces(shell, wanted, event, catalogue) {
  const { top, body, middle, head, tail, engine, end } = shell;
  yield top;
  let begun = false;
  let many = false;
  try {
    const reading = await withTimeout(read(wanted, event, catalogue), READ_MS);
    for await (const turns of reading ? printed(reading) : []) {
      if (!begun && reading) {
        // The engine comes after the text: begun before, it took the time that the text needs, and was there no sooner. Only
        // where the text itself takes long it goes first.
        many = reading.turns.length > MANY;
        yield (many ? engine : '') +
          labelled(body) +
          list(reading) +
          labelled(middle) +
          title(reading) +
          labelled(head);
      }
      begun = true;
      yield turns;
    }
  } catch (error) {
    warn(error);
  }
  yield (begun ? labelled(tail) : body + middle + head + tail) + (many ? '' : engine) + end;
}

/**
 * @param {string | null} wanted
 * @param {FetchEvent} event
 * @param {(language: string) => Promise<Response>} catalogue
 * @returns {Promise<Reading | null>} null when there is nothing to paint
 */
async function read(wanted, event, catalogue) {
  // The page before this one goes on showing what it stores until this one is there.
  const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
  const there = worker.clients.get(event.resultingClientId);
  const entries = async (/** @type {string} */ language) => (await catalogue(language)).json();
  // Beside the journal, not after it: most people have chosen none.
  const likely = languageOf(null, navigator.languages);
  const [reading, guessed] = await Promise.all([readTurns(wanted, there), entries(likely)]);
  const language = languageOf(reading?.language, navigator.languages);
  setCatalogue(language, language === likely ? guessed : await entries(language));
  const known = reading?.conversations.some(({ id }) => id === reading.conversation);
  return known ? reading : null;
}

/**
 * The turns in the order in which they are to be sent.
 * @param {Reading} reading
 */
async function* printed({ messages, turns, earlier }) {
  let { answers } = earlier;
  const numbers = messages.map(({ author }) => (author === 'assistant' ? ++answers : answers));
  const from = turns.length > MANY ? turns.length - LAST : 0;
  for (const turn of turns) turn.catch(() => {}); // said where it is waited for
  for (const [first, end] of [[from, turns.length], ...ranges(from)]) {
    const group = await withTimeout(Promise.all(turns.slice(first, end)), READ_MS);
    yield group.map((stored, i) => article(stored, numbers[first + i], from > 0 && first === from)).join('');
  }
}

/** @param {number} end @returns {[number, number][]} */
function ranges(end) {
  const count = Math.ceil(end / PIECE);
  return Array.from({ length: count }, (_, i) => [i * PIECE, Math.min(end, (i + 1) * PIECE)]);
}

/**
 * @param {import('../shared/stored_conversation.js').StoredTurn} stored
 * @param {number} number
 * @param {boolean} last one of those that come first
 */
function article({ turn: raw, rows }, number, last) {
  const status = statusOf(raw);
  if (!status) return '';
  const turn = makeTurn(miniDocument, raw, number);
  updateStatus(turn, status);
  paintRows(turn, rows);
  drawStatus(turn, false);
  turn.article.toggleAttribute('data-last', last);
  return html(turn.article);
}

/** @param {Reading} reading */
function list({ conversation, conversations }) {
  return groupByDay(conversations, Date.now())
    .map(([group, items]) => {
      const rows = items.map((item) => {
        const link = miniDocument.createElement('a');
        if (item.id === conversation) link.setAttribute('aria-current', 'page');
        return makeEntry(link, item);
      });
      return html(makeSection(miniDocument, group, rows));
    })
    .join('');
}

/** @param {Reading} reading */
function title({ conversation, conversations }) {
  return escapeHtml(titleOf(conversations.find(({ id }) => id === conversation) ?? {}));
}

/**
 * Markup of ours with its words in the page's language, as the screen's `label` puts them there.
 * @param {string} markup
 */
function labelled(markup) {
  return markup
    .replace(/(<[^>]* data-words="([^"]+)"[^>]*>)[^<]*/g, (_, tag, key) => tag + escapeHtml(t(key)))
    .replace(/ aria-label="[^"]*"(?= data-label="([^"]+)")/g, (_, key) => ` aria-label="${escapeHtml(t(key))}"`)
    .replace(
      / placeholder="[^"]*"(?= data-placeholder="([^"]+)")/g,
      (_, key) => ` placeholder="${escapeHtml(t(key))}"`,
    );
}

/** @param {Element} branch of the tree above */
const html = (branch) => /** @type {{html: string}} */ (/** @type {unknown} */ (branch)).html;
