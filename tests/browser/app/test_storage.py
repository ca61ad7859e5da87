"""The browser's storage in every condition: old, newer, denied, held, closed, full, foreign, damaged.

What was written is there, or what is not is said.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Route, expect

from midstream.journal import Row
from midstream.markdown import VERSION, Parser
from tests.browser.chat import Chat, score, words
from tests.browser.conftest import QUICK
from tests.browser.home import EMPTY, Home
from tests.support.patience import PATIENCE_MS
from tests.support.processes import Serve

# Makes the database as its version `version` was, and puts records into it: [store, record], or a script as the record.
MAKE = """
async ([version, entries]) => {
  const request = indexedDB.open('midstream', version);
  request.onupgradeneeded = () => {
    const database = request.result;
    database.createObjectStore('conversations', { keyPath: 'id' });
    const messages = database.createObjectStore('messages', { keyPath: 'id' });
    messages.createIndex('conversation', ['conversation', 'position']);
    messages.createIndex('state', 'state');
    database.createObjectStore('journal', { keyPath: ['message', 'n'] });
    if (version > 1) database.createObjectStore('settings', { keyPath: 'id' });
    if (version > 2) database.createObjectStore('of-a-newer-version', { keyPath: 'id' });
  };
  const database = await new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const transaction = database.transaction([...database.objectStoreNames], 'readwrite');
  for (const [store, record] of entries) transaction.objectStore(store).put(record);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  database.close();
}
"""
# All records of the database, by store; and its version.
DUMP = """
async () => {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open('midstream');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const found = { version: database.version };
  for (const store of database.objectStoreNames) {
    const request = database.transaction(store).objectStore(store).getAll();
    found[store] = await new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  }
  database.close();
  return found;
}
"""
# How browsers deny it: the person has forbidden it to the site; there is none at all.
DENIED = {
    "refused": """
IDBFactory.prototype.open = () => {
  throw new DOMException('The operation is insecure.', 'SecurityError');
};
""",
    "absent": """
