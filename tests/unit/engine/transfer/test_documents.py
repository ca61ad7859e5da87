"""One conversation as a file: Markdown, a web page that can do nothing, and the archive's own form."""

from __future__ import annotations

import asyncio
import json
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.engine.transfer import importer, webpage
from midstream.engine.transfer.documents import LABELS, conversation_name
from midstream.engine.transfer.transfers import Transfers
from midstream.engine.transfer.webpage import html_of, web_page
from midstream.journal import Change, MemoryStore, Row

TEXT = "# Ebb\n\n*low* <script>alert(1)</script>\n\n![the moon](https://moon.example/a.png)\n\n- [x] done\n"


async def filled() -> MemoryStore:
    store, change = MemoryStore(), Change()
    change.put("conversations", {"id": "c1", "title": "Tides <&> more", "created": 1, "updated": 2})
    change.put("conversations", {"id": "c2", "title": "Other", "created": 1, "updated": 2})
    common = {"conversation": "c1", "created": 1, "runs": []}
    question = {
        "id": "u1",
        "position": 0,
        "author": "user",
        "text": "How?\n<b>",
        "state": "complete",
    }
    change.put("messages", common | question)
    change.put("messages", common | question | {"id": "u2", "position": 2, "text": "And then?"})
    for position, key, state in ((1, "a1", "complete"), (3, "a2", "streaming")):
        reply = {"id": key, "position": position, "author": "assistant", "state": state}
        run = {"key": "k", "run": None, "endpoint": {"name": "x", "kind": "demo"}}
        change.put("messages", common | reply | {"runs": [run]})
        row = Row(key, 1, 0, 1, 3, TEXT if key == "a1" else "half", reasoning="<i>hm", tokens=3)
        change.put("journal", row.record())
    await store.commit(change)
    return store


def exported(format: str, **more: Any) -> dict[str, Any]:
    posted: list[dict[str, Any]] = []

    async def scenario() -> None:
        host = SimpleNamespace(store=await filled(), post=posted.append, now=lambda: 0.0)
        nobody = SimpleNamespace(get=lambda message: None)  # writes an answer
        copies = Transfers(host, nobody)  # type: ignore[arg-type]
        await copies.export({"conversation": "c1", "format": format, **more})

    asyncio.run(scenario())
    return posted[-1]


class Seen(HTMLParser):
    """Tags and addresses of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("style", "srcset", "action"), name
            if name in ("href", "src"):
                assert value and value.startswith(("https://", "http://", "mailto:"))
                self.addresses.append(value)


FETCHING = {
    "script",
    "img",
    "iframe",
    "object",
    "embed",
    "link",
    "form",
    "base",
    "svg",
    "video",
    "button",
}


def test_as_markdown() -> None:
    message = exported("markdown", words={"user": "Ty", "assistant": 5, "nonsense": "x"})
    assert (message["name"], message["mime"]) == ("tides-more.md", "text/markdown")
    text = message["text"]
    assert text.startswith("# Tides <&> more\n\n## Ty\n\nHow?\n<b>\n\n## 5\n\n# Ebb\n")
    assert TEXT.strip() in text
    assert "<!-- partial, 3 tokens," in text


def test_as_a_web_page() -> None:
    message = exported("html")
    assert (message["name"], message["mime"]) == ("tides-more.html", "text/html")
    page = message["text"]
    seen = Seen(page)
    assert not FETCHING & set(seen.tags)
    assert "default-src 'none'" in page
    assert "&lt;script&gt;" in page and "How?\n&lt;b&gt;" in page and "&lt;i&gt;hm" in page
    assert "<title>Tides &lt;&amp;&gt; more</title>" in page
    assert seen.addresses == ["https://moon.example/a.png"]
    assert '<h1 dir="auto">Ebb</h1>' in page and "<em>low</em>" in page
    assert page.count(LABELS["partial"].replace("{n}", "3")) == 1


def test_as_json_it_is_loaded_again() -> None:
    message = exported("json")
    assert message["name"] == "tides-more.json"
    data = json.loads(message["text"])
    assert [one["id"] for one in data["conversations"]] == ["c1"]
    assert asyncio.run(importer.add_all(MemoryStore(), data)) == 1


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="no format"):
        exported("pdf")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc-passwd.md"),
        ("", "conversation.md"),
        ("潮の満ち引き?", "潮の満ち引き.md"),
        ("CON:\\x\0", "con-x.md"),
        ("a" * 500, "a" * 60 + ".md"),
    ],
)
def test_a_title_is_no_path(title: str, name: str) -> None:
    assert conversation_name({"title": title}, "md") == name


def test_each_block_has_its_own_direction_and_code_has_none() -> None:
    html = asyncio.run(webpage.html_of("# مد\n\n- one\n\n```\nمد\n```\n"))
    assert '<h1 dir="auto">' in html and '<ul data-tight="" dir="auto">' in html
    assert "<pre><code>" in html


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("<>&\"'`*_[]()!:/ajs#-\n\\hrefonclick=scpt"), max_size=200))
def test_no_text_gets_out_of_the_page(source: str) -> None:
    assert not FETCHING & set(Seen(asyncio.run(webpage.html_of(source))).tags)


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("a\u202eb\u200b", "a\ufffdb\ufffd"),
        ("`x\u2066y`", "<code>x\ufffdy</code>"),
        ("name \u2068x\u2069", "name \u2068x\u2069"),
        ("[bank](https://user:secret@evil.example/a)", '<a href="https://evil.example/a" data-host="evil.example">'),
        ("<https://good.example/a>", '<a href="https://good.example/a">'),
        ("[good.example](https://good.example/a)", '<a href="https://good.example/a">'),
        ("[good.example](https://evil.example)", ' data-host="evil.example">'),
        ("[\u0430pple.com](https://\u0430pple.com)", ' data-host="xn--pple-43d.com">'),
        ("<https://good.example\u2044@evil.example>", ' data-host="evil.example">'),
        ("[https://a.example\uff0fb](https://a.example)", ' data-host="a.example">'),
        ("![pixel](https://evil.example/p.png)", ' data-host="evil.example">'),
        ("<me@b.example>", '<a href="mailto:me@b.example">'),
    ],
)
def test_a_saved_page_hides_nothing(source: str, html: str) -> None:
    assert html in asyncio.run(html_of(source))


def test_a_question_and_a_thought_in_a_saved_page_hide_nothing() -> None:
    async def scenario() -> str:
        store = MemoryStore()
        turns = [
            {"id": "u", "author": "user", "text": "q\u202e"},
            {"id": "a", "author": "assistant", "question": "u", "text": "x", "reasoning": "t\U000e0041"},
        ]
        listed = [{"id": "c", "title": "n\u2062", "messages": turns}]
        await importer.add_all(store, {"format": "midstream", "version": 1, "conversations": listed})
        (conversation,) = await store.conversations()
        return await web_page(store, conversation, LABELS)

    page = asyncio.run(scenario())
    assert all(each in page for each in ("q\ufffd", "t\ufffd\ufffd", "n\ufffd"))
