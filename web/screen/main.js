// Wires the screen: storage → first paint, engine → transcript (engine_messages.js), person → intents (actions.js). It decides nothing that
// another module owns.

import { Announcer } from './page/announce.js';
import { Boot } from './boot.js';
import { Colours } from './answer/colours.js';
import { Composer } from './composer/composer.js';
import { Diagrams } from './answer/diagrams.js';
import * as early from './preload.js';
import { Edits } from './answer/edit.js';
import { Formulas } from './answer/formulas.js';
import { Heard } from './engine_messages.js';
import { reveal, unmark } from './answer/search_highlight.js';
import { label } from '../shared/i18n.js';
import { Launch } from './composer/launch.js';
import { List } from '../shared/conversation_list.js';
import { Manage } from './sidebar/conversation_menu.js';
import { Notices, connection, find, html, listed, part, suggest } from './page/page.js';
import { unfoldForPaper } from './page/print.js';
import { Person } from './actions.js';
import { Port } from './port.js';
import { read } from '../shared/stored_conversation.js';
import { Search } from './sidebar/search_panel.js';
import { Scroll } from './page/scroll.js';
import { bring } from './composer/files.js';
import { Settle } from './page/content_visibility.js';
import { Shell } from './shell.js';
import { Shown } from './current_conversation.js';
import * as tab from '../shared/tab.js';
import { furnish } from './settings/page_tools.js';
import { Transcript } from './answer/transcript.js';

const { words } = early;
/** At an address that names no conversation: the one that the service worker has painted. */
const painted = tab.inAddress() ? null : listed();
const start = painted === null || painted === early.start.conversation ? early.start : { conversation: painted, top: null };

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
const port = new Port(find('#engine'), {
  connect: () => heard.greeting(),
  message: (message) => heard.message(message),
  aside: (message) => heard.aside(message),
  silent: () => heard.restart(),
});
const settle = new Settle(part('transcript'));
const transcript = new Transcript(part('transcript'), {
  announcer,
  intent: (message) => person.intent(message),
  block: (button) => person.block(button),
  edit: (turn) => edits.open(turn),
  version: (turn, step) => person.version(turn, step),
  source: (button, turn) => person.source(button, turn),
  change: () => shown.change(),
  resized: () => settle.again(),
});
const scroll = new Scroll(part('scroller'), part('column'), find('button[name=end]'));
const colours = new Colours(part('scroller'));
const formulas = new Formulas(part('scroller'), (change) => (scroll.still(change), settle.again()));
const diagrams = new Diagrams(part('scroller'), {
  still: (change) => (scroll.still(change), settle.again()),
  keep: (button, change) => (scroll.keep(button, change), settle.again()),
  failed: (code, detail) => notices.show(code, detail, true),
  unsaved: () => notices.show('choice-not-saved'),
});
const composer = new Composer(find('form[data-part=composer]'), {
  send: (pending) => person.send(pending),
  last: () => [...transcript.turns.keys()].at(-1) ?? '',
  stop: () => person.stop(),
  unsaved: () => notices.show('draft-not-saved'),
});
const edits = new Edits({
  send: (text, turn) => composer.instead(text, turn.id),
  conversation: () => shown.id,
  unsaved: () => notices.show('draft-not-saved'),
});
const list = new List(part('list'), {
  open: (id) => void begun.then(() => shown.visit(id, true)),
  new: () => void begun.then(() => shown.fresh(true)),
  export: () => person.able() && port.send({ type: 'export' }),
  import: (file) => void launch.bring([file]),
});
const manage = new Manage(list, {
  send: (message) => person.able() && (port.send(message), true),
  visit: (id) => void shown.visit(id, true),
  gone(id) {
    composer.forget(id);
    edits.forget(id);
  },
  say: (words) => announcer.say(words),
});
const search = new Search(part('list'), {
  send: (message) => port.send(message),
  ready: () => boot.ready,
  end: unmark,
  open(hit) {
    list.close();
    const visited = begun.then(() => shown.visit(hit.conversation, true));
    // In a version that is not shown: the engine shows it, and it is revealed then.
    void visited.then(() => reveal(hit, transcript.turns, scroll) || port.send({ type: 'version', message: hit.message }));
  },
});
const launch = new Launch(notices, {
  visit: (id) => void shown.visit(id, true),
  fresh: (visited) => shown.fresh(visited),
  draft: (text) => composer.add(text),
  load: (file) => void (person.able() && bring(file, port, notices)),
});
const shell = new Shell(part('shell'), part('update'), {
  accept: () => port.tell({ type: 'shell', do: 'update' }),
  mended: () => html.dataset.engine === 'failed' && heard.restart(),
});
const parts = { announcer, boot, colours, composer, diagrams, edits, formulas, list, notices, port, scroll, settle, shell, transcript };
const shown = new Shown(parts, start.conversation);
const person = new Person(parts, shown);
const { endpoints, welcome } = furnish({
  composer,
  list,
  scroll,
  notices,
  stop: () => person.stop(),
  fresh: () => void begun.then(() => shown.fresh(true)),
  intent: (message) => person.intent(message),
  language(language) {
    port.send({ type: 'prefer', language });
    if (!boot.ready) location.reload();
  },
});
const heard = new Heard({ ...parts, endpoints, manage, search, welcome }, shown);

async function begin() {
  const reading = start === early.start ? early.saved : read(start.conversation);
  const [saved] = await Promise.all([shown.stored(reading, words), words]);
  label(document);
  suggest((text) => {
    composer.fill(text);
    composer.prompt.focus();
  });
  await shown.paint(saved);
  html.dataset.paint = 'done';
  if (shown.id) tab.show(shown.id, false);
  if (html.dataset.place === 'moved') scroll.stay();
  else if (start.top !== null) scroll.toPosition(start.top);
  else if (transcript.turns.size) scroll.toEnd();
  listen();
  launch.open();
  boot.begin();
  port.open();
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
  addEventListener('pagehide', () => shown.leave());
  document.addEventListener('freeze', () => shown.leave());
  document.addEventListener('visibilitychange', () => (document.hidden ? shown.leave() : port.send({ type: 'visible' })));
  // A page out of the back/forward cache goes on where it stood, and so should its engine.
  addEventListener('pageshow', (event) => event.persisted && port.prove({ type: 'visible' }, shown.opening()));
  addEventListener('popstate', () => {
    const id = tab.inAddress();
    if (id && id !== tab.NEW) shown.visit(id, false);
    else shown.fresh(false);
  });
  find('button[name=reload]').addEventListener('click', () => location.reload());
  unfoldForPaper(part('transcript'));
}

const begun = begin();
await begun;