Object.defineProperty(globalThis, 'indexedDB', {
  configurable: true,
  get() { throw new DOMException('The operation is insecure.', 'SecurityError'); },
});
""",
}

CONVERSATION = {"id": "c1", "title": "Tides", "created": 1, "updated": 2}
QUESTION = {
    "id": "u1",
    "conversation": "c1",
    "position": 0,
    "author": "user",
    "text": "How do tides work?",
    "state": "complete",
    "created": 1,
    "runs": [],
}
ENDPOINT = {"name": "Server", "kind": "gateway", "url": "", "model": "", "note": "", "options": {}}
ANSWER = {
    "id": "a1",
    "conversation": "c1",
    "position": 1,
    "author": "assistant",
    "state": "complete",
    "created": 1,
    "parser": VERSION,
    "question": "u1",
    "seconds": 4,
    "runs": [{"key": "k1", "run": "run-that-is-gone", "endpoint": ENDPOINT}],
}


def rows(message: str, *texts: str) -> list[list[Any]]:
    """Journal entries as version 1 wrote them."""
    parser, found = Parser(), []
    for n, text in enumerate(texts, 1):
        row = Row(message, n, 0, n, n, text, tokens=1, ops=parser.feed(text)).record()
        del row["epoch"]
        found.append(["journal", row])
    return found


def whole(message: str, text: str) -> list[Any]:
    """The one row of an ended answer."""
    parser = Parser()
    ops = parser.feed(text) + parser.finish()
    return ["journal", Row(message, 3, 0, 1, 9, text, tokens=9, ops=ops, whole=True).record()]


STORED: list[list[Any]] = [
    ["conversations", CONVERSATION],
    ["messages", QUESTION],
    ["messages", ANSWER],
    whole("a1", "# Tides\n\nTwice a day *the sea* rises."),
]


@pytest.fixture
def chat(home: Home, app: Serve) -> Chat:
    return Chat(home.context.new_page(), home.show(app))


def of(conversation: str, entries: list[list[Any]]) -> list[list[Any]]:
    """The entries in another conversation: the gateway, which all tests share, knows each by its id."""
    renamed: list[list[Any]] = json.loads(json.dumps(entries).replace('"c1"', f'"{conversation}"'))
    return renamed


def store(chat: Chat, entries: list[list[Any]], version: int = 2) -> None:
    chat.page.goto(chat.url + EMPTY)
    chat.page.evaluate(MAKE, [version, entries])


def dump(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(DUMP)
    return found


def notice(chat: Chat, text: str) -> None:
    expect(chat.page.locator("[data-part=notice]")).to_contain_text(text, timeout=PATIENCE_MS)


def content(page: Page, message: str) -> Any:
    return page.locator(f"article[data-message='{message}'] [data-part=content]")


def state_is(page: Page, message: str, state: str) -> None:
    article = page.locator(f"article[data-message='{message}']")
    expect(article).to_have_attribute("data-state", state, timeout=PATIENCE_MS)


def test_a_database_of_version_1_is_brought_up(chat: Chat) -> None:
    """With everything that stood in it, an answer that was being written included."""
    later = {"id": "a2", "position": 3, "state": "streaming", "question": "u2"}
    asked = QUESTION | {"id": "u2", "position": 2, "text": "And then?"}
    turns = [["messages", asked], ["messages", ANSWER | later]]
    entries = [*STORED, *turns, *rows("a2", "It goes ", "on *and ")]
    store(chat, entries, version=1)
    chat.open()
    expect(content(chat.page, "u1")).to_have_text("How do tides work?")
    expect(content(chat.page, "a1")).to_contain_text("Twice a day the sea rises.")
    state_is(chat.page, "a1", "complete")
    state_is(chat.page, "a2", "interrupted")  # the gateway knows nothing of it
    expect(content(chat.page, "a2")).to_contain_text("It goes on")
    found = dump(chat.page)
    assert found["version"] == 2
    assert all(setting["id"].startswith("model ") for setting in found["settings"])
    assert [record["id"] for record in found["messages"]] == ["a1", "a2", "u1", "u2"]
    assert found["conversations"][0]["title"] == "Tides"
    texts = {row["message"]: row["text"] for row in found["journal"]}
    assert texts == {"a1": entries[3][1]["text"], "a2": "It goes on *and "}


def test_a_foreign_database_of_our_name_gets_what_is_missing(chat: Chat) -> None:
    chat.page.goto(chat.url + EMPTY)
    chat.page.evaluate(
        """new Promise((resolve) => {
             const request = indexedDB.open('midstream', 1);
             request.onupgradeneeded = () => request.result.createObjectStore('other');
             request.onsuccess = () => { request.result.close(); resolve(); };
           })"""
    )
    chat.open().send("Tell me").until_seq(5)
    found = dump(chat.page)
    assert [record["author"] for record in found["messages"]].count("assistant") == 1
    assert len(found["journal"]) > 0 and found["other"] == []


def test_a_newer_database_is_shown_and_left_alone(chat: Chat) -> None:
    store(chat, of("c-newer", STORED), version=7)
    before = json.dumps(page_dump := dump(chat.page))
    assert page_dump["version"] == 7
    chat.open()
    notice(chat, "newer version")
    expect(content(chat.page, "a1")).to_contain_text("Twice a day the sea rises.")
    chat.send("And the moon?").until_seq(20)
    chat.reload()
    assert len(words(chat.until_painted())) > 2, "what this tab has added is kept in the tab"
    chat.until_ready()
    expect(content(chat.page, "a1")).to_contain_text("Twice a day the sea rises.")
    chat.until_seq(60)
    expect(chat.page.locator("article")).to_have_count(4)
    assert json.dumps(dump(chat.page)) == before


@pytest.fixture
def denied(browser: Browser, app: Serve, request: pytest.FixtureRequest) -> Iterator[Chat]:
    """No IndexedDB, neither for the page nor for the worker, and so no service worker's either."""
    script = DENIED[request.param]
    context = browser.new_context(service_workers="block")
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(script)

    def deny(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, body=script + response.text())

    context.route("**/engine/pyodide/boot.js", deny)  # the first module in the worker
    yield Chat(context.new_page(), app.url)
    context.close()


@pytest.mark.parametrize("denied", ["absent"], indirect=True)
def test_without_any_database_the_engine_starts(denied: Chat) -> None:
    denied.open()
    notice(denied, "kept in this tab only")


