// Wires the screen: storage → first paint, engine → transcript (engine_messages.js), person → intents (actions.js). It
// decides nothing that another module owns.

import { NEW } from '../shared/address.js';
import { t } from '../shared/i18n.js';
import { readAll } from '../shared/stored_conversation.js';
import { Actions } from './actions.js';
import { CodeBlocks } from './answer/code_blocks.js';
import { Colours } from './answer/colours.js';
import { Decorations } from './answer/decorations.js';
import { Edits } from './answer/edit.js';
import { Formulas } from './answer/formulas.js';
import { SearchHighlight } from './answer/search_highlight.js';
import { Transcript } from './answer/transcript.js';
import { listenToTurns } from './answer/turn_actions.js';
import { Boot } from './boot.js';
import { Composer } from './composer/composer.js';
import { importFile } from './composer/files.js';
import { Launch } from './composer/launch.js';
import { ConversationMessages } from './conversation_messages.js';
import { CurrentConversation } from './current_conversation.js';
import { Diagrams } from './diagrams/diagrams.js';
import { EngineLifecycle } from './engine_lifecycle.js';
import { EngineMessages } from './engine_messages.js';
import { Announcer } from './page/announce.js';
import { PendingCopy } from './page/clipboard.js';
import { ContentVisibility } from './page/content_visibility.js';
import { speak } from './page/language.js';
import { Notices, find, html, isEngineReady, label, part, showConnection } from './page/page.js';
import { Port } from './page/port.js';
import { unfoldForPrint } from './page/print.js';
import { Scroll } from './page/scroll.js';
import { SessionRecords, recordsOfTab } from './page/session_storage.js';
import { conversationInAddress, storeConversation } from './page/tab.js';
import { addPageTools } from './page_tools.js';
import * as preload from './preload.js';
import { Shell } from './shell.js';
import { ConversationList } from './sidebar/conversation_list.js';
import { ConversationMenu } from './sidebar/conversation_menu.js';
import { Search } from './sidebar/search_panel.js';

// The parts of the page, each after those that it uses

const announcer = new Announcer(part('polite'), part('assertive'), part('reading'));
const notices = new Notices(announcer);
const records = new SessionRecords();
const port = new Port(find('#engine'));
const scroll = new Scroll(part('scroller'), part('column'), find('button[name=end]'));
const visibility = new ContentVisibility(part('transcript'));
const copy = new PendingCopy();
const shell = new Shell(part('shell'), part('update'), () => port.postAside({ type: 'shell', do: 'update' }));
const list = new ConversationList(part('list'));
const transcript = new Transcript(part('transcript'), announcer, {
  stored: () => !records.denied,
  reset: (message) => port.send({ type: 'reset', message }),
  resized: () => visibility.reset(),
});
const composer = new Composer(find('form[data-part=composer]'), {
  last: () => [...transcript.turns.keys()].at(-1) ?? '',
  unsaved: () => notices.show('draft-not-saved'),
});
const edits = new Edits({
  send: (text, turn) => composer.sendEdited(text, turn.id),
  unsaved: () => notices.show('draft-not-saved'),
});
const colours = new Colours(part('scroller'));
const formulas = new Formulas(part('scroller'), (change) => (scroll.still(change), visibility.reset()));
const diagrams = new Diagrams(part('scroller'), {
  still: (change) => (scroll.still(change), visibility.reset()),
  keep: (button, change) => (scroll.keep(button, change), visibility.reset()),
  failed: (code, detail) => notices.show(code, detail, true),
  unsaved: () => notices.show('choice-not-saved'),
});
const blocks = new CodeBlocks({
  copied: () => announcer.say(t('notice.copied')),
  diagram: (button) => void diagrams.press(button),
  keep: (button, change) => (visibility.reset(), scroll.keep(button, change)),
});
const decorations = new Decorations(blocks, formulas, diagrams);
const highlight = new SearchHighlight(transcript, scroll);

/** At an address without a conversation: the one that the service worker has painted. */
const marked = conversationInAddress() ? null : document.querySelector('[data-part=list] a[aria-current]');
const painted = marked?.getAttribute('data-conversation') ?? null;
const isPreloaded = painted === null || painted === preload.start.conversation;
const start = isPreloaded ? preload.start : { conversation: painted, top: null };

const current = new CurrentConversation(
  { composer, decorations, edits, list, notices, port, scroll, shell, transcript },
  start.conversation,
);
const actions = new Actions({ copy, current, notices, port, scroll, transcript });

// What the person does

transcript.onchange = () => current.change();
composer.onsend = (pending) => actions.send(pending);
composer.onstop = () => actions.stop();
listenToTurns(transcript, {
  intent: (message) => actions.intent(message),
  block: (button) => blocks.press(button),
  edit: (turn) => edits.open(turn, current.id),
  version: (turn, step) => actions.version(turn, step),
  source: (button, turn) => actions.source(button, turn),
  whole: (button, turn) => scroll.keep(button, () => transcript.unfold(turn, () => turns.grown(turn))),
});

