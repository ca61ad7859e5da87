// Wires the screen: storage → first paint, engine → transcript, person → intents. It decides nothing that another module owns.

import { Announcer } from './announce.js';
import { Composer } from './composer.js';
import { duration, has, label, load, t } from './i18n.js';
import { List } from './list.js';
import { Port } from './port.js';
import { read } from './saved.js';
import { Scroll } from './scroll.js';
import { arrived, copyLater, download } from './share.js';
import { Shell } from './shell.js';
import { LIVE } from './status.js';
import * as tab from './tab.js';
import { Transcript } from './transcript.js';

/** @typedef {import('./port.js').Message} Message */

/** Milliseconds until an engine that does not answer is said to have failed; it may still come. */
const BOOT_LIMIT = 60_000;
/** Milliseconds after which the app starts without what is stored: another tab may hold the database. */
const READ_LIMIT = 3000;
const NOTICE_TIME = 8000;
let noticeTimer = 0;

const html = document.documentElement;

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} selector
 */
const find = (selector) => /** @type {T} */ (document.querySelector(selector));
/** @param {string} name */
const part = (name) => find(`[data-part=${name}]`);

const start = tab.first();
/** The conversation that is shown; null for a new one. */
let shown = start.conversation === tab.NEW ? null : start.conversation;
let title = '';
let boot = 0;

const announcer = new Announcer(part('polite'), part('assertive'));
const port = new Port(find('#engine'), { connect: greeting, message: heard, aside });
const transcript = new Transcript(part('transcript'), { intent, announcer, change });
const scroll = new Scroll(part('scroller'), part('column'), find('button[name=end]'));
const composer = new Composer(find('form[data-part=composer]'), {
  send,
  stop: () => transcript.live && port.send({ type: 'stop', message: transcript.live.id }),
  unsaved: () => notice('draft-not-saved'),
});
const list = new List(part('list'), { open: (id) => visit(id, true), new: () => fresh(true) });
const shell = new Shell(part('shell'), part('update'), { accept: () => port.tell({ type: 'shell', do: 'update' }) });

async function begin() {
  const words = load('en');
  const saved = await stored(shown);
  await words;
  label(document);
  suggest();
  paint(saved);
  if (shown) tab.show(shown, false);
  if (start.top !== null) scroll.toPosition(start.top);
  listen();
  boot = setTimeout(() => failed(t('engine.failed.timeout', { seconds: duration(BOOT_LIMIT / 1000) })), BOOT_LIMIT);
  port.open();
}

/**
 * What is stored of a conversation; null when there is nothing, or nothing that can be read now.
 * @param {string | null} wanted
 */
async function stored(wanted) {
  const late = new Promise((/** @type {(nothing: null) => void} */ resolve) => setTimeout(resolve, READ_LIMIT, null));
  try {
    return start.conversation === tab.NEW && wanted === null ? null : await Promise.race([read(wanted), late]);
  } catch (error) {
    console.warn('midstream: storage', error);
    notice('saved-unreadable', String(error));
    return null;
  }
}

/** @param {import('./saved.js').Saved | null} saved */
function paint(saved) {
  shown = saved?.conversation ?? shown;
  if (saved) list.show(saved.conversations);
  rename(saved?.conversations.find(({ id }) => id === shown)?.title);
  transcript.show(saved?.turns.map(({ turn }) => turn));
  for (const { turn, rows } of saved?.turns ?? []) {
    const made = transcript.turns.get(turn.message);
    if (made) transcript.paint(made, rows);
  }
  composer.show(shown);
  repeat();
  list.mark(shown);
  change();
  if (saved?.turns.length) performance.mark('midstream:painted');
}

/** Prompts that the engine has not confirmed are shown as being sent. */
function repeat() {
  for (const { conversation, message, text } of composer.pending) {
    if (conversation !== shown || transcript.turns.has(message)) continue;
    transcript.add({ message, author: 'user', text, status: { state: 'sending' } });
  }
}

/** The first messages to an engine: what is shown, what is painted, what it may not have got. */
function greeting() {
  const { pending } = composer;
  const fresh = shown === null && start.conversation === tab.NEW;
  /** @type {Message} */
  const open = fresh ? { type: 'new' } : { type: 'open', conversation: shown, painted: transcript.painted() };
  return [open, { type: 'network', online: navigator.onLine }, ...pending.map((each) => ({ type: 'send', ...each }))];
}