@pytest.mark.parametrize("denied", ["refused"], indirect=True)
def test_without_a_database_a_reload_of_the_tab_loses_nothing(denied: Chat, answer_file: Path) -> None:
    denied.open()
    notice(denied, "kept in this tab only")
    denied.send("Tell me")
    denied.until_seq(40)
    denied.reload()
    painted = denied.until_painted()
    assert len(words(painted)) > 10, "painted from what the tab has kept"
    assert denied.watched()["engineAtPaint"] == "booting"
    denied.until_ready()
    assert denied.until_ended() == "complete"
    result = score(answer_file.read_text(), denied.text())
    assert (result.lost, result.repeated, result.in_order) == ([], [], True)
    denied.reload()
    denied.until_ready().until_ended()
    assert score(answer_file.read_text(), denied.text()).lost == []


def test_what_a_tab_has_kept_moves_into_the_database_when_there_is_one(chat: Chat, app: Serve) -> None:
    chat.page.goto(chat.url + EMPTY)
    for name, record in STORED:
        key = record["id"] if "id" in record else json.dumps([record["message"], record["n"]], separators=(",", ":"))
        item = [f"midstream.tab/{name}/{key}", json.dumps(record)]
        chat.page.evaluate("([key, item]) => sessionStorage.setItem(key, item)", item)
    chat.open()
    state_is(chat.page, "a1", "complete")
    chat.until("() => !Object.keys(sessionStorage).some((key) => key.startsWith('midstream.tab/'))")
    assert [record["id"] for record in dump(chat.page)["messages"]] == ["a1", "u1"]


def test_another_tab_that_holds_an_old_database_is_said(context: BrowserContext, app: Serve) -> None:
    holder = context.new_page()
    holder.goto(app.url + EMPTY)
    holder.evaluate(MAKE, [1, STORED])
    holder.evaluate(
        """new Promise((resolve) => {
             const request = indexedDB.open('midstream');
             request.onsuccess = () => resolve(void (window.held = request.result));
           })"""
    )
    chat = Chat(context.new_page(), app.url).open()
    alarm = chat.page.locator("[data-part=assertive]")
    expect(alarm).to_contain_text("Close the other tabs", timeout=PATIENCE_MS)
    holder.close()
    chat.page.goto(f"{chat.url}?c=c1")
    chat.until_ready()
    state_is(chat.page, "a1", "complete")
    assert dump(chat.page)["version"] == 2


def test_a_connection_that_the_browser_has_closed_is_made_again(chat: Chat) -> None:
    """As when the person clears the site's data. What this tab had is said to be gone, and stored again."""
    chat.open().send("Tell me").until_seq(5)
    origin = {"origin": chat.url.rstrip("/"), "storageTypes": "indexeddb"}
    cdp = chat.page.context.new_cdp_session(chat.page)
    cdp.send("Storage.clearDataForOrigin", origin)
    chat.page.click("button[name=new]")
    notice(chat, "deleted the data of this site")
    chat.send("Once more").until_seq(5)
    found = dump(chat.page)
    asked = [record.get("text") for record in found["messages"]]
    assert "Once more" in asked and "Tell me" in asked
    assert len(found["conversations"]) == 2


# A full storage


# Fills it to the brim.
FILL = """
async () => {
  const request = indexedDB.open('filler', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('all', { autoIncrement: true });
  await new Promise((resolve) => (request.onsuccess = resolve));
  for (const size of [2 ** 22, 2 ** 20, 2 ** 17, 2 ** 13, 2 ** 10]) {
    for (let full = false; !full; ) {
      const noise = new Uint8Array(size);
      for (let at = 0; at < size; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536));
      const transaction = request.result.transaction('all', 'readwrite');
      transaction.objectStore('all').put(noise);
      full = await new Promise((resolve) => {
        transaction.oncomplete = () => resolve(false);
        transaction.onabort = () => resolve(true);
      });
    }
  }
  request.result.close();
}
"""
CACHED = """
async () => {
  const found = [];
  for (const name of await caches.keys()) {
    for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
  }
  return found;
}
"""


