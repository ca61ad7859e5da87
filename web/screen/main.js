// Wires the screen: storage → first paint, engine → transcript, person → intents. It decides nothing that another module owns.

import { Announcer } from './announce.js';
import * as blocks from './blocks.js';
import { Boot } from './boot.js';
import { Colours } from './colours.js';
import { Composer } from './composer.js';
import * as early from './early.js';
import { keysOfTab } from './endpoints.js';
import { Formulas } from './formulas.js';
import { drawn, reveal, unmark } from './hit.js';
import { label, t } from './i18n.js';
import * as kept from './kept.js';
import { Launch } from './launch.js';
import { List } from './list.js';
import { Manage } from './manage.js';
import { Notices, connection, find, html, listed, part, suggest } from './page.js';
import { unfoldForPaper } from './paper.js';
import { Port } from './port.js';
import { read } from './saved.js';
import { Search } from './search.js';
import { Scroll } from './scroll.js';
import { arrived, bring, copied, copyLater, copyNow, download } from './share.js';
import * as source from './source.js';
import { Settle } from './settle.js';
import { Shell } from './shell.js';
import { LIVE, rate } from './status.js';
import * as tab from './tab.js';
import { furnish } from './tools.js';
import { Transcript } from './transcript.js';

/** @typedef {import('./port.js').Message} Message */

/** Milliseconds after which the app starts without what is stored: another tab may hold the database. */
const READ_LIMIT = 3000;

const { words } = early;
/** At an address that names no conversation: the one that the service worker has painted. */
const painted = tab.inAddress() ? null : listed();
const start = painted === null || painted === early.start.conversation ? early.start : { conversation: painted, top: null };
/** The conversation that is shown; null for a new one. */
let shown = start.conversation === tab.NEW ? null : start.conversation;
/** The new one was asked for, and not just the newest there is. */
let blank = start.conversation === tab.NEW;
let title = '';
/** The conversation that was emptied last: its draft belongs to the new one that is shown instead. */
let emptied = '';

const announcer = new Announcer(part('polite'), part('assertive'), part('reading'));
const notices = new Notices(announcer);
const boot = new Boot({
  ready() {
    transcript.bury(false);
    search.come();
  },
  failed(words) {
    transcript.bury(true);
    announcer.alarm(words);
  },
});
const port = new Port(find('#engine'), { connect: greeting, message: heard, aside, silent: restart });
const settle = new Settle(part('transcript'));
const resized = () => settle.again();
const transcript = new Transcript(part('transcript'), { intent, announcer, block, source: toggleSource, change, resized });
const scroll = new Scroll(part('scroller'), part('column'), find('button[name=end]'));
const colours = new Colours(part('scroller'));
const formulas = new Formulas((change) => (scroll.still(change), settle.again()));
const composer = new Composer(find('form[data-part=composer]'), {
  send,
  stop,
  unsaved: () => notices.show('draft-not-saved'),
});
const list = new List(part('list'), {
  open: (id) => void begun.then(() => visit(id, true)),
  new: () => void begun.then(() => fresh(true)),
  export: () => able() && port.send({ type: 'export' }),
  import: (file) => void launch.bring([file]),
});
const manage = new Manage(list, {
  send: (message) => able() && (port.send(message), true),
  visit: (id) => void visit(id, true),
  gone: (id) => composer.forget(id),
  say: (words) => announcer.say(words),
});
const search = new Search(part('list'), {
  send: (message) => port.send(message),
  ready: () => boot.ready,
  end: unmark,
  open(hit) {
    list.close();
    void begun.then(() => visit(hit.conversation, true)).then(() => reveal(hit, transcript.turns, scroll));
  },
});
const launch = new Launch(notices, {
  visit: (id) => void visit(id, true),
  fresh,
  draft: (text) => composer.add(text),
  load: (file) => void (able() && bring(file, port, notices)),
});
const shell = new Shell(part('shell'), part('update'), {
  accept: () => port.tell({ type: 'shell', do: 'update' }),
  mended: () => document.documentElement.dataset.engine === 'failed' && restart(),
});

const { endpoints, welcome } = furnish({
  composer,
  list,
  scroll,
  notices,
  stop,
  fresh: () => void begun.then(() => fresh(true)),
  intent: (message) => intent(message),
  language(language) {
    port.send({ type: 'prefer', language });
    if (!boot.ready) location.reload();
  },
});

