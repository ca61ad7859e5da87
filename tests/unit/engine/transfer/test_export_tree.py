"""Exports of ChatGPT and Open WebUI: all versions come in, whatever else the file says; what was read last is shown."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midstream.engine.store.rendering import branch_of
from midstream.engine.store.validation import sound_conversation, sound_message
from midstream.engine.transfer import export_tree, importer
from midstream.errors import UsageError
from midstream.journal import MemoryStore


def node(parent: str | None, role: str, *parts: Any, kind: str = "text", **more: Any) -> dict[str, Any]:
    content = {"content_type": kind, "parts": list(parts)}
    message = {"author": {"role": role}, "content": content, "create_time": 1700000000.5, **more}
    return {"id": "x", "parent": parent, "children": [], "message": message}


CHATGPT: list[dict[str, Any]] = [
    {
        "title": "Tides",
        "create_time": 1700000000.25,
        "update_time": 1700000100.0,
        "conversation_id": "6553f1c2-aaaa",
        "current_node": "a3",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["sys"]},
            "sys": node("root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
            "u1": node("sys", "user", "How do tides work?"),
            "a1": node("u1", "assistant", "An older *answer*."),
            "t1": {
                "parent": "u1",
                "message": {
                    "author": {"role": "assistant"},
                    "content": {"content_type": "thoughts", "thoughts": [{"content": "The moon."}]},
                },
            },
            "c1": node("t1", "assistant", "search()", recipient="web"),
            "tool": node("c1", "tool", "results"),
            "a2": node(
                "tool",
                "assistant",
                "The moon \ue200cite\ue202turn0search1\ue201pulls.",
                metadata={"model_slug": "gpt-x"},
            ),
            "u2": node(
                "a2",
                "user",
                {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"},
                "And this?",
                kind="multimodal_text",
            ),
            "a3": node("u2", "assistant", "A map.", status="in_progress"),
        },
    }
]

WEBUI = [
    {
        "id": "w1",
        "title": "Winds",
        "created_at": 1700000000,
        "updated_at": 1700000200,
        "pinned": True,
        "chat": {
            "history": {
                "currentId": "b2",
                "messages": {
                    "b0": {
                        "parentId": None,
                        "role": "user",
                        "content": "Why wind?",
                        "timestamp": 1700000001,
                    },
                    "b1": {"parentId": "b0", "role": "assistant", "content": "First try."},
                    "b2": {
                        "parentId": "b0",
                        "role": "assistant",
                        "model": "llama",
                        "content": '<details type="reasoning" done="true" duration="3">\n<summary>Thought for '
                        "3 seconds</summary>\n&gt; Pressure\n> differs.\n</details>\nPressure.",
                    },
                },
            }
        },
    }
]


def read(data: Any) -> tuple[MemoryStore, int]:
    store = MemoryStore()
    return store, asyncio.run(importer.add_all(store, data))


async def turns(store: MemoryStore, leaf: str | None = None) -> list[tuple[str, str, str, str]]:
    """What is shown, or the line of another message."""
    found = []
    for conversation in await store.conversations():
        for record, _ in await branch_of(store, conversation | ({"leaf": leaf} if leaf else {})):
            rows = await store.rows(record["id"])
            words = record.get("text") or "".join(row["text"] for row in rows)
            thought = "".join(row["reasoning"] for row in rows)
            found.append((record["author"], words, thought, record["state"]))
    return found


def test_chatgpt() -> None:
    store, added = read(CHATGPT)
    assert added == 1
    (record,) = asyncio.run(store.conversations())
    assert (record["title"], record["created"], record["updated"]) == (
        "Tides",
        1700000000250,
        1700000100000,
    )
    assert asyncio.run(turns(store)) == [
        ("user", "How do tides work?", "", "complete"),
        ("assistant", "The moon pulls.", "The moon.", "complete"),
        ("user", "[image]\n\nAnd this?", "", "complete"),
        ("assistant", "A map.", "", "interrupted"),
    ]
    every = asyncio.run(store.messages(record["id"]))
    assert [one["author"] for one in every] == ["user", *["assistant"] * 2, "user", "assistant"]
    assert every[1]["runs"][0]["endpoint"]["name"] == "ChatGPT"
    older = asyncio.run(turns(store, every[1]["id"]))
    assert older[1:] == [("assistant", "An older *answer*.", "", "complete")]


def test_open_webui() -> None:
    store, added = read(WEBUI)
    assert added == 1
    (record,) = asyncio.run(store.conversations())
    assert (record["title"], record["pinned"], record["updated"]) == ("Winds", True, 1700000200000)
    assert asyncio.run(turns(store)) == [
        ("user", "Why wind?", "", "complete"),
        ("assistant", "Pressure.", "Pressure\ndiffers.", "complete"),
    ]
    first = next(one["id"] for one in asyncio.run(store.messages(record["id"])) if one["runs"])
    assert asyncio.run(turns(store, first))[1:] == [("assistant", "First try.", "", "complete")]


def test_an_answer_that_has_gone_on_in_two_ways_is_two_versions() -> None:
    data = copy.deepcopy(CHATGPT)
    data[0]["mapping"]["b2"] = node("t1", "assistant", "It is the sun.")
    data[0]["mapping"]["u9"] = node("t1", "user", "Why do you think?")
    data[0]["mapping"]["late"] = node("u9", "assistant", "I am made so.")
    store, _ = read(data)
    (record,) = asyncio.run(store.conversations())
    lines = [asyncio.run(turns(store, m["id"])) for m in asyncio.run(store.messages(record["id"]))]
    texts = {tuple(words for _, words, *_ in line) for line in lines}
    asked = "How do tides work?"
    assert texts == {
        (asked, "An older *answer*."),
        (asked, "The moon pulls.", "[image]\n\nAnd this?", "A map."),
        (asked, "It is the sun."),
        (asked, "The moon pulls.", "Why do you think?", "I am made so."),
    }
    assert {thought for line in lines for *_, thought, _ in line[1:2]} == {"", "The moon."}


def test_what_has_grown_there_grows_here() -> None:
    """New messages come at the end, also those of an older version."""
    store, _ = read(CHATGPT)
    data = copy.deepcopy(CHATGPT)
    data[0]["mapping"]["u5"] = node("a1", "user", "Is that so?")
    data[0]["mapping"]["u5"]["message"]["create_time"] = 1700000200.0
    data[0]["current_node"] = "u5"
    assert asyncio.run(importer.add_all(store, data)) == 1
    shown = [words for _, words, *_ in asyncio.run(turns(store))]
    assert shown == ["How do tides work?", "An older *answer*.", "Is that so?"]


def test_open_webui_without_a_tree() -> None:
    listed = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day"}]
    store, added = read({"id": "w", "chat": {"title": "Old", "messages": listed}})
    assert added == 1
    assert [words for _, words, *_ in asyncio.run(turns(store))] == ["Hello", "Good day"]


@pytest.mark.parametrize("data", [CHATGPT, WEBUI])
def test_the_same_file_twice_adds_nothing(data: Any) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        assert await importer.add_all(store, data) == 1
        assert await importer.add_all(store, data) == 0
        for record in [*await store.conversations(), *store._stores["messages"].values()]:
            assert len(record["id"]) <= 60
            assert record["id"].replace("-", "").isalnum()  # a gateway takes it

    asyncio.run(scenario())


def test_bad_conversations_are_named_and_the_others_come_in() -> None:
    circle = {"title": "c", "mapping": {"a": node("b", "user", "x"), "b": node("a", "user", "y")}}
    data = [*CHATGPT, {"title": "bad", "mapping": 5}, circle, {"title": "empty", "mapping": {}}, 7]
    store = MemoryStore()
    with pytest.raises(UsageError) as refused:
        asyncio.run(importer.add_all(store, data))
    line = refused.value.line()
    assert "1 conversation was added" in line
    assert "conversation 2: its messages are not a mapping" in line
    assert "conversation 3: its messages lead in a circle" in line
    assert "conversation 5: it is not an object" in line
    assert len(asyncio.run(store.conversations())) == 1


@pytest.mark.parametrize("data", [[], {}, [1], [{"title": "x"}], None, "x"])
def test_another_file_is_refused_in_words(data: Any) -> None:
    with pytest.raises(UsageError) as refused:
        read(data)
    assert "does not hold saved conversations" in refused.value.line()
    assert "ChatGPT" in refused.value.line()


def test_too_many_nodes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_tree, "NODES", 3)
    with pytest.raises(UsageError, match="more than 3 messages"):
        read(CHATGPT)


leaf = st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers()
junk = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@pytest.mark.parametrize("data", [CHATGPT, WEBUI])
@settings(deadline=None, max_examples=250)
@given(draw=st.data())
def test_whatever_stands_in_the_file(data: Any, draw: st.DataObject) -> None:
    """Any part of a good file replaced by anything: refused in words, or records that can be used."""
    broken = copy.deepcopy(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        path = draw.draw(st.sampled_from(places(broken)))
        *way, last = path
        inside = broken
        for key in way:
            inside = inside[key]
        inside[last] = draw.draw(junk)
    store = MemoryStore()
    try:
        asyncio.run(importer.add_all(store, broken))
    except UsageError as error:
        assert error.line()
    for record in asyncio.run(store.conversations()):
        assert sound_conversation(record) == record
    for record in store._stores["messages"].values():
        assert sound_message(record) == record
        assert record["conversation"] in store._stores["conversations"]