# In the origin's file system: where another copy of the app keeps its Python, and a folder that is none of ours.
KEEP = """
async () => {
  const root = await navigator.storage.getDirectory();
  const names = ['midstream-snapshot %2Fcopy%2F', "another's"];
  for (const name of names) await root.getDirectoryHandle(name, { create: true });
}
"""
FOLDERS = """
async () => {
  const names = [];
  for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
  return names;
}
"""


def limit(page: Page, url: str, size: int | None) -> None:
    """Sets how much the origin may store in this context, in bytes."""
    quota = {"origin": url.rstrip("/")} | ({} if size is None else {"quotaSize": size})
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)


def test_when_storage_is_full_the_runtime_goes_before_any_chat(page: Page, app: Serve) -> None:
    chat = Chat(page, app.url)
    chat.page.goto(chat.url + EMPTY)
    limit(chat.page, chat.url, 60 * 10**6)
    chat.open()
    chat.page.wait_for_selector("html[data-shell=offline-ready]", state="attached")
    chat.page.evaluate(KEEP)
    before = chat.page.evaluate(CACHED)
    chat.page.evaluate(FILL)
    chat.send("Tell me").until_seq(5)
    after = chat.page.evaluate(CACHED)
    gone = {str(Path(path).parent) for path in set(before) - set(after)}
    assert gone == {"/engine/pyodide", "/pyscript"}  # wheels are not kept offline
    assert chat.page.evaluate(FOLDERS) == ["another's"]
    assert {"/index.html", "/engine.html", "/screen/main.js"} <= set(after)
    expect(chat.page.locator("[data-part=notice]")).to_be_hidden()
    assert len(dump(chat.page)["journal"]) > 0
    chat.page.context.set_offline(True)
    chat.reload()
    assert len(words(chat.until_painted())) > 1, "it still opens without a network"


def test_what_cannot_be_saved_is_shown_and_saved_later(browser: Browser, app: Serve, answer_file: Path) -> None:
    context = browser.new_context(service_workers="block")  # nothing to be dropped
    context.set_default_timeout(PATIENCE_MS)
    chat = Chat(context.new_page(), app.url)
    chat.page.goto(chat.url + EMPTY)
    limit(chat.page, chat.url, 2 * 10**6)
    chat.open().send("Tell me").until_seq(5)
    chat.page.evaluate(FILL)
    notice(chat, "storage is full")
    chat.until(
        """() => {
             const { seq, saved } = document.querySelector('article:last-of-type').dataset;
             return Number(seq) > Number(saved) + 5;
           }"""
    )
    limit(chat.page, chat.url, None)
    notice(chat, "Saving works again")
    chat.until_ended()
    assert score(answer_file.read_text(), chat.text()).lost == []
    chat.reload()
    chat.until_ready().until_ended()
    assert score(answer_file.read_text(), chat.text()).lost == []
    context.close()


# Foreign and damaged records


LATER = {name: value for name, value in ANSWER.items() if name != "question"}  # to the one before
DAMAGE: list[list[Any]] = [
    ["conversations", {"id": "c2"}],
    ["conversations", {"id": "c3", "title": {"a": 1}, "updated": "late", "created": None}],
    ["messages", {"id": "m1"}],
    ["messages", QUESTION | {"id": "m2", "text": None, "position": 5}],
    ["messages", ANSWER | {"id": "m3", "author": "root", "position": 6}],
    ["messages", QUESTION | {"id": "u4", "position": 7}],
    ["messages", LATER | {"id": "m4", "position": 8, "state": "streaming", "runs": "none"}],
    ["messages", QUESTION | {"id": "u5", "position": 9}],
    ["messages", LATER | {"id": "m5", "position": 10, "error": 5, "seconds": "long"}],
    ["journal", {"message": "m4", "n": 1}],
    ["journal", whole("m5", "Its ops are *damaged*.")[1] | {"ops": [None, [0, 0, "script"]]}],
]


