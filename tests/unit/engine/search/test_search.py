"""The search: which conversations hold all words, and what is shown of them."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.engine.search import search
from midstream.engine.search.folding import AFTER, BEFORE, MOST, fold, marked, snippet, spans
from midstream.engine.search.search import terms_of
from midstream.errors import StoreError
from midstream.journal import Change, MemoryStore, Row
from tests.unit.engine.support import Locks, Page, new_page, until


async def talk(store: MemoryStore, key: str, title: str, *turns: str, updated: int = 1, **more: Any) -> None:
    """A conversation: questions and answers in turn; an answer lies in two rows."""
    change = Change()
    record = {"id": key, "title": title, "created": 1, "updated": updated, **more}
    change.put("conversations", record)
    for n, words in enumerate(turns):
        common = {"id": f"{key}-{n}", "conversation": key, "position": n, "created": 1, "runs": []}
        if n % 2 == 0:
            said = {"author": "user", "text": words, "state": "complete"}
            change.put("messages", common | said)
            continue
        change.put("messages", common | {"author": "assistant", "state": "complete"})
        half = len(words) // 2
        change.put("journal", Row(f"{key}-{n}", 1, 0, 1, 1, words[:half]).record())
        change.put("journal", Row(f"{key}-{n}", 2, 0, 2, 2, words[half:]).record())
    await store.commit(change)


async def look(page: Page, text: str) -> dict[str, Any]:
    n = len(page.messages)
    await page.engine.handle({"type": "search", "text": text, "n": n})
    ended = ("done", "failed")
    await until(lambda: any(m["type"] == "found" and m["n"] == n and any(map(m.get, ended)) for m in page.messages))
    return [m for m in page.messages if m["type"] == "found"][-1]


def plain(parts: list[tuple[str, bool]]) -> str:
    """With the marked words in brackets."""
    return "".join(f"[{words}]" if hit else words for words, hit in parts)


def found(text: str) -> list[tuple[str, str, str]]:
    """(id, message, snippet) of every result."""

    async def scenario() -> list[tuple[str, str, str]]:
        store = MemoryStore()
        await talk(
            store,
            "tides",
            "Why the sea rises",
            "How do *tides* work?",
            "The moon pulls the water.",
            updated=5,
        )
        await talk(
            store,
            "lodz",
            "Podróże",
            "Co zobaczyć?",
            "W mieście Łódź jest ulica Piotrkowska.",
            updated=9,
        )
        await talk(store, "moon", "Moon", "Nothing here", "Nor here: Ёлка", updated=7)
        await talk(store, "gone", "The moon, deleted", "moon", "moon", updated=8, deleted=5)
        page = await new_page(store, Locks())
        result = await look(page, text)
        return [(one["id"], one["message"], plain(one["snippet"])) for one in result["items"]]

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("moon", [("moon", "", ""), ("tides", "tides-1", "The [moon] pulls the water.")]),
        ("MOON water", [("tides", "tides-1", "The [moon] pulls the [water].")]),
        ("sea tides moon", [("tides", "tides-0", "How do [tides] work?")]),  # over title and messages
        ("lodz", [("lodz", "lodz-1", "W mieście [Łódź] jest ulica Piotrkowska.")]),
        ("ZOBACZYC łodz", [("lodz", "lodz-0", "Co [zobaczyć]?")]),
        ("елка", [("moon", "moon-1", "Nor here: [Ёлка]")]),
        ("pulls the wat", [("tides", "tides-1", "[The] moon [pulls] [the] [wat]er.")]),
        ("moon nowhere", []),
        ("deleted", []),
    ],
)  # fmt: skip
def test_what_is_found(text: str, wanted: list[tuple[str, str, str]]) -> None:
    assert found(text) == wanted


def test_a_word_across_two_rows_is_found() -> None:
    words = "abcdefgh"
    assert found("pulls the water")[0][0] == "tides"

    async def scenario() -> None:
        store = MemoryStore()
        await talk(store, "c", "", "?", words)
        page = await new_page(store, Locks())
        assert [one["id"] for one in (await look(page, words))["items"]] == ["c"]

    asyncio.run(scenario())


def test_titles_are_marked_and_results_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "RESULTS", 3)

    async def scenario() -> None:
        store = MemoryStore()
        for n in range(5):
            await talk(store, f"c{n}", f"Wind {n}", "?", "!", updated=n)
        page = await new_page(store, Locks())
        result = await look(page, "wind")
        assert [one["id"] for one in result["items"]] == ["c4", "c3", "c2"]
        assert result["more"] is True
        assert plain(result["items"][0]["title"]) == "[Wind] 4"
        assert (await look(page, "wind 3"))["more"] is False

    asyncio.run(scenario())


def test_the_next_search_ends_the_one_before() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        await talk(store, "c", "Wind", *["word"] * 200)
        page = await new_page(store, Locks())
        await page.engine.handle({"type": "search", "text": "word", "n": 1})
        await page.engine.handle({"type": "search", "text": "", "n": 2})
        await look(page, "wind")
        assert len([m for m in page.messages if m.get("done")]) == 1

    asyncio.run(scenario())


def test_titles_and_questions_come_first() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        await talk(store, "early", "Wind", "?", "calm", updated=1)
        await talk(store, "late", "", "?", "the wind", updated=2)
        page = await new_page(store, Locks())
        await look(page, "wind")
        posted = [m for m in page.messages if m["type"] == "found"]
        ids = [[item["id"] for item in message["items"]] for message in posted]
        assert ids == [["early"], ["late", "early"]]

    asyncio.run(scenario())


@pytest.mark.parametrize("limit", [0, 2**20])
def test_an_answer_that_is_continued_is_read_again(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(search, "FOLDED_CHARACTERS", limit)
    monkeypatch.setattr(search, "FEW", 2)

    async def scenario() -> None:
        store = MemoryStore()
        for n in range(5):
            await talk(store, f"c{n}", "", "?", f"calm {n}", updated=n)
        page = await new_page(store, Locks())
        read: list[str] = []
        inner = store.read_all

        def read_all(name: str, fields: Any) -> Any:
            read.append(name)
            return inner(name, fields)

        monkeypatch.setattr(store, "read_all", read_all)
        assert len((await look(page, "calm"))["items"]) == 5
        assert len((await look(page, "calm 3"))["items"]) == 1
        assert read.count("journal") == (1 if limit else 2)
        message = store._stores["messages"]["c3-1"]
        await store.commit(
            Change()
            .put("messages", message | {"tokens": 7})
            .put("journal", Row("c3-1", 3, 0, 3, 3, " and storm").record())
        )
        assert [one["id"] for one in (await look(page, "storm"))["items"]] == ["c3"]
        await store.commit(Change().drop("messages", "c3-1"))
        assert (await look(page, "storm"))["items"] == []

    asyncio.run(scenario())


def test_what_only_the_server_has_is_found_by_its_title() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        page.engine._view.gateway_items = [{"id": "far", "title": "Far away", "updated": 1, "server": True}]
        assert [one["id"] for one in (await look(page, "away"))["items"]] == ["far"]

    asyncio.run(scenario())


def test_a_store_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())

        def fail(*_: object) -> None:
            raise StoreError("Could not read what is saved.")

        monkeypatch.setattr(store, "read_all", fail)
        assert "Could not read" in (await look(page, "x"))["failed"]

    asyncio.run(scenario())


def test_odd_records_are_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        await talk(store, "c", "Wind", "?", "calm")
        page = await new_page(store, Locks())
        store._stores["messages"]["odd"] = {"id": "odd", "conversation": 5, "text": {"a": 1}}
        store._stores["messages"]["odd2"] = {
            "id": "odd2",
            "conversation": "c",
            "text": 7,
            "position": "x",
        }
        store._stores["journal"]["odd", 1] = {"message": "odd", "n": 1, "text": None}
        monkeypatch.setattr(search, "FEW", 0)  # so the journal is read as a whole
        assert [one["id"] for one in (await look(page, "calm"))["items"]] == ["c"]

    asyncio.run(scenario())


letters = st.text(alphabet=st.sampled_from("aAéÉ\u0435ёЁŁłßﬁİ\u0131Σςあが각\u0301 \n*x"), max_size=600)


@settings(deadline=None, max_examples=300)
@given(letters, letters)
def test_folds_join(a: str, b: str) -> None:
    assert fold(a) + fold(b) == fold(a + b)


@settings(deadline=None, max_examples=300)
@given(letters, letters, letters)
def test_a_span_is_of_whole_characters(before: str, words: str, after: str) -> None:
    text = before + words + after
    for word in terms_of(words):
        places = [match.span() for match in re.finditer(re.escape(word), fold(text))][:MOST]
        for (start, end), (first, last) in zip(spans(text, [word]), places, strict=True):
            assert len(fold(text[:start])) <= first < len(fold(text[: start + 1]))
            assert len(fold(text[:end].rstrip("\u0301")[:-1])) < last <= len(fold(text[:end]))
            assert end == len(text) or fold(text[end])  # no accent is left behind


@pytest.mark.parametrize(
    ("text", "asked", "spellings"),
    [
        ("W Łódź, ŁÓDŹ, lodz, lód.", "LODZ", ["Łódź", "ŁÓDŹ", "lodz"]),
        ("Die Straße, STRASSE, Strase.", "strasse", ["Straße", "STRASSE"]),
        ("Die Straße", "s", ["S", "ß", "ß"]),
        ("Đorđe, dorde, Dore.", "đORDE", ["Đorđe", "dorde"]),
        ("हिन्दी, हनद", "हिन्दी", ["हिन्दी"]),
        ("A mo\u0301on, Moon\u0301.", "moon", ["mo\u0301on", "Moon\u0301"]),
        ("각하, 각", "각하", ["각하"]),
        ("The ﬁn, **low** tide", "fin low", ["ﬁn", "low"]),
        ("a" * 2 * MOST, "a", ["a"] * MOST),
    ],
)  # fmt: skip
def test_the_words_as_they_are_written(text: str, asked: str, spellings: list[str]) -> None:
    assert [text[start:end] for start, end in spans(text, terms_of(asked))] == spellings


def test_with_a_hit_come_the_spellings_of_its_message() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        await talk(store, "c", "Łódź", "Nic", "Łódź, łódź, Łódź i LODZ", "Lodź?", updated=1)
        await talk(store, "d", "Łódź", "?", updated=0)
        page = await new_page(store, Locks())
        items = (await look(page, "lodz"))["items"]
        assert [(one["message"], one["spellings"]) for one in items] == [
            ("c-1", ["LODZ", "Łódź", "łódź"]),
            ("", []),
        ]

    asyncio.run(scenario())


@settings(deadline=None, max_examples=300)
@given(letters, letters)
def test_marks_take_nothing_away(text: str, asked: str) -> None:
    words = terms_of(asked)
    parts = marked(text, words)
    assert "".join(words for words, _ in parts) == text
    assert words or not any(hit for _, hit in parts)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=3000), st.integers(0, 3000))
def test_a_snippet_is_short(text: str, at: int) -> None:
    shown = "".join(words for words, _ in snippet(text, min(at, len(text)), ["x"]))
    assert len(shown) <= BEFORE + AFTER + 4
    assert "\n" not in shown