async function begin() {
  const reading = start === early.start ? early.saved : read(start.conversation);
  const [saved] = await Promise.all([stored(reading), words]);
  label(document);
  suggest((text) => {
    composer.fill(text);
    composer.prompt.focus();
  });
  await paint(saved);
  html.dataset.paint = 'done';
  if (shown) tab.show(shown, false);
  if (html.dataset.place === 'moved') scroll.stay();
  else if (start.top !== null) scroll.toPosition(start.top);
  else if (transcript.turns.size) scroll.toEnd();
  listen();
  launch.open();
  boot.begin();
  port.open();
}

/**
 * What is stored of a conversation; null when there is nothing, or nothing that can be read now.
 * @param {Promise<import('./saved.js').Saved | null>} reading
 */
async function stored(reading) {
  const late = new Promise((/** @type {(nothing: null) => void} */ resolve) => setTimeout(resolve, READ_LIMIT, null));
  try {
    return await Promise.race([reading, late]);
  } catch (error) {
    console.warn('midstream: storage', error);
    words.then(() => notices.show('saved-unreadable', String(error)));
    return null;
  }
}

/**
 * @param {import('./saved.js').Saved | null} saved
 * @returns {Promise<boolean>} false when the person has moved on meanwhile
 */
async function paint(saved) {
  if (!blank) shown = saved?.conversation ?? shown;
  if (saved && !boot.ready) list.show(saved.conversations); // the engine's list has states too
  rename(list.titleOf(shown));
  composer.show(shown);
  list.mark(shown);
  const painting = shown;
  const turns = await transcript.build(saved?.turns ?? []);
  if (shown !== painting) return false;
  transcript.restore(turns);
  scroll.still(() => formulas.draw([...turns.values()].flatMap(({ applier }) => applier?.formulas.splice(0) ?? [])));
  repeat();
  change();
  if (saved?.turns.length && !performance.getEntriesByName('midstream:painted').length) performance.mark('midstream:painted');
  return true;
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
  const stopping = [...transcript.turns.values()].filter(({ status }) => status.stopping && LIVE.has(status.state));
  return [
    ...kept.greeting(),
    { type: 'keys', keys: keysOfTab() },
    opening(),
    { type: 'network', online: navigator.onLine },
    ...pending.map((each) => ({ type: 'send', ...each })),
    ...stopping.map(({ id }) => ({ type: 'stop', message: id })),
  ];
}

/** @returns {Message} */
function opening() {
  return blank ? { type: 'new' } : { type: 'open', conversation: shown, painted: transcript.painted() };
}

// From the engine

/** @param {Message} message */
function heard(message) {
  if (Object.hasOwn(HEARD, message.type)) HEARD[message.type](message);
  else console.warn('midstream: unknown message', message.type);
}

