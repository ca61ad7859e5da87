"""What goes wrong is said in the page's language, whoever has found it: engine, gateway, service worker or browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from midstream import sse
from midstream.problems import problem
from midstream.providers import openai
from tests.browser.chat import Chat
from tests.browser.home import Home
from tests.browser.screen_support import Screen, answer, asked
from tests.browser.together import together
from tests.support.processes import free_port, serve
from tests.support.servers.scripted import Scripted

NOBODY = "http://model.invalid/v1"
REFUSED = "Incorrect API key provided: sk-none"
FOREIGN = "The model `huge` does not exist"
# Latin words are no English where they are names and quotes.
QUOTES = re.compile(r"«[^»]*»|„[^”]*”|“[^”]*”")
ENGLISH = re.compile(r"[A-Za-z]+(?:\s+[A-Za-z]+){2,}")
OTHER = {"ru": "pl", "pl": "ru"}


def catalogue(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((together() / "i18n" / f"{language}.json").read_text())
    return found


def words(language: str, key: str, **values: object) -> str:
    text: str = catalogue(language)[key]
    return text.format(**values)


def said(language: str, code: str, quote: str = "", **values: object) -> str:
    line = words(language, f"problem.{code}", **values)
    isolated = f"\u2068{quote}\u2069"
    return words(language, "problem.quote", line=line, quote=isolated) if quote else line


def assert_not_english(language: str, line: str) -> None:
    rest = QUOTES.sub("", line)
    if language == "ru":  # in Polish Latin words are words
        assert not ENGLISH.search(rest), line
    english = [entry for entry in catalogue("en").values() if isinstance(entry, str)]
    sentences = {part for entry in english for part in entry.split(". ") if part.count(" ") > 2}
    assert not [part for part in sentences if part in rest], line


class Desk:
    """The built app in a language, and endpoints that the person adds."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.page = chat.page

    def speak(self, language: str) -> None:
        """As a person does it."""
        self.page.click("button[name=settings]")
        self.page.select_option("select[name=language]", language)
        expect(self.page.locator("html")).to_have_attribute("lang", language)
        self.page.keyboard.press("Escape")

    def add(self, name: str, url: str) -> None:
        self.page.click("button[name=settings]")
        form = self.page.locator("[data-part=endpoints] details")
        if form.get_attribute("open") is None:
            form.locator("summary").click()
        for field, value in (("name", name), ("url", url), ("model", "m")):
            self.page.fill(f"input[name=endpoint-{field}]", value)
        self.page.click("button[name=endpoint-add]")
        expect(self.page.locator("[data-part=endpoint]")).to_have_text(f"m, {name}")
        self.page.keyboard.press("Escape")

    def ask(self) -> None:
        """In a conversation of its own."""
        self.page.click("button[name=new]")
        self.chat.send("Hello")

    def line(self) -> str:
        return self.chat.answer.locator("[data-part=status]").inner_text()

    def failed(self, *states: str) -> str:
        self.chat.until_state(*(states or ("failed",)))
        return self.line()


@pytest.fixture
def model() -> Iterator[Scripted]:
    with Scripted() as running:
        yield running


@pytest.mark.parametrize("language", ["ru", "pl"])
def test_no_english_reaches_a_reader_of_another_language(
    home: Home, model: Scripted, tmp_path: Path, language: str
) -> None:
    base = model.url.removesuffix("/chat/completions")
    with home.serve("--upstream", NOBODY, "--store", f"sqlite:{tmp_path}/log") as app:
        desk = Desk(Chat(home.context.new_page(), app.url).open())
        desk.speak(language)

        # The gateway cannot find its model's server, and says so while it is asked again.
        desk.ask()
        status = desk.chat.answer.locator("[data-part=status]")
        expect(status).to_contain_text(said(language, "upstream_name", host="model.invalid"))
        assert_not_english(language, desk.line())
        desk.page.click("button[name=stop]")

        model.status, model.headers = 401, {"Content-Type": "application/json"}
        desk.add("Mine", base)
        desk.ask()
        model.call(1).send(json.dumps({"error": {"message": REFUSED}}).encode()).end()
        line = desk.failed()
        assert line == said(language, "endpoint_key", REFUSED, status=401)
        assert_not_english(language, line)

        model.status = 404
        desk.ask()
        model.call(2).send(json.dumps({"error": {"message": FOREIGN}}).encode()).end()
        assert desk.failed() == said(language, "endpoint_unknown", FOREIGN, status=404)

        model.status, model.headers = 200, {"Content-Type": "text/event-stream"}
        desk.ask()
        call = model.call(3)
        call.send(sse.encode(openai.chunk("r", "m", content="Some ")))
        desk.chat.until_seq(1)
        call.die()
        line = desk.failed("interrupted")
        assert line.endswith(said(language, "connection_broke"))
        assert_not_english(language, line)
        cut = desk.page.url

        closed = f"127.0.0.1:{free_port()}"
        desk.add("Closed", f"http://{closed}/v1")
        desk.ask()
        line = desk.failed()
        assert said(language, "unreachable", host=closed) in line
        assert_not_english(language, line)

        wrong = tmp_path / "wrong.json"
        wrong.write_text('{"this": "is something else"}')
        desk.page.set_input_files("input[name=file]", wrong)
        notice = desk.page.locator("[data-part=notice] span")
        unknown = said(language, "import_unknown")
        expect(notice).to_have_text(words(language, "notice.import-failed", detail=unknown))
        assert_not_english(language, notice.inner_text())

        # What was stored in one language is said in the next one.
        desk.speak(OTHER[language])
        assert desk.line() == line.replace(
            said(language, "unreachable", host=closed),
            said(OTHER[language], "unreachable", host=closed),
        ).replace(unsure(language), unsure(OTHER[language]))
        desk.page.goto(cut)
        desk.chat.until_ready()
        assert desk.line().endswith(said(OTHER[language], "connection_broke"))


