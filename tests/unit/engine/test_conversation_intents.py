"""Naming, pinning and deleting whole conversations: over tabs, over reloads, and with a gateway."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from midstream.engine import conversation_intents
from midstream.engine.store.records import NAME_CHARACTERS
from midstream.engine.store.tab_store import TabStore
from midstream.engine.transfer import archive, importer
from midstream.journal import Change, MemoryStore, Record
from tests.unit.engine.support import Locks, Page, new_page, quicken, run, send, text_of, until, whole


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch, 4000)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_intents, "UNDO_S", 0.05)


def listed(page: Page) -> list[Record]:
    lists = [m["items"] for m in page.messages if m["type"] == "conversations"]
    return list([[], *lists][-1])


def deleted(page: Page) -> list[str]:
    lists = [m["deleted"] for m in page.messages if m["type"] == "conversations"]
    return [item["id"] for item in [[], *lists][-1]]


async def tell(page: Page, type: str, conversation: str, **more: Any) -> None:
    await page.engine.handle({"type": type, "conversation": conversation, **more})


async def asked(page: Page, words: str = "a list and a table, please") -> str:
    """A conversation with one ended answer; its id."""
    answer = await send(page, words)
    await until(lambda: page.last(answer) == "complete")
    record = await page.store.message(answer)
    assert record
    await until(lambda: listed(page)[0]["state"] == "complete")
    return str(record["conversation"])


def test_a_name_is_kept_for_all_tabs() -> None:
    async def scenario() -> None:
        store, tabs = MemoryStore(), []  # type: ignore[var-annotated]
        first = await new_page(store, Locks(), tabs=tabs)
        key = await asked(first)
        second = await new_page(store, Locks(), tabs=tabs)
        await tell(first, "rename", key, title="  Tides \n and moons ")
        await until(lambda: listed(second) and listed(second)[0]["title"] == "Tides and moons")
        await tell(first, "rename", key, title=" \n ")
        assert listed(first)[0]["title"] == "Tides and moons"
        await tell(first, "rename", key, title="x" * 1000)
        assert len(listed(first)[0]["title"]) == NAME_CHARACTERS

    run(scenario)


def test_the_pin_stays_through_an_answer() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        key = await asked(page)
        await tell(page, "pin", key, on=True)
        answer = await send(page, "more", key)
        await until(lambda: page.last(answer) == "complete")
        assert listed(page)[0]["pinned"] is True
        await tell(page, "pin", key, on=False)
        assert listed(page)[0]["pinned"] is False

    run(scenario)


def test_a_change_of_one_field_takes_nothing_from_another_tab() -> None:
    """Two tabs read, both write: what each has changed stays."""

    async def scenario() -> None:
        store = MemoryStore()
        await store.commit(Change().put("conversations", {"id": "c", "title": "a", "updated": 1}))
        await store.commit(Change().amend("conversations", "c", {"title": "b"}))
        await store.commit(Change().amend("conversations", "c", {"pinned": True}))
        await store.commit(Change().amend("conversations", "c", {"updated": None}))
        await store.commit(Change().amend("conversations", "gone", {"title": "b"}))
        assert await store.conversations() == [{"id": "c", "title": "b", "pinned": True}]

    run(scenario)


def test_a_tab_without_a_database_keeps_changed_fields() -> None:
    async def scenario() -> None:
        posted: list[dict[str, Any]] = []
        store = TabStore(posted.append)
        await store.commit(Change().put("conversations", {"id": "c", "title": "a"}))
        await store.commit(Change().amend("conversations", "c", {"title": "b"}))
        changes = posted[-1]["changes"]
        assert changes == [["conversations", "c", {"id": "c", "title": "b"}]]

    run(scenario)


def test_deleted_and_taken_back() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        key = await asked(page)
        await tell(page, "delete", key)
        assert listed(page) == []
        assert deleted(page) == [key]
        shown = [m for m in page.messages if m["type"] == "conversation"][-1]
        assert shown["id"] is None
        assert (await archive.everything(store))["conversations"] == []
        await page.engine.handle({"type": "open", "conversation": key})
        assert [m for m in page.messages if m["type"] == "conversation"][-1]["id"] is None
        await tell(page, "undelete", key)
        assert [item["id"] for item in listed(page)] == [key]
        assert deleted(page) == []
        assert len(await store.messages(key)) == 2

    run(scenario)


def test_all_are_deleted_and_one_is_taken_back() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        keys = [await asked(page, words) for words in ("one", "two", "three")]
        await page.engine.handle({"type": "delete-all"})
        await until(lambda: not listed(page))
        assert set(deleted(page)) == set(keys)
        await tell(page, "undelete", keys[1])
        await until(lambda: [item["id"] for item in listed(page)] == [keys[1]])

    run(scenario)


def test_a_reload_offers_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        store, locks = MemoryStore(), Locks()
        page = await new_page(store, locks)
        key = await asked(page)
        await tell(page, "delete", key)
        await page.vanish()
        after = await new_page(store, locks)
        await after.engine.handle({"type": "open", "conversation": None})
        assert deleted(after) == [key]
        assert len(await store.messages(key)) == 2
        await tell(after, "undelete", key)
        assert [item["id"] for item in listed(after)] == [key]
        assert len(await store.messages(key)) == 2

    run(scenario)


@pytest.mark.usefixtures("soon")
def test_then_it_is_really_gone() -> None:
    async def scenario() -> None:
        store, tabs = MemoryStore(), []  # type: ignore[var-annotated]
        locks = Locks()
        page = await new_page(store, locks, tabs=tabs)
        key, other = await asked(page), await asked(page, "another one")
        second = await new_page(store, locks, tabs=tabs)
        await tell(page, "delete", key)
        await until(lambda: key not in store._stores["conversations"])
        assert {record["conversation"] for record in store._stores["messages"].values()} == {other}
        answers = {record["id"] for record in await store.messages(other)}
        assert {owner for owner, _ in store._stores["journal"]} <= answers
        await until(lambda: listed(second) and deleted(second) == [])
        assert [item["id"] for item in listed(second)] == [other]
        await tell(second, "undelete", key)
        assert second.notices()[-1] == "undo-too-late"

    run(scenario)


@pytest.mark.usefixtures("soon")
def test_taken_back_and_deleted_again_has_its_time() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        key = await asked(page)
        await tell(page, "delete", key)
        await tell(page, "undelete", key)
        await asyncio.sleep(0.1)
        assert await store.messages(key)
        await tell(page, "delete", key)
        await until(lambda: key not in store._stores["conversations"])

    run(scenario)


async def begun(store: MemoryStore, tabs: list[Page], locks: Locks) -> tuple[Page, str, str]:
    """A page that writes an answer; the ids of answer and conversation."""
    page = await new_page(store, locks, tabs=tabs)
    answer = await send(page)
    await until(lambda: page.trees)
    return page, answer, str(store._stores["messages"][answer]["conversation"])


def test_undo_in_the_middle_of_an_answer_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of the answer nor of the prompt that waits behind it."""
    quicken(monkeypatch, 200)

    async def scenario() -> None:
        store, tabs, locks = MemoryStore(), [], Locks()  # type: ignore[var-annotated]
        page, answer, key = await begun(store, tabs, locks)
        later = await send(page, "two", key)
        second = await new_page(store, locks, tabs=tabs)
        await tell(second, "delete", key)  # another tab than the one that writes
        await until(lambda: not page.engine._answers.get(later))
        await tell(second, "undelete", key)
        await until(lambda: [item["id"] for item in listed(page)] == [key])
        await until(lambda: store._stores["messages"][later]["state"] == "complete")
        assert await text_of(store, answer) == whole()
        assert await text_of(store, later) == whole("two")
        assert store._stores["messages"][answer]["state"] == "complete"

    run(scenario)