/** @type {Record<string, (message: Message) => void>} */
const HEARD = {
  hello: () => boot.come(),
  endpoint({ name, model, note, kind }) {
    welcome.show(kind);
    const line = model ? t('endpoint.model', { name, model }) : t('endpoint', { name });
    part('endpoint').textContent = note ? t('endpoint.note', { line, note }) : line;
  },
  endpoints: (message) => endpoints.show(message),
  tested: (message) => endpoints.tested(message),
  conversations({ items, deleted }) {
    list.show(items);
    manage.told(deleted);
    rename(list.titleOf(shown) ?? title);
  },
  found: (message) => search.show(message),
  conversation({ id, title, turns }) {
    if (id && shown && id !== shown) return elsewhere(turns);
    take(id || null);
    rename(title);
    transcript.show(turns);
    composer.confirm(transcript.turns);
    repeat();
  },
  turn({ conversation, turn }) {
    if (shown && conversation !== shown) return;
    take(conversation);
    const added = transcript.add(turn);
    composer.confirm(transcript.turns);
    // A new answer begins: there is room below it, so that its question stands near the top while it grows. One that has to
    // wait does not grow, and would only hide those before it.
    if (added?.applier && added.status.state !== 'queued') transcript.freshen(added);
    if (added?.applier && scroll.following) scroll.toEnd();
    change();
  },
  patch(message) {
    const turn = transcript.turns.get(message.message);
    const before = turn?.article.dataset.seq;
    transcript.patch(message);
    if (turn?.applier) formulas.draw(turn.applier.formulas.splice(0));
    drawn(message.message, transcript.turns, scroll);
    const isNew = turn && LIVE.has(turn.status.state) && turn.article.dataset.seq !== before;
    if (isNew && !performance.getEntriesByName('midstream:live').length) performance.mark('midstream:live');
  },
  colours: ({ message, node, kept, spans }) => colours.set(transcript.turns.get(message)?.applier?.codes.get(node), kept, spans),
  status: (message) => transcript.status(message),
  source(message) {
    const turn = transcript.turns.get(message.message);
    const button = turn?.actions.find(({ name }) => name === 'source');
    if (turn && button) scroll.keep(button, () => source.show(turn, message, transcript.number(turn)));
  },
  removed({ conversation, messages }) {
    composer.drop(messages);
    if (conversation !== shown) return;
    transcript.remove(messages);
    if (transcript.turns.size) return;
    emptied = conversation;
    composer.bequeath(conversation);
    fresh(false);
  },
  draft: ({ conversation, text }) => composer.give(conversation === emptied ? null : conversation, String(text ?? '')),
  keep: ({ changes }) => kept.keep(changes) || notices.show('tab-full', '', true),
  connection: ({ state }) => connection(state),
  download: ({ name, mime, text }) => download(String(name), String(mime), String(text)),
  preferred: () => location.reload(), // the words of a page are drawn once, and a reload loses nothing
  clipboard: ({ text }) => void arrived(String(text)),
  notice({ code, level, detail, left }) {
    const none = code === 'tab-only' && kept.tried();
    notices.show(none ? 'tab-none' : String(code), String(detail ?? ''), level === 'error', { left: Number(left) });
  },
};

/**
 * The engine shows another conversation than we do: the person has moved on, or a prompt of an earlier page was confirmed.
 * @param {any[]} turns
 */
function elsewhere(turns) {
  composer.confirm(new Map(turns.map((turn) => [turn.message, turn])));
  port.send(opening());
}

/**
 * The engine shows this conversation: the address, the list and the draft follow.
 * @param {string | null} id
 */
function take(id) {
  if (shown === null && id && transcript.turns.size) composer.adopt(id);
  else if (id !== composer.conversation) composer.show(id);
  shown = id;
  blank = id === null;
  tab.show(id, false);
  list.mark(id);
}

/** @param {Message} message from engine.js: the engine's boot, the service worker */
function aside(message) {
  if (message.type === 'shell') shell.show(message);
  else if (message.type === 'engine' && message.state === 'running') boot.expect(true);
  else if (message.type === 'engine' && message.state === 'loading') boot.loading(Number(message.done), Number(message.total));
  else if (message.type === 'engine' && message.state === 'lost') restart();
  else if (message.type === 'engine' && message.state === 'failed') failed(String(message.detail));
  else if (message.type === 'engine') notices.show('failed', String(message.detail), true);
}

/** @param {string} reason */
function failed(reason) {
  if (boot.ready) notices.show('failed', reason, true);
  else boot.fail(reason);
}

/** The engine answers no more. What it had stored is all that was shown, so another one goes on from there. */
function restart() {
  // Another tab has installed a new version: the engine would be of that one, and this page is not.
  if (shell.elsewhere) return boot.fail(t('engine.failed.version'));
  if (!boot.again()) return;
  notices.show('engine-restarted');
  port.restart();
}

// From the person

/** @param {import('./tab.js').Pending} pending */
function send(pending) {
  repeat();
  scroll.toEnd();
  if (port.connected) port.send({ type: 'send', ...pending }); // else the greeting brings it
}

function stop() {
  const { live } = transcript;
  if (!live) return;
  transcript.stopping(live);
  port.send({ type: 'stop', message: live.id });
}

/** @param {Message} message a button under an answer, or a request of the transcript itself */
function intent(message) {
  const turn = transcript.turns.get(message.message);
  if (message.type === 'copy') copied(copyLater(), notices);
  if (!boot.ready && turn && message.type === 'copy') arrived(turn.content.innerText);
  else if (!boot.ready && turn && message.type === 'save') {
    download(`${message.message}.txt`, 'text/plain', turn.content.innerText);
  } else port.send(message); // one that is still to come gets it after the greeting
}

