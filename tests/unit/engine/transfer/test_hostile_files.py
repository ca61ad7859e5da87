"""Files that were made to stop the engine: refused in words, or read within bounds."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from typing import Any

import pytest

from midstream.engine.transfer import archive_schema, chatgpt, export_tree, import_file, importer, openwebui
from midstream.errors import StoreError, UsageError
from midstream.journal import Change, MemoryStore
from midstream.problems import problem
from tests.growth.growth import ENOUGH, factor
from tests.unit.engine.support import Locks, Page

DEEP = [
    '{"format":"midstream","version":1,"conversations":' + "[" * 8000 + "]" * 8000 + "}",
    "[" * 100_000,
    '{"a":' * 8000 + "1" + "}" * 8000,
    '[{"mapping":' + '{"x":[' * 4000 + "]}" * 4000 + "}]",
    '["' + "a" * 999 + '\\"[",' + "[" * 201 + "]" * 201 + "]",
]


@pytest.mark.parametrize("file", DEEP, ids=lambda file: file[:20])
def test_a_deep_file_is_refused_before_it_is_decoded(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("decoded"))
    with pytest.raises(UsageError, match="200 levels") as refused:
        asyncio.run(import_file.decode(file))
    assert refused.value.hint


@pytest.mark.parametrize(
    "file",
    [
        '{"a": "[[{", "conversations": [{"id": "1"}, {"id": "]}"}], "format": "x"}',
        '{"conversations": [{"id": "1"}], "conversations": [3, {"id": "2"}, [{}], null, {"id": "3"}]}',
        '[{"mapping": {}}, [], [{"a": 1}], "\\"{", {"b": {"conversations": [{}]}}]',
        '{"x": [{"a": 1}], "y\\"conversations": [{"b": 2}], "conversations" : [{"c": 3}]}',
        '{"chat": {"conversations": [{}]}}',
        "[]",
        "{}",
        "7",
    ],
)
def test_what_is_decoded_piece_by_piece_is_the_same(file: str) -> None:
    def whole(value: Any) -> Any:
        if isinstance(value, import_file.Undecoded):
            return value.decode()
        if isinstance(value, dict):
            return {key: whole(each) for key, each in value.items()}
        return [whole(each) for each in value] if isinstance(value, list) else value

    assert whole(asyncio.run(import_file.decode(file))) == json.loads(file)


def test_a_damaged_conversation_leaves_the_others() -> None:
    good = json.dumps({"id": "c1", "title": "Good", "messages": []})
    file = '{"format": "midstream", "version": 1, "conversations": [{"id": nonsense}, ' + good + "]}"

    async def scenario() -> MemoryStore:
        store = MemoryStore()
        with pytest.raises(UsageError, match=r"1 conversation was added.*conversation 1: it is damaged"):
            await importer.add_all(store, await import_file.decode(file))
        return store

    (only,) = asyncio.run(asyncio.run(scenario()).conversations())
    assert only["title"] == "Good"


def test_a_large_file_takes_little_more_memory_than_itself() -> None:
    """Decoded as a whole it would take nine times its size."""
    one = {"id": "c", "title": "t", "messages": [{"id": f"{n}", "author": "user", "text": ""} for n in range(200)]}
    file = json.dumps({"format": "midstream", "version": 1, "conversations": [one] * 100})

    async def whole() -> None:
        for _ in import_file.conversations(await import_file.decode(file)):
            pass

    tracemalloc.start()
    try:
        asyncio.run(whole())
        assert tracemalloc.get_traced_memory()[1] < len(file)
    finally:
        tracemalloc.stop()


def chain(length: int, role: str = "") -> dict[str, Any]:
    """A conversation of ChatGPT, each message below the one before it."""
    mapping: dict[str, Any] = {}
    for n in range(length):
        author = role or ("user", "assistant")[n % 2]
        content = {"content_type": "text", "parts": [f"message {n}" * 5]}
        message = {"author": {"role": author}, "content": content, "create_time": 1.7e9 + n}
        mapping[f"{n}"] = {"message": message, "parent": f"{n - 1}" if n else None, "children": []}
    return {"id": "x", "title": "Long", "create_time": 1.7e9, "mapping": mapping, "current_node": f"{length - 1}"}


def test_a_chain_of_ten_thousand_messages() -> None:
    """It took 23 s: each message was looked for by itself, and was followed by a turn of the event loop."""
    turns = 0

    async def scenario() -> int:
        async def beat() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        store = MemoryStore()
        beating = asyncio.ensure_future(beat())
        assert await importer.add_all(store, [chain(10_000)]) == 1
        beating.cancel()
        return len(store._stores["messages"])

    assert asyncio.run(scenario()) == 10_000
    assert 200 <= turns <= 2000


@pytest.mark.parametrize("role", ["", "assistant"])
def test_the_work_for_a_conversation_grows_with_its_length(role: str) -> None:
    def read(size: str) -> None:
        converted = chatgpt.conversation(made[len(size)])
        archive_schema.conversation(converted, set())

    made = {size: chain(size, role) for size in (64 * 2**k for k in range(9))}
    assert factor(read, lambda size: "x" * size) <= ENOUGH


def test_many_versions_of_one_long_beginning_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_tree, "CHARACTERS", 100_000)
    raw = chain(100, "assistant")
    for n in range(100):
        raw["mapping"][f"v{n}"] = raw["mapping"]["99"] | {"parent": "98"}
    with pytest.raises(UsageError, match="more than 100000 characters"):
        asyncio.run(importer.add_all(MemoryStore(), [raw]))


@pytest.mark.parametrize(
    "shape", ['<details type="reasoning">', '<details type="reasoning"', "</details>", "> ", "<summary>"]
)
def test_reasoning_that_does_not_end_is_text(shape: str) -> None:
    assert factor(openwebui._separated, lambda size: shape * (size // 10)) <= ENOUGH
    text = '<details type="reasoning">' * 3 + "end"
    assert openwebui._separated(text) == (text, [])


def test_reasoning_is_separated_from_the_text() -> None:
    text = 'a <details type="reasoning" done="true">\n<summary>Thought</summary>\n&gt; x\n</details>\n\nb'
    assert openwebui._separated(text + "<details>c</details>") == ("a b<details>c</details>", ["x"])


def test_a_character_with_a_very_long_number_is_text() -> None:
    (thought,) = openwebui._separated(f'<details type="reasoning">&#{"9" * 5000};</details>')[1]
    assert thought.startswith("&#999")


# What is said


def file_of(*conversations: Any) -> str:
    return json.dumps({"format": "midstream", "version": 1, "conversations": conversations})


GOOD = {"id": "c1", "title": "Good", "messages": []}


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (file_of(GOOD), "imported"),
        (file_of(), "import-nothing-new"),
        (file_of(GOOD, {}), "import-partly"),
        (file_of({}), "import-failed"),
        ("no file", "import-failed"),
    ],
)
def test_the_notice_says_what_has_happened(file: str, code: str) -> None:
    async def scenario() -> None:
        page = Page(MemoryStore(), Locks())
        await page.engine._add_from_file(file)
        assert page.notices() == [code]

    asyncio.run(scenario())


def test_a_full_storage_is_not_called_an_addition_of_nothing() -> None:
    class Full(MemoryStore):
        async def commit(self, change: Change) -> None:
            raise StoreError(problem("storage_full"), code="full")

    with pytest.raises(StoreError) as refused:
        asyncio.run(importer.add_all(Full(), json.loads(file_of(GOOD))))
    assert refused.value.problem and refused.value.problem.code == "storage_full"