def test_damaged_and_foreign_records_leave_the_others(chat: Chat) -> None:
    c = "c-damaged"
    store(chat, of(c, STORED + DAMAGE))
    # What JSON cannot hold: another app's records, under a name of ours.
    chat.page.evaluate(
        """async (conversation) => {
             const request = indexedDB.open('midstream');
             await new Promise((resolve) => (request.onsuccess = resolve));
             const loop = { id: 'm6', conversation, position: 11, state: 'sending', big: 10n };
             loop.self = loop;
             const transaction = request.result.transaction(['messages', 'conversations'], 'readwrite');
             transaction.objectStore('messages').put(loop);
             transaction.objectStore('conversations').put({ id: 'c9', self: loop });
             await new Promise((resolve) => (transaction.oncomplete = resolve));
             request.result.close();
           }""",
        c,
    )
    chat.page.goto(f"{chat.url}?c={c}")
    chat.until_ready()
    notice(chat, "damaged")
    expect(content(chat.page, "a1")).to_contain_text("Twice a day the sea rises.")
    expect(content(chat.page, "m5")).to_contain_text("Its ops are damaged.")
    state_is(chat.page, "m4", "interrupted")
    assert chat.page.locator("article").evaluate_all(
        "articles => articles.map(article => article.dataset.message)"
    ) == ["u1", "a1", "u4", "m4", "u5", "m5"]


# Everything as a file


def test_everything_as_a_file_and_back(browser: Browser, chat: Chat, tmp_path: Path) -> None:
    other_one = CONVERSATION | {"id": "c-other", "title": "Другое", "updated": 1}
    stopped = ["messages", ANSWER | {"id": "a2", "position": 2, "state": "stopped"}]
    entries = [*STORED, stopped, whole("a2", "It *stops*"), ["conversations", other_one]]
    store(chat, of("c-file", entries))
    chat.page.goto(chat.url + "?c=c-file")
    chat.until_ready()
    state_is(chat.page, "a2", "stopped")
    with chat.page.expect_download() as saved:
        chat.page.click("button[name=export]")
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    shown = chat.page.locator("article").all_inner_texts()

    empty = browser.new_context()
    empty.set_default_timeout(PATIENCE_MS)
    other = Chat(empty.new_page(), chat.url).open()
    for _ in range(2):  # a second time adds nothing
        other.page.set_input_files("input[name=file]", file)
        link = other.page.locator("nav [data-conversation=c-file]")
        expect(link).to_have_text("Tides", timeout=PATIENCE_MS)
    link.click()
    expect(content(other.page, "a2").locator("em")).to_have_text("stops")  # drawn for the first time
    assert other.page.locator("article").all_inner_texts() == shown
    other.reload()
    other.until_ready()
    assert other.page.locator("article").all_inner_texts() == shown
    file.write_text(file.read_text()[:-9])
    other.page.set_input_files("input[name=file]", file)
    notice(other, "does not hold saved conversations")
    titles = {one["id"]: one["title"] for one in dump(other.page)["conversations"]}
    assert titles == {"c-file": "Tides", "c-other": "Другое"}
    empty.close()


def test_a_record_that_the_browser_cannot_read_leaves_the_others(
    playwright: Playwright, chromium_path: str | None, app: Serve, tmp_path: Path
) -> None:
    """Chromium keeps large values in files of their own; one that is gone fails all that are read with it."""

    def profile() -> BrowserContext:
        context = playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=chromium_path, args=QUICK, service_workers="block"
        )
        context.set_default_timeout(PATIENCE_MS)
        return context

    noise = random.Random(1).randbytes(200_000).hex()  # a text of words would be compressed
    large = [
        ["messages", QUESTION | {"id": "u9", "position": 5, "text": noise}],
        ["journal", whole("a1", "")[1] | {"text": noise}],
    ]
    context = profile()
    store(Chat(context.pages[0], app.url), of("c-large", STORED[:3] + large))
    context.close()
    files = [path for path in tmp_path.rglob("*.indexeddb.blob/**/*") if path.is_file()]
    assert len(files) == 2
    for file in files:
        file.unlink()
    context = profile()
    chat = Chat(context.pages[0], app.url)
    chat.page.goto(f"{app.url}?c=c-large")
    chat.until_ready()
    notice(chat, "message u9")
    expect(content(chat.page, "u1")).to_have_text("How do tides work?")
    state_is(chat.page, "a1", "complete")
    context.close()