// From the engine

/** @param {Message} message */
function heard(message) {
  if (Object.hasOwn(HEARD, message.type)) HEARD[message.type](message);
  else console.warn('midstream: unknown message', message.type);
}

/** @type {Record<string, (message: Message) => void>} */
const HEARD = {
  hello() {
    clearTimeout(boot);
    html.dataset.engine = 'ready';
    part('engine').hidden = true;
    performance.mark('midstream:engine');
  },
  endpoint({ name, kind, model, note }) {
    transcript.gateway = kind === 'gateway';
    const line = model ? t('endpoint.model', { name, model }) : t('endpoint', { name });
    part('endpoint').textContent = note ? t('endpoint.note', { line, note }) : line;
    transcript.redraw();
  },
  conversations: ({ items }) => list.show(items),
  conversation({ id, title, turns }) {
    if (id && shown && id !== shown) return; // the answer to an earlier question: the person has moved on
    take(id || null);
    rename(title);
    transcript.show(turns);
    confirm(turns);
    repeat();
  },
  turn({ conversation, turn }) {
    if (shown && conversation !== shown) return;
    take(conversation);
    const added = transcript.add(turn);
    confirm([turn]);
    if (added?.applier) begun(added.article);
    change();
  },
  patch(message) {
    const turn = transcript.turns.get(message.message);
    const before = turn?.article.dataset.seq;
    transcript.patch(message);
    const isNew = turn && LIVE.has(turn.status.state) && turn.article.dataset.seq !== before;
    if (isNew && !performance.getEntriesByName('midstream:live').length) performance.mark('midstream:live');
  },
  status: (message) => transcript.status(message),
  connection: ({ state }) => connection(state),
  download: ({ name, mime, text }) => download(String(name), String(mime), String(text)),
  clipboard: ({ text }) => void arrived(String(text)),
  notice: ({ code, level, detail }) => notice(String(code), String(detail ?? ''), level === 'error'),
};

/** @param {any[]} turns that the engine has stored */
function confirm(turns) {
  for (const turn of Array.isArray(turns) ? turns : []) composer.confirm(turn?.message);
}

/**
 * The engine shows this conversation: the address, the list and the draft follow.
 * @param {string | null} id
 */
function take(id) {
  if (shown === null && id && transcript.turns.size) composer.adopt(id);
  else if (id !== composer.conversation) composer.show(id);
  shown = id;
  tab.show(id, false);
  list.mark(id);
}

/**
 * A new answer begins: there is room below it, so that its question stands near the top while it grows.
 * @param {HTMLElement} article
 */
function begun(article) {
  for (const each of document.querySelectorAll('article[data-fresh]')) each.removeAttribute('data-fresh');
  article.dataset.fresh = '';
  if (scroll.following) scroll.toEnd();
}

/** @param {Message} message from engine.js: the engine's boot, the service worker */
function aside(message) {
  if (message.type === 'shell') shell.show(message);
  else if (message.type === 'engine' && message.state === 'failed') failed(String(message.detail));
  else if (message.type === 'engine') notice('failed', String(message.detail), true);
}

/** @param {string} reason */
function failed(reason) {
  if (html.dataset.engine === 'ready') return notice('failed', reason, true);
  clearTimeout(boot);
  html.dataset.engine = 'failed';
  const words = t('engine.failed', { reason });
  find('[data-part=engine] span').textContent = words;
  part('engine').hidden = false;
  announcer.alarm(words);
}

/** @param {unknown} state */
function connection(state) {
  if (state !== 'online' && state !== 'offline' && state !== 'reconnecting') return;
  html.dataset.connection = state;
  part('connection').textContent = state === 'online' ? '' : t(`connection.${state}`);
}

// From the person

/** @param {import('./tab.js').Pending} pending */
function send(pending) {
  repeat();
  scroll.toEnd();
  if (port.connected) port.send({ type: 'send', ...pending }); // else the greeting brings it
}