def test_the_prompts_of_a_deleted_conversation_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when the answer before them ends, and not by a page that is loaded then."""
    quicken(monkeypatch, 400)

    async def scenario() -> None:
        store, tabs, locks = MemoryStore(), [], Locks()  # type: ignore[var-annotated]
        page, answer, key = await begun(store, tabs, locks)
        later = await send(page, "two", key)
        await tell(page, "delete", key)
        await until(lambda: store._stores["messages"][answer]["state"] == "complete")
        await page.vanish()
        after = await new_page(store, locks)
        await after.engine.handle({"type": "tab", "said": {"conversation": key, "changed": True}})
        assert not list(after.engine._answers)
        assert store._stores["messages"][later]["state"] == "queued" and not await store.rows(later)

    run(scenario)


@pytest.mark.usefixtures("soon")
def test_its_running_answer_is_stopped_when_the_time_to_undo_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch, 20)

    async def scenario() -> None:
        store, tabs, locks = MemoryStore(), [], Locks()  # type: ignore[var-annotated]
        page, answer, key = await begun(store, tabs, locks)
        written = page.engine._answers.get(answer)
        second = await new_page(store, locks, tabs=tabs)
        await tell(second, "delete", key)
        assert written and written.state == "streaming"
        await until(lambda: key not in store._stores["conversations"])
        assert written.state == "stopped"
        assert not list(page.engine._answers) and not await store.rows(answer)

    run(scenario)


@pytest.mark.usefixtures("soon")
def test_a_prompt_in_another_tab_wants_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_intents, "UNDO_S", 60)

    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        key = await asked(page)
        await tell(page, "delete", key)
        await send(page, "more of it", key)
        assert [item["id"] for item in listed(page)] == [key]

    run(scenario)


@pytest.mark.usefixtures("soon")
def test_a_prompt_to_what_is_gone_begins_a_new_one() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        mark = {"id": "c1", "title": "", "created": 1, "updated": 1, "deleted": 1, "gone": True}
        await store.commit(Change().put("conversations", mark))
        await send(page, "hello", "c1")
        assert listed(page)[0]["id"] != "c1"

    run(scenario)


def test_a_file_brings_back_what_was_deleted() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        page = await new_page(store, Locks())
        key = await asked(page)
        file = await archive.everything(store)
        await tell(page, "delete", key)
        assert await importer.add_all(store, file) == 1
        assert "deleted" not in store._stores["conversations"][key]
        assert await importer.add_all(store, file) == 0
        gone = {"title": "", "gone": True, "deleted": 5}
        await store.commit(Change().amend("conversations", key, gone).drop("messages", "none"))
        for record in await store.messages(key):
            await store.commit(Change().drop("messages", record["id"]))
        assert await importer.add_all(store, file) == 1
        record = store._stores["conversations"][key]
        assert record["title"]
        assert "gone" not in record
        assert len(await store.messages(key)) == 2

    run(scenario)


def test_old_marks_go_and_young_ones_stay() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        mark = {"title": "", "created": 1, "updated": 1, "gone": True}
        change = Change().put("conversations", mark | {"id": "old", "deleted": -conversation_intents.GONE_MS})
        now = asyncio.get_running_loop().time() * 1000
        await store.commit(change.put("conversations", mark | {"id": "young", "deleted": now}))
        await new_page(store, Locks())
        await until(lambda: set(store._stores["conversations"]) == {"young"})

    run(scenario)


def test_unknown_conversations_are_said() -> None:
    async def scenario() -> None:
        page = await new_page(MemoryStore(), Locks())
        await tell(page, "delete", "nobody")
        assert page.notices() == ["failed"]

    run(scenario)