/** @param {HTMLElement} button @param {import('./article.js').Turn} turn */
function toggleSource(button, turn) {
  if (turn.source) scroll.keep(button, () => source.hide(turn));
  else port.send({ type: 'source', message: turn.id });
}

/** @param {HTMLElement} button of a code block */
function block(button) {
  const pre = button.parentElement;
  if (!pre) return;
  if (button.dataset.do === 'wrap') {
    settle.again();
    return scroll.keep(button, () => blocks.wrap(document));
  }
  copyNow(blocks.source(pre)).then(
    () => {
      blocks.say(button, t('button.copied'));
      announcer.say(t('notice.copied'));
    },
    () => notices.show('copy-failed', '', true),
  );
}

/** @returns {boolean} false, and said, when no engine will come */
function able() {
  if (transcript.dead) notices.show('no-engine', '', true);
  return !transcript.dead;
}

/**
 * Shows another conversation: what is stored of it at once, then the engine's view of it.
 * @param {string} id
 * @param {boolean} visited
 */
async function visit(id, visited) {
  const unseen = list.finished(id);
  shown = id;
  blank = false;
  tab.show(id, visited);
  const saved = await stored(read(id));
  if (shown !== id || !(await paint(saved))) return;
  scroll.toEnd();
  const question = [...transcript.turns.values()].findLast((turn) => !turn.applier);
  if (unseen && question) scroll.toElement(question.article); // an answer that nobody has seen is read from its start
  if (port.connected) port.send(opening());
}

/** @param {boolean} visited */
function fresh(visited) {
  shown = null;
  blank = true;
  tab.show(null, visited);
  composer.show(null);
  rename('');
  transcript.show([]);
  list.mark(null);
  composer.prompt.focus();
  if (port.connected) port.send(opening());
}

// What follows from it

/** Something in the transcript has changed: everything that depends on it is brought up to date. */
function change() {
  const { live } = transcript;
  const full = transcript.turns.size > 0;
  const other = part('empty').hidden !== full;
  part('empty').hidden = full;
  if (other && html.dataset.paint === 'done') edge(full); // before that, begin() knows where the reader stood
  composer.mode(live !== null);
  shell.hold(live !== null);
  find('button[name=end]').textContent =
    live?.status.rate ? t('button.end.live', { rate: rate(live.status.rate) }) : t('button.end');
  html.toggleAttribute('data-live', live !== null);
  entitle(live !== null);
}

/** A text is followed at its end; the first page is read from its beginning. @param {boolean} full */
const edge = (full) => (full ? scroll.toEnd() : scroll.toPosition(0));

/** @param {unknown} name */
function rename(name) {
  title = typeof name === 'string' && name ? name : t('title.new');
  if (part('title').textContent !== title) part('title').textContent = title;
  entitle(transcript.live !== null);
}

/** @param {boolean} live */
function entitle(live) {
  const words = t(live ? 'title.live' : 'title.page', { title });
  if (document.title !== words) document.title = words;
}

/** The page may be about to go: the engine stores what it holds, the tab remembers where the reader stands. */
function leave() {
  if (port.connected) port.send({ type: 'flush' });
  tab.leave(shown, scroll.following ? null : part('scroller').scrollTop);
  const last = [...transcript.turns.values()].at(-1);
  if (shown && last) tab.point({ conversation: shown, message: last.id, seq: Number(last.article.dataset.seq) });
}

/** @param {boolean} online */
function network(online) {
  if (!boot.ready) connection(online ? 'online' : 'offline');
  if (port.connected) port.send({ type: 'network', online });
}

function listen() {
  connection(navigator.onLine ? 'online' : 'offline');
  addEventListener('online', () => network(true));
  addEventListener('offline', () => network(false));
  addEventListener('pagehide', leave);
  document.addEventListener('freeze', leave);
  document.addEventListener('visibilitychange', () => (document.hidden ? leave() : port.send({ type: 'visible' })));
  // A page out of the back/forward cache goes on where it stood, and so should its engine.
  addEventListener('pageshow', (event) => event.persisted && port.prove({ type: 'visible' }, opening()));
  addEventListener('popstate', () => {
    const id = tab.inAddress();
    if (id && id !== tab.NEW) visit(id, false);
    else fresh(false);
  });
  find('button[name=reload]').addEventListener('click', () => location.reload());
  unfoldForPaper(part('transcript'));
}

const begun = begin();
await begun;