/** @param {Message} message a button under an answer, or a request of the transcript itself */
function intent(message) {
  const turn = transcript.turns.get(message.message);
  if (message.type === 'copy') copyLater().then(() => notice('copied'), () => notice('copy-failed', '', true));
  if (html.dataset.engine === 'ready') port.send(message);
  else if (turn && message.type === 'copy') arrived(turn.content.innerText);
  else if (turn && message.type === 'save') download(`${message.message}.txt`, 'text/plain', turn.content.innerText);
}

/**
 * Shows another conversation: what is stored of it at once, then the engine's view of it.
 * @param {string} id
 * @param {boolean} visited
 */
async function visit(id, visited) {
  shown = id;
  tab.show(id, visited);
  const saved = await stored(id);
  if (shown !== id) return;
  paint(saved);
  scroll.toEnd();
  port.send({ type: 'open', conversation: id, painted: transcript.painted() });
}

/** @param {boolean} visited */
function fresh(visited) {
  shown = null;
  tab.show(null, visited);
  composer.show(null);
  rename('');
  transcript.show([]);
  list.mark(null);
  composer.prompt.focus();
  port.send({ type: 'new' });
}

function suggest() {
  for (const n of [1, 2, 3]) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', name: 'suggestion', textContent: t(`empty.try.${n}`) });
    button.addEventListener('click', () => {
      composer.fill(t(`empty.try.${n}`));
      composer.prompt.focus();
    });
    const item = document.createElement('li');
    item.append(button);
    find('[data-part=empty] ul').append(item);
  }
}

// What follows from it

/** Something in the transcript has changed: everything that depends on it is brought up to date. */
function change() {
  const { live } = transcript;
  part('empty').hidden = transcript.turns.size > 0;
  composer.mode(live !== null);
  shell.hold(live !== null);
  find('button[name=end]').textContent =
    live && live.status.rate ? t('button.end.live', { rate: t('count.rate', { n: live.status.rate }) }) : t('button.end');
  html.toggleAttribute('data-live', live !== null);
  entitle(live !== null);
}

/** @param {unknown} name */
function rename(name) {
  title = typeof name === 'string' && name ? name : t('title.new');
  part('title').textContent = title;
  entitle(transcript.live !== null);
}

/** @param {boolean} live */
function entitle(live) {
  const words = t(live ? 'title.live' : 'title.page', { title });
  if (document.title !== words) document.title = words;
}

/**
 * One line above the composer, and spoken. A mere success goes away by itself.
 * @param {string} code
 * @param {string} [detail]
 * @param {boolean} [error]
 */
function notice(code, detail = '', error = false) {
  const words = has(`notice.${code}`) ? t(`notice.${code}`, { detail }) : t('notice.other', { code, detail });
  find('[data-part=notice] span').textContent = words;
  part('notice').hidden = false;
  clearTimeout(noticeTimer);
  if (error) announcer.alarm(words);
  else announcer.say(words);
  if (!error) noticeTimer = setTimeout(() => (part('notice').hidden = true), NOTICE_TIME);
}

/** The page may be about to go: the engine stores what it holds, the tab remembers where the reader stands. */
function leave() {
  port.send({ type: 'flush' });
  tab.leave(shown, scroll.following ? null : part('scroller').scrollTop);
  const last = [...transcript.turns.values()].at(-1);
  if (shown && last) tab.point({ conversation: shown, message: last.id, seq: Number(last.article.dataset.seq) });
}

/** @param {boolean} online */
function network(online) {
  if (html.dataset.engine !== 'ready') connection(online ? 'online' : 'offline');
  port.send({ type: 'network', online });
}

function listen() {
  connection(navigator.onLine ? 'online' : 'offline');
  addEventListener('online', () => network(true));
  addEventListener('offline', () => network(false));
  addEventListener('pagehide', leave);
  document.addEventListener('freeze', leave);
  document.addEventListener('visibilitychange', () => (document.hidden ? leave() : port.send({ type: 'visible' })));
  addEventListener('popstate', () => {
    const id = tab.inAddress();
    if (id) visit(id, false);
    else fresh(false);
  });
  find('button[name=reload]').addEventListener('click', () => location.reload());
  find('button[name=dismiss]').addEventListener('click', () => (part('notice').hidden = true));
}

await begin();