async function paint() {
  const reading = isPreloaded ? preload.stored : readAll(start.conversation, recordsOfTab());
  const [stored] = await Promise.all([current.readInTime(reading, preload.catalogue), preload.catalogue]);
  label();
  await current.paint(stored);
  html.dataset.paint = 'done';
  if (current.id) storeConversation(current.id, false);
  if (html.dataset.place === 'moved') scroll.stay();
  else if (start.top !== null) scroll.toPosition(start.top);
  else if (transcript.turns.size) scroll.toEnd();
}

/** Clicks that come before it wait. */
const firstPaint = paint();

const launch = new Launch(notices, {
  visit: (id) => void current.visit(id, true),
  fresh: (visited) => current.begin(visited),
  draft: (text) => composer.add(text),
  import: (file) => void (actions.canAct() && importFile(file, port, notices)),
});
list.listen({
  open: (id) => void firstPaint.then(() => current.visit(id, true)),
  new: () => void firstPaint.then(() => current.begin(true)),
  export: () => actions.canAct() && port.send({ type: 'export' }),
  import: (file) => void launch.addFiles([file]),
});
const menu = new ConversationMenu(list, {
  send: (message) => actions.canAct() && (port.send(message), true),
  visit: (id) => void current.visit(id, true),
  gone(id) {
    composer.forget(id);
    edits.forget(id);
  },
  say: (text) => announcer.say(text),
});
const search = new Search(part('list'), {
  send: (message) => port.send(message),
  end: () => highlight.clear(),
  async open(hit) {
    list.close();
    await firstPaint;
    await current.visit(hit.conversation, true);
    if (!transcript.turns.has(hit.message) && transcript.earlier.turns) await current.showEarlier(Infinity);
    // In a version that is not visible: the engine shows it, and it is revealed then.
    if (!highlight.reveal(hit)) port.send({ type: 'version', message: hit.message });
  },
});
const { endpoints, settings, welcome } = addPageTools({
  composer,
  list,
  scroll,
  notices,
  stop: () => actions.stop(),
  fresh: () => void firstPaint.then(() => current.begin(true)),
  intent: (message) => actions.intent(message),
  language(language) {
    port.send({ type: 'prefer', language }); // for the service worker, which reads it there
    void changeLanguage();
  },
});

// The engine

const boot = new Boot({
  ready() {
    transcript.setDead(false);
    search.engineReady();
  },
  failed(text) {
    transcript.setDead(true);
    announcer.alarm(text);
  },
});
const lifecycle = new EngineLifecycle({ boot, notices, port, shell });
const turns = new ConversationMessages({
  announcer,
  colours,
  composer,
  current,
  decorations,
  edits,
  highlight,
  port,
  scroll,
  transcript,
});
const messages = new EngineMessages(
  { boot, copy, current, endpoints, list, menu, notices, records, search, transcript, welcome },
  turns,
);

/** Writes the page anew in the language that was chosen; nothing on it begins again. */
async function changeLanguage() {
  if (!(await speak())) return notices.show('language-failed', '', true);
  label();
  for (const owner of [boot, messages, list, current, transcript, diagrams, menu, search]) owner.relabel();
  for (const owner of [endpoints, settings, shell, notices]) owner.relabel();
  welcome.label();
  showConnection(html.dataset.connection, transcript.isReconnecting);
}

/** @param {boolean} online */
function network(online) {
  if (!isEngineReady()) showConnection(online ? 'online' : 'offline', false);
  if (port.connected) port.send({ type: 'network', online });
}

function listen() {
  showConnection(navigator.onLine ? 'online' : 'offline', false);
  addEventListener('online', () => network(true));
  addEventListener('offline', () => network(false));
  addEventListener('pagehide', () => current.leave());
  document.addEventListener('freeze', () => current.leave());
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) current.leave();
    else port.send({ type: 'visible' });
  });
  // A page out of the back/forward cache goes on as it was, and its engine should too.
  addEventListener('pageshow', (event) => event.persisted && port.prove({ type: 'visible' }, current.opening()));
  addEventListener('popstate', () => {
    const id = conversationInAddress();
    if (id && id !== NEW) current.visit(id, false);
    else current.begin(false);
  });
  find('button[name=earlier]').addEventListener('click', () => void current.showEarlier());
  find('button[name=reload]').addEventListener('click', () => location.reload());
  unfoldForPrint(part('transcript'));
}

await firstPaint;
welcome.label();
listen();
launch.open();
boot.begin();
port.open({
  connect: () => turns.greeting(),
  message: (message) => messages.receive(message),
  aside: (message) => lifecycle.receive(message),
  silent: () => lifecycle.restart(),
});