def unsure(language: str) -> str:
    return words(language, "status.unsure", line="")


def test_a_gateway_that_does_not_take_the_page_says_so_in_its_language(
    home: Home, model: Scripted, tmp_path: Path
) -> None:
    """The Test button: an answer of a gateway of ours is said in our words, that of another server is quoted."""
    options = ("--store", "memory:", "--dist", str(home.dist))
    with (
        serve("--upstream", NOBODY, "--allow-origin", home.url.rstrip("/"), *options) as far,
        home.serve("--model", "demo", "--store", f"sqlite:{tmp_path}/log") as app,
    ):
        desk = Desk(Chat(home.context.new_page(), app.url).open())
        desk.speak("ru")
        desk.page.click("button[name=settings]")
        desk.page.locator("[data-part=endpoints] details > summary").click()
        tested = desk.page.locator("[data-part=tested]")
        desk.page.fill("input[name=endpoint-url]", f"{far.url}v1")
        desk.page.click("button[name=endpoint-test]")
        expect(tested).to_contain_text(said("ru", "upstream_name", host="model.invalid"))
        assert_not_english("ru", tested.inner_text())

        closed = f"127.0.0.1:{free_port()}"
        desk.page.fill("input[name=endpoint-url]", f"http://{closed}/v1")
        desk.page.click("button[name=endpoint-test]")
        expect(tested).to_contain_text(words("ru", "settings.test.nobody", host=closed))
        link = tested.locator("a")
        expect(link).to_have_attribute("href", f"http://{closed}/v1/models")
        expect(link).to_have_attribute("rel", "noreferrer")
        expect(link).to_have_attribute("target", "_blank")
        expect(link).to_contain_text(closed)
        assert_not_english("ru", tested.inner_text())


# -- the screen alone; what is said of which code: tests/node/problem.test.js


def failure(**said: Any) -> dict[str, Any]:
    return {"error": {"message": "It came in English.", "hint": "Do this.", **said}}


def test_a_quote_does_not_turn_the_sentence_round(screen: Screen) -> None:
    screen.goto().ready()
    quote = "\u202eخطأ\n\u2069 401"
    screen.conversation(
        asked(),
        answer("failed", **failure(problem={"code": "endpoint_error", "quote": quote})),
    )
    line = "The endpoint reported an error. Message: “\u2068�خطأ � 401\u2069”"
    expect(screen.line()).to_have_text(line)


def test_what_is_wrong_with_each_part_of_a_file_is_said(screen: Screen) -> None:
    screen.goto().ready()
    bad = problem("in_message", number=3, parts=[problem("unusable_form", field="text")])
    parts = [problem("in_conversation", number=1, parts=[bad]), problem("import_more", n=2)]
    why = problem("import_some", n=1, parts=parts)
    told = {"detail": why.line(), "problem": why.record()}
    screen.post({"type": "notice", "code": "import-failed", "level": "error", **told})
    expect(screen.part("notice")).to_contain_text(
        "1 conversation was added. Not usable: conversation 1: message 3: “text” cannot be read; and 2 more."
    )


def test_why_an_engine_did_not_start_is_said(screen: Screen) -> None:
    screen.goto()
    screen.intent("network")
    screen.aside(type="engine", state="failed", code="worker", detail="the worker stopped")
    expect(screen.part("engine")).to_contain_text("did not start (Python stopped)")
    screen.aside(type="engine", state="failed", code="error", detail="no memory")
    expect(screen.part("engine")).to_contain_text("did not start (error: “no memory”)")


def test_an_archive_that_cannot_be_read_is_said(screen: Screen, tmp_path: Path) -> None:
    file = tmp_path / "export.zip"
    file.write_bytes(b"no archive")
    screen.goto().ready()
    screen.page.locator("input[name=file]").set_input_files(file)
    expect(screen.part("notice")).to_contain_text(words("en", "problem.archive_none"))
