"""The page as the service worker sends it: the saved text before any script, and the screen that goes on with it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from midstream.gateway.http.policies import FRAMED, SCREEN_POLICY
from midstream.markdown import Parser
from tests.browser.screen_support import (
    HOLD_DATABASE,
    Ops,
    answer,
    asked,
    saved_rows,
)
from tests.browser.start.paint_support import GATE, Painted, many, painted
from tests.spec.corpora import payloads
from tests.streams.check import random_cuts

OPS = Ops()
FIRST = OPS.of(("h2", "Tides"), ("p", "Twice a day "))
SECOND = [[1, 2, "the sea rises."]]
LONG = Ops().of(*[("p", f"Paragraph {n}.") for n in range(120)])
ANSWERS = sorted((Path(__file__).parents[2] / "streams/answers").glob("*.md"))
MARKS = "performance.getEntriesByName('midstream:painted').length"


@pytest.fixture(scope="module")
def home(browser: Browser) -> Iterator[Painted]:
    """One installed app for the tests of this file."""
    with painted(browser) as page:
        yield page


@pytest.fixture
def page(home: Painted) -> Iterator[Painted]:
    """Nothing is stored, and nothing of an earlier test is left."""
    home.page.goto(home.site.url + "icons/icon.svg")
    home.page.evaluate(
        """async () => {
          localStorage.clear();
          sessionStorage.clear();
          await new Promise(done => (indexedDB.deleteDatabase('midstream').onsuccess = done));
        }"""
    )
    home.problems.clear()
    yield home
    assert home.problems == []


def rows_of(text: str, seed: int) -> list[list[list[Any]]]:
    """The patches of a text that came in random pieces, a row for every few of them."""
    parser, dice = Parser(), random.Random(seed)
    patches = [parser.feed(piece) for piece in random_cuts(text, seed, 40)] + [parser.finish()]
    rows: list[list[list[Any]]] = [[]]
    for ops in patches:
        rows[-1] += [list(op) for op in ops]
        if dice.random() < 0.2:
            rows.append([])
    return rows


# What is printed


def test_the_text_stands_there_without_any_script_of_the_screen(page: Painted) -> None:
    page.store(saved_rows(FIRST, SECOND)).see()
    expect(page.content()).to_have_text("TidesTwice a day the sea rises.")
    expect(page.content("u1")).to_have_text("How do tides work?")
    expect(page.article()).to_have_attribute("data-seq", "20")
    expect(page.article()).to_have_attribute("data-saved", "20")
    expect(page.line()).to_have_text("20 tokens saved here. Picking up the rest…")
    expect(page.page.get_by_role("heading", level=1)).to_have_text("Tides")
    expect(page.page.get_by_role("link", name="Tides")).to_have_attribute("aria-current", "page")
    expect(page.html).to_have_attribute("data-paint", "pending")
    assert page.page.evaluate(MARKS) == 1


def test_the_answer_has_the_policy_of_the_stored_page(page: Painted) -> None:
    page.store(saved_rows(FIRST))
    response = page.page.goto(page.site.url + "?c=c1")
    assert response is not None and response.from_service_worker
    assert response.headers["content-security-policy"] == f"{SCREEN_POLICY}; {FRAMED}"
    assert response.headers["content-type"] == "text/html"


@pytest.mark.parametrize("count", [1, 60])
def test_the_engine_comes_after_the_text_unless_that_is_long(page: Painted, count: int) -> None:
    page.store(many([[FIRST]] * count, state="complete"))
    response = page.page.goto(page.site.url + "?c=c1")
    assert response is not None and response.from_service_worker
    html = response.text()
    assert html.count('<iframe id="engine"') == 1
    last, first = html.rindex("</article>"), html.index("<article")
    at = html.index('<iframe id="engine"')
    assert at > last if count == 1 else at < first
    expect(page.page.locator("body > #engine")).to_be_attached()


def test_an_address_without_a_name_shows_the_newest(page: Painted) -> None:
    other = [["conversations", {"id": "c2", "title": "Newer", "created": 5, "updated": 9}]]
    question = {"id": "u9", "conversation": "c2", "position": 0, "author": "user"}
    other += [["messages", question | {"text": "Of the newer one", "state": "complete", "runs": []}]]
    page.store(saved_rows(FIRST, state="complete") + other)
    page.see("?c=c1").let_in()  # this tab and the pointer remember c1
    page.page.evaluate("dispatchEvent(new Event('pagehide'))")
    page.see("")
    expect(page.content("u9")).to_have_text("Of the newer one")
    page.let_in()
    expect(page.content("u9")).to_have_text("Of the newer one")
    expect(page.article()).to_have_count(0)
    assert page.page.url.endswith("?c=c2")
    assert page.intent("open")["conversation"] == "c2"


@pytest.mark.parametrize("query", ["?c=new", "?c=unknown", "?title=shared"])
def test_where_nothing_is_to_be_painted_the_page_waits_for_its_scripts(page: Painted, query: str) -> None:
    page.store(saved_rows(FIRST))
    page.goto(query)
    expect(page.part("composer")).to_be_attached()
    assert page.page.locator("article").count() == 0
    page.let_in()
    expect(page.part("empty")).to_be_visible()


def test_no_database_is_made(page: Painted) -> None:
    page.goto("?c=c1")
    expect(page.part("composer")).to_be_attached()
    names = page.page.evaluate("indexedDB.databases().then(all => all.map(({name}) => name))")
    assert "midstream" not in names


def test_a_database_that_is_held_does_not_hold_the_page(page: Painted) -> None:
    page.store(saved_rows(FIRST))
    holder = page.context.new_page()
    holder.goto(page.site.url + "icons/icon.svg")
    holder.evaluate(HOLD_DATABASE)
    page.goto("?c=c1")
    expect(page.part("endpoint")).to_be_attached()  # the page is whole
    assert page.page.locator("article").count() == 0
    holder.close()


# The same as the screen builds

EQUAL_JS = """
const { setCatalogue } = await import('../shared/i18n.js');
const { drawStatus, makeTurn, paintRows, statusOf, updateStatus } = await import('../shared/article.js');
const { readAll } = await import('../shared/stored_conversation.js');
setCatalogue('en', await (await fetch('i18n/en.json')).json());
const saved = await readAll('c1', []);
let answers = 0;
window.unequal = saved.turns.filter(({ turn: raw, rows }) => {
  const turn = makeTurn(document, raw, raw.author === 'assistant' ? ++answers : answers);
  updateStatus(turn, statusOf(raw));
  paintRows(turn, rows);
  drawStatus(turn, false);
  return !document.querySelector(`article[data-message="${raw.message}"]`)?.isEqualNode(turn.article);
}).map(({ turn }) => turn.message);
window.compared = saved.turns.length;
"""


def test_what_is_printed_is_what_the_screen_builds(browser: Browser) -> None:
    texts = [path.read_text(encoding="utf-8") for path in ANSWERS]
    answers = [rows_of(text, seed) for seed, text in enumerate(texts * 3)]
    with painted(browser, GATE + EQUAL_JS) as page:
        page.store(many(answers)).see()
        page.page.evaluate("letIn()")
        page.until("window.compared")
        assert page.page.evaluate("window.compared") == 2 * len(answers)
        assert page.page.evaluate("window.unequal") == []


def test_payloads_are_printed_as_text(page: Painted) -> None:
    texts = payloads()
    dice = random.Random(5)
    answers = [rows_of("\n\n".join(dice.sample(texts, 60)), seed) for seed in range(12)]
    page.page.add_init_script("window.alert = window.pwned = () => (window.broken = true)")
    page.store(many(answers)).see().let_in()
    assert page.page.evaluate("window.broken ?? null") is None
    assert strange(page) == []


def strange(page: Painted) -> list[str]:
    """What stands in the contents and is not in the vocabulary; or articles where none should be."""
    found: list[str] = page.page.evaluate(
        """async () => {
          const { TAGS } = await import('./shared/constants.js');
          const own = {a: ['target', 'rel', 'data-host', 'data-plain'], table: ['tabindex', 'aria-label'],
                       code: ['tabindex', 'role', 'aria-label', 'data-drawn', 'title'],
                       pre: ['role', 'aria-label', 'data-block'],
                       button: ['type', 'title', 'data-host', 'data-do', 'data-caption', 'aria-label',
                                'aria-pressed'],
                       input: ['aria-label']};
          const content = [...document.querySelectorAll(
            '[data-part=content] :not(code[data-drawn] > [data-part=formula])')].filter(({localName, attributes}) =>
            !TAGS[localName] || [...attributes].some(({name}) =>
              name !== 'dir' && !TAGS[localName].includes(name) && !own[localName]?.includes(name)));
          const outside = document.querySelectorAll(
            'body script:not([src]), object, embed, body meta, style, base');
          return [...content, ...outside].map(element => element.outerHTML.slice(0, 200));
        }"""
    )
    return found


TAGS = ["p", "ul", "li", "table", "thead", "tbody", "tr", "td", "th", "a", "button", "pre", "code"]
TAGS += [
    "em",
    "strong",
    "br",
    "hr",
    "input",
    "blockquote",
    "h1",
    "sup",
    "aside",
    "script",
    "iframe",
]
TEXTS = ["</div></article><script>window.broken=1</script>", "<!--", "x", "\r\n", "\0", "&lt;"]
TEXTS += ["</textarea></style>", "\ud83c", "<img src=x onerror=window.broken=1>", "]]>", "\n\n"]
VALUES = ["javascript:alert(1)", 'https://a.example/"><b>', "mailto:a@b", "", "9", "left", "</p>"]
NAMES = ["href", "title", "onclick", "data-src", "start", "align", "class", "id", "style", "type"]


def garbage(seed: int) -> list[list[Any]]:
    """Ops of the right form that no engine would write: any tag in any other, closed or not."""
    dice = random.Random(seed)
    ops: list[list[Any]] = []
    for node in range(1, 60):
        parent = dice.choice([0, max(0, node - 1), dice.randrange(node)])
        ops.append([0, parent, dice.choice(TAGS), node])
        ops.append([1, node, dice.choice(TEXTS)])
        ops.append([2, node, dice.choice(NAMES), dice.choice(VALUES)])
    dice.shuffle(ops[100:])
    return ops


def test_whatever_the_journal_holds_the_page_is_whole(page: Painted) -> None:
    # One row for each op: those before the first that cannot be meant are printed.
    answers: list[Any] = [[[op] for op in garbage(seed)] for seed in range(15)]
    answers += [
        [[op for op in garbage(seed) if op[0] != 2 and op[2] not in ("script", "iframe")]] for seed in range(15)
    ]
    answers += [
        [[[0, n, "p", n + 1] for n in range(3000)]],
        [[["x"], None]],
        [None],
        [[[1, 0, "x" * 300_000]]],
    ]
    page.store(many(answers, state="interrupted")).see()
    expect(page.part("endpoint")).to_be_attached()
    expect(page.page.locator("[data-part=transcript] > *")).to_have_count(2 * len(answers))
    assert strange(page) == []
    page.let_in()
    assert page.page.evaluate("window.broken ?? null") is None
    assert strange(page) == []
    expect(page.page.locator("[data-part=transcript] > *")).to_have_count(2 * len(answers))


# The screen goes on with it

SHOWN = {
    "an ended answer": many([[FIRST, SECOND]]),
    "a running answer": saved_rows(FIRST, SECOND),
    "two answers": many([[FIRST, SECOND], [LONG]]),
    "a queued question": saved_rows(state="queued"),
    "a failed one": many([[FIRST]], state="failed"),
}


@pytest.mark.parametrize("rows", SHOWN.values(), ids=SHOWN)
def test_nothing_moves_and_no_node_is_made_anew(page: Painted, rows: list[list[Any]]) -> None:
    page.store(rows).see()
    page.page.evaluate("watchNodes()")
    page.let_in()
    assert page.page.evaluate("changed") == []
    assert page.shifts() == []


# Every look at the clock is the end of a slice, however fast the machine.
CLOCK_JS = "let clock = 0; Performance.prototype.now = () => (clock += 30);"
# In which task an article was taken over.
TASKS_JS = """
let task = 0;
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => port2.postMessage((task += 1));
port1.start();
port2.onmessage = () => port1.postMessage(0);
window.watchTasks = () => {
  window.tasks = {};
  port1.onmessage();
  const seen = new MutationObserver(records => records.forEach(({target, oldValue, attributeName}) => {
    if (attributeName === 'data-message') tasks[target.dataset.message] ??= task;
  }));
  seen.observe(document.querySelector('[data-part=transcript]'), {attributes: true, subtree: true});
};
"""


def test_turns_are_taken_over_in_slices_the_newest_first(browser: Browser) -> None:
    with painted(browser) as page:
        page.page.add_init_script(CLOCK_JS + TASKS_JS)
        page.store(many([[FIRST, SECOND]] * 4)).see()
        page.page.evaluate("watchTasks()")
        page.let_in()
        tasks: dict[str, int] = page.page.evaluate("tasks")
        assert list(tasks) == [f"{author}{n}" for n in range(4, 0, -1) for author in "au"]
        assert len({tasks[f"a{n}"] for n in range(1, 5)}) == 4


def test_a_new_chat_that_was_asked_for_meanwhile_is_shown(page: Painted) -> None:
    page.store(many([[FIRST, SECOND]] * 4)).see()
    page.page.evaluate(
        """() => new MutationObserver((_, seen) => {
          seen.disconnect();
          document.querySelector('button[name=new]').click();
        }).observe(document.querySelector('[data-part=transcript]'), {attributes: true, subtree: true})"""
    )
    page.let_in()
    expect(page.part("empty")).to_be_visible()
    expect(page.page.locator("article")).to_have_count(0)
    expect(page.page).to_have_url(page.site.url + "?c=new")


def test_a_selection_and_what_was_typed_are_kept(page: Painted) -> None:
    page.store(many([[FIRST, SECOND], [LONG]]))
    page.page.evaluate(
        "localStorage.setItem('midstream.draft', JSON.stringify({texts: {c1: 'Half a thought'}, pending: []}))"
    )
    page.see()
    prompt = page.page.locator("textarea")
    expect(prompt).to_have_value("Half a thought")
    page.page.evaluate(
        """() => {
          window.heading = document.querySelector('[data-part=content] h2');
          getSelection().selectAllChildren(heading);
        }"""
    )
    prompt.evaluate("e => (e.value += ', and more')")
    page.let_in()
    expect(prompt).to_have_value("Half a thought, and more")
    assert page.page.evaluate("getSelection().toString()") == "Tides"
    assert page.page.evaluate("heading.isConnected")
    draft = "JSON.parse(localStorage.getItem('midstream.draft')).texts.c1"
    assert page.page.evaluate(draft) == "Half a thought, and more"


def test_the_answer_goes_on_in_the_printed_nodes(page: Painted) -> None:
    page.store(saved_rows(FIRST, SECOND)).see()
    page.page.evaluate("window.was = document.querySelector('[data-message=a1] p')")
    page.let_in()
    assert page.intent("open") == {"type": "open", "conversation": "c1", "painted": {"a1": 2}}
    page.ready()
    page.patch(3, [1, 2, " And falls."], [0, 0, "p", 3], [1, 3, "Thus."], seq=30)
    expect(page.content()).to_have_text("TidesTwice a day the sea rises. And falls.Thus.")
    assert page.page.evaluate("document.querySelector('[data-message=a1] p') === window.was")
    page.page.get_by_role("button", name="Copy").first.wait_for()


def test_what_another_tab_has_stored_meanwhile_comes_on_top(page: Painted) -> None:
    page.store(saved_rows(FIRST, SECOND)).see()
    page.page.evaluate("window.was = document.querySelector('[data-message=a1] p')")
    page.add(saved_rows(FIRST, SECOND, [[1, 2, " And falls."]])).let_in()
    expect(page.content()).to_have_text("TidesTwice a day the sea rises. And falls.")
    assert page.page.evaluate("document.querySelector('[data-message=a1] p') === window.was")
    assert page.intent("open")["painted"] == {"a1": 3}


def test_what_only_this_tab_knows_is_waited_for(page: Painted) -> None:
    page.store(saved_rows(FIRST))
    page.page.evaluate(
        """rows => rows.forEach(([store, row]) => sessionStorage.setItem(
             `midstream.tab/${store}/${row.id ?? JSON.stringify([row.message, row.n])}`, JSON.stringify(row)))""",
        saved_rows(FIRST, SECOND),
    )
    page.goto("?c=c1")
    expect(page.html).to_have_attribute("data-paint", "held")
    expect(page.article()).to_have_css("visibility", "hidden")
    page.let_in()
    expect(page.content()).to_have_text("TidesTwice a day the sea rises.")


def test_a_prompt_that_is_on_its_way_is_waited_for(page: Painted) -> None:
    page.store(saved_rows(FIRST, state="complete"))
    pending = {"conversation": "c1", "message": "u7", "text": "Why twice?"}
    page.page.evaluate(
        "pending => localStorage.setItem('midstream.draft', JSON.stringify({texts: {}, pending: [pending]}))",
        pending,
    )
    page.goto("?c=c1")
    expect(page.article()).to_have_css("visibility", "hidden")
    page.let_in()
    expect(page.content("u7")).to_be_visible()


# The place in the text


def test_the_end_is_shown(page: Painted) -> None:
    page.store(many([[LONG]])).see()
    assert page.below() < 2
    page.let_in()
    assert page.below() < 2
    assert page.shifts() == []


def test_the_place_of_before_the_reload_is_shown(page: Painted) -> None:
    page.store(many([[LONG]])).see().let_in()
    page.part("scroller").evaluate("e => e.scrollTop = 600")
    expect(page.part("pill")).to_be_visible()
    page.page.reload()
    expect(page.article()).to_be_visible()
    assert page.top() == 600
    page.let_in()
    assert page.top() == 600
    assert page.shifts() == []


def test_a_reader_who_has_moved_already_stays_there(page: Painted) -> None:
    page.store(many([[LONG]])).see()
    page.part("scroller").dispatch_event("wheel", {"deltaY": -100})
    page.part("scroller").evaluate("e => e.scrollTop = 300")
    page.let_in()
    assert page.top() == 300


def test_a_long_conversation_is_printed_from_its_end(page: Painted) -> None:
    answers = [[Ops().of(("p", f"Answer {n}"))] for n in range(60)]
    page.store(many(answers)).see()
    ids = "[...document.querySelectorAll('article')].map(article => article.dataset.message)"
    order = [f"{author}{n}" for n in range(1, 61) for author in "ua"]
    expect(page.page.locator("article")).to_have_count(120)
    assert page.page.evaluate(ids) == order[-12:] + order[:-12]
    tops = "[...document.querySelectorAll('article')].map(article => article.getBoundingClientRect().top)"
    shown = page.page.evaluate(tops)
    assert shown[12:] + shown[:12] == sorted(shown)
    assert page.below() < 2
    page.page.evaluate("window.last = document.querySelector('[data-message=a60]'); watchNodes()")
    page.let_in()
    assert page.page.evaluate(ids) == order
    assert page.page.evaluate("last === document.querySelector('[data-message=a60]')")
    assert page.below() < 2
    assert page.shifts() == []


def test_a_reload_that_began_before_the_new_conversation_had_its_name(page: Painted) -> None:
    """The reload goes to the address of before; the tab knows better."""
    page.store(saved_rows(FIRST, state="complete"))
    page.goto("?c=new")
    page.let_in()
    page.ready().conversation(asked(), answer("complete"))
    expect(page.article()).to_be_visible()
    page.page.evaluate("history.replaceState(null, '', '?c=new'); location.reload()")
    page.page.wait_for_event("load")
    page.until("window.letIn")
    page.let_in()
    expect(page.content()).to_contain_text("Twice a day")
    assert page.page.url.endswith("?c=c1")
