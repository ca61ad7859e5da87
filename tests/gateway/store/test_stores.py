"""What every store must do (midstream.gateway.store.interface), each test run on memory, SQLite and a real Redis."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
import redis

from midstream.errors import RequestError
from midstream.gateway.store.factory import make_store
from midstream.gateway.store.interface import (
    LEASE,
    PAGE,
    ConversationBusy,
    Fenced,
    KeyReused,
    RunRecord,
    RunStore,
    TooManyRuns,
    cancel_topic,
)
from tests.gateway.conftest import LASTING
from tests.gateway.support import created, eventually, new_run, texts, write

pytestmark = pytest.mark.anyio

HARD = ["", "\n\nid: 999", "naïve 你好 👩‍🚀", "\x00\x1f", '{"a":"\\u2028"}', "x" * 100_000, "\r\n"]


async def test_what_was_appended_is_read_in_order_and_verbatim(store: RunStore) -> None:
    run = await created(store)
    await write(store, run, *HARD)
    await write(store, run, "more")
    assert await texts(store, run) == [*HARD, "more"]


async def test_reading_from_any_position_gives_the_rest(store: RunStore) -> None:
    run = await created(store)
    payloads = [f"word {number}" for number in range(60)]
    chop = random.Random(1)
    sent = 0
    while sent < len(payloads):
        batch = payloads[sent : sent + chop.randint(1, 9)]
        await write(store, run, *batch)
        sent += len(batch)
    for position in range(len(payloads) + 1):
        assert await texts(store, run, position) == payloads[position:]


async def test_a_page_is_never_larger_than_asked(store: RunStore) -> None:
    run = await created(store)
    await write(store, run, *"abcdefgh")
    page = await store.read(run.id, 2, 3)
    assert page is not None
    assert [entry.payload for entry in page.entries] == ["c", "d", "e"]
    assert (page.head, page.state) == (8, "live")


@pytest.mark.parametrize("size", [1, 8, 32])
async def test_a_page_is_short_only_at_the_head(store: RunStore, size: int) -> None:
    """However many payloads came at once: a model's pace gives one, and a reader takes a short page for the end."""
    run = await created(store)
    for first in range(0, 192, size):
        await write(store, run, *(f"{number}" for number in range(first, first + size)))
    for after, limit in ((0, 1), (0, 128), (3, 60), (60, 128), (100, PAGE), (191, 5), (192, 5)):
        page = await store.read(run.id, after, limit)
        assert page is not None
        assert [entry.seq for entry in page.entries] == list(range(after + 1, min(after + limit, 192) + 1))


async def test_the_record_follows_the_log(store: RunStore) -> None:
    run = await created(store, model="m", prompt="why?", conversation="c", stream=False)
    before = await store.get(run.id)
    assert before == run
    await store.append(run.id, 1, 1, ["a", "b"], now=100.5)
    await store.append(run.id, 1, 3, ["end"], now=101.5, end="completed")
    after = await store.get(run.id)
    assert after is not None
    assert (after.head, after.state, after.started, after.updated) == (3, "completed", 100.5, 101.5)
    assert (after.model, after.prompt, after.conversation, after.stream) == (
        "m",
        "why?",
        "c",
        False,
    )


async def test_an_unknown_run_is_nothing(store: RunStore) -> None:
    assert await store.get("0" * 32) is None
    assert await store.read("0" * 32, 0) is None
    await store.attend("0" * 32, 1.0)
    await store.cancel("0" * 32)
    await store.delete("0" * 32)
    assert await store.get("0" * 32) is None


# -- one writer


@pytest.mark.parametrize("first", [1, 2, 4, 5])
async def test_only_the_next_seq_may_be_written(store: RunStore, first: int) -> None:
    run = await created(store)
    await write(store, run, "a", "b")
    with pytest.raises(Fenced):
        await store.append(run.id, 1, first, ["x"], now=1.0)
    assert await texts(store, run) == ["a", "b"]


async def test_a_takeover_shuts_the_old_writer_out(store: RunStore) -> None:
    run = await created(store)
    await write(store, run, "a")
    taken = await store.claim(run.id, 1, time.time() + LEASE)
    assert (taken.epoch, taken.head) == (2, 1)
    with pytest.raises(Fenced):
        await store.append(run.id, 1, 2, ["late"], now=1.0)
    with pytest.raises(Fenced):
        await store.renew(run.id, 1, 1.0)
    with pytest.raises(Fenced):
        await store.claim(run.id, 1, 1.0)
    await store.append(run.id, 2, 2, ["b"], now=1.0)
    page = await store.read(run.id, 0)
    assert page is not None
    assert [entry.position for entry in page.entries] == ["1-1", "2-2"]


async def test_nothing_is_written_after_the_end(store: RunStore) -> None:
    run = await created(store)
    await write(store, run, "end", end="completed")
    for attempt in (
        store.append(run.id, 1, 2, ["x"], now=1.0),
        store.renew(run.id, 1, 1.0),
        store.claim(run.id, 1, 1.0),
    ):
        with pytest.raises(Fenced):
            await attempt
    assert await texts(store, run) == ["end"]


async def test_of_many_writers_at_once_one_wins_each_seq(store: RunStore) -> None:
    run = await created(store)

    async def attempt(name: str) -> bool:
        try:
            await store.append(run.id, 1, 1, [name], now=1.0)
        except Fenced:
            return False
        return True

    won = await asyncio.gather(*(attempt(f"writer {number}") for number in range(20)))
    assert sum(won) == 1
    assert await texts(store, run) == [f"writer {won.index(True)}"]


async def test_a_lease_that_is_over_makes_the_run_stale(store: RunStore) -> None:
    run = await created(store)
    ended = await created(store)
    await write(store, ended, "end", end="completed")
    now = run.lease
    assert await store.stale(now - 1) == []
    assert [found.id for found in await store.stale(now + 1)] == [run.id]
    renewed = await store.renew(run.id, 1, now + LEASE)
    assert renewed.lease == now + LEASE
    assert await store.stale(now + 1) == []


# -- keys and conversations


async def test_a_key_finds_its_run_again(store: RunStore) -> None:
    run = await created(store, key="k")
    found, new = await store.create(new_run(key="k"), max_live=100)
    assert (found.id, new) == (run.id, False)


async def test_a_key_with_another_body_is_refused(store: RunStore) -> None:
    await created(store, key="k", fingerprint="one")
    with pytest.raises(KeyReused):
        await store.create(new_run(key="k", fingerprint="two"), max_live=100)


async def test_a_key_belongs_to_its_owner(store: RunStore) -> None:
    run = await created(store, key="k", owner="one")
    other = await created(store, key="k", owner="two")
    assert run.id != other.id


async def test_of_many_posts_with_one_key_one_begins_a_run(store: RunStore) -> None:
    posts = [store.create(new_run(key="k"), max_live=100) for _ in range(50)]
    found = await asyncio.gather(*posts)
    assert sum(new for _, new in found) == 1
    assert len({run.id for run, _ in found}) == 1


async def test_a_run_that_failed_before_its_first_event_gives_its_key_back(store: RunStore) -> None:
    refused = await created(store, key="k")
    await write(store, refused, "refused", end="failed")
    posts = [store.create(new_run(key="k"), max_live=100) for _ in range(20)]
    found = await asyncio.gather(*posts)
    assert sum(new for _, new in found) == 1
    assert {run.id for run, _ in found}.isdisjoint({refused.id})
    assert len({run.id for run, _ in found}) == 1


async def test_a_run_that_failed_later_keeps_its_key(store: RunStore) -> None:
    run = await created(store, key="k")
    await write(store, run, "some text", "the end", end="failed")
    found, new = await store.create(new_run(key="k"), max_live=100)
    assert (found.id, new) == (run.id, False)


async def test_a_conversation_has_one_live_run(store: RunStore) -> None:
    run = await created(store, conversation="c", key="k")
    with pytest.raises(ConversationBusy) as busy:
        await store.create(new_run(conversation="c", key="other"), max_live=100)
    assert busy.value.run == run.id
    await created(store, conversation="d")
    await created(store, conversation="c", owner="somebody else")
    again, new = await store.create(new_run(conversation="c", key="k"), max_live=100)
    assert (again.id, new) == (run.id, False)
    await write(store, run, "end", end="completed")
    await created(store, conversation="c", key="other")


async def test_of_many_posts_to_one_conversation_one_begins_a_run(store: RunStore) -> None:
    async def post() -> RunRecord | None:
        try:
            return (await store.create(new_run(conversation="c"), max_live=100))[0]
        except ConversationBusy:
            return None

    found = [run for run in await asyncio.gather(*(post() for _ in range(20))) if run]
    assert len(found) == 1


async def test_live_runs_are_limited_for_each_owner(store: RunStore) -> None:
    runs = [await created(store) for _ in range(3)]
    with pytest.raises(TooManyRuns):
        await store.create(new_run(), max_live=3)
    await created(store, owner="somebody else")
    await write(store, runs[0], "end", end="completed")
    await store.create(new_run(), max_live=3)


async def test_the_limit_is_exact_when_all_come_at_once(store: RunStore) -> None:
    for _ in range(6):
        await created(store)
    posts = [store.create(new_run(), max_live=64) for _ in range(60)]
    results = await asyncio.gather(*posts, return_exceptions=True)
    assert sum(isinstance(result, tuple) for result in results) == 58
    assert sum(isinstance(result, TooManyRuns) for result in results) == 2


async def test_many_posts_with_one_key_take_one_place(store: RunStore) -> None:
    posts = [store.create(new_run(key="k", conversation="c"), max_live=1) for _ in range(30)]
    found = await asyncio.gather(*posts)
    assert len({run.id for run, _ in found}) == 1
    with pytest.raises(TooManyRuns):
        await store.create(new_run(), max_live=1)


async def test_a_refused_run_leaves_nothing_behind(store: RunStore) -> None:
    run = await created(store, conversation="c")
    refused = new_run(conversation="c", key="k")
    with pytest.raises(RequestError):
        await store.create(refused, max_live=100)
    assert await store.get(refused.id) is None
    await write(store, run, "end", end="completed")
    await created(store, conversation="c", key="k")
    assert [found.id for found in await store.stale(time.time() + 2 * LEASE)] != [refused.id]


async def test_conversations_are_listed_last_used_first(store: RunStore) -> None:
    first = await created(store, conversation="a", prompt="first  words\nof a", created=1.0)
    await write(store, first, "end", end="completed")
    await store.append((await created(store, conversation="b", prompt="b", created=2.0)).id, 1, 1, ["x"], now=3.0)
    live = await created(store, conversation="a", prompt="second", created=time.time() + 5)
    await created(store, conversation="c", owner="somebody else")
    await created(store)
    found = await store.conversations("me", 10)
    assert [(item.id, item.title, item.runs, item.active is not None) for item in found] == [
        ("a", "first words of a", 2, True),
        ("b", "b", 1, True),
    ]
    assert found[0].active == live.id
    assert [item.id for item in await store.conversations("me", 1)] == ["a"]
    assert [run.id for run in await store.runs("me", "a")] == [first.id, live.id]
    assert await store.runs("me", "c") == []


@pytest.mark.parametrize("name", ["a:*?[b]{c}", "../../etc", "';--", "k\\n"])
async def test_names_from_outside_are_data(store: RunStore, name: str) -> None:
    run = await created(store, conversation=name, key=name)
    assert [found.id for found in await store.runs("me", name)] == [run.id]
    assert [item.id for item in await store.conversations("me", 5)] == [name]


# -- cancelling and readers


async def test_cancelling_marks_a_live_run_and_wakes_its_writer(store: RunStore) -> None:
    run = await created(store)
    with store.watch(cancel_topic(run.id)) as asked:
        await store.cancel(run.id)
        await asyncio.wait_for(asked.wait(), 5)
    assert (await store.renew(run.id, 1, run.lease)).cancelling


async def test_cancelling_an_ended_run_does_nothing(store: RunStore) -> None:
    run = await created(store)
    await write(store, run, "end", end="completed")
    await store.cancel(run.id)
    found = await store.get(run.id)
    assert found is not None
    assert not found.cancelling


async def test_readers_are_woken_by_an_append(store: RunStore) -> None:
    run = await created(store)
    with store.watch(run.id) as changed, store.watch(run.id) as also:
        for number in range(5):
            changed.clear()
            also.clear()
            await write(store, run, f"{number}")
            await asyncio.wait_for(changed.wait(), 5)
            await asyncio.wait_for(also.wait(), 5)


async def test_attendance_is_noted(store: RunStore) -> None:
    run = await created(store)
    await store.attend(run.id, 123.5)
    found = await store.get(run.id)
    assert found is not None
    assert found.attended == 123.5


# -- the end of a log


async def test_deleting_leaves_a_tombstone(store: RunStore) -> None:
    run = await created(store, conversation="c", key="k", prompt="secret")
    await write(store, run, "secret", end="completed")
    await store.delete(run.id)
    found = await store.get(run.id)
    assert found is not None
    assert (found.purged, found.prompt) == (True, "")
    assert await store.read(run.id, 0) is None
    assert await store.conversations("me", 5) == []
    await created(store, key="k")


async def test_a_request_that_an_earlier_version_kept_goes_with_its_run(redis_url: str) -> None:
    store = make_store(redis_url)
    await store.open()
    run = await created(store)
    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys(f"*{run.id}*:run")
        client.hset(key, "request", b"an old secret")
        assert await store.get(run.id) == run
        await store.delete(run.id)
        assert client.hget(key, "request") is None
    await store.close()


async def test_old_logs_are_purged_and_old_tombstones_forgotten(store: RunStore) -> None:
    old, young, live = [await created(store) for _ in range(3)]
    await store.append(old.id, 1, 1, ["end"], now=1000.0, end="completed")
    await store.append(young.id, 1, 1, ["end"], now=2000.0, end="completed")
    await store.append(live.id, 1, 1, ["x"], now=1000.0)
    assert await store.purge(1500.0, 500.0) == 1
    assert await store.purge(1500.0, 500.0) == 0
    found = await store.get(old.id)
    assert found is not None
    assert found.purged
    assert await texts(store, young) == ["end"]
    assert await texts(store, live) == ["x"]
    await store.purge(1500.0, 1500.0)
    assert await store.get(old.id) is None
    assert await store.get(young.id) is not None


# -- what outlives the process, or is shared with another

SHARED = pytest.mark.parametrize("store_spec", LASTING, indirect=True)


@SHARED
async def test_another_process_sees_what_was_written(store: RunStore, store_spec: str) -> None:
    run = await created(store, conversation="c", key="k")
    other = make_store(store_spec)
    await other.open()
    try:
        with other.watch(run.id) as changed, store.watch(cancel_topic(run.id)) as asked:
            await asyncio.sleep(0.05)
            for number in range(3):
                changed.clear()
                await write(store, run, f"{number}")
                await asyncio.wait_for(changed.wait(), 5)
                assert len(await texts(other, run)) == number + 1
            asked.clear()
            await other.cancel(run.id)
            await asyncio.wait_for(asked.wait(), 5)
        with pytest.raises(ConversationBusy):
            await other.create(new_run(conversation="c"), max_live=100)
        found, new = await other.create(new_run(key="k"), max_live=100)
        assert (found.id, new) == (run.id, False)
    finally:
        await other.close()


@SHARED
async def test_the_log_outlives_the_store_object(store: RunStore, store_spec: str) -> None:
    run = await created(store, conversation="c")
    await write(store, run, *HARD)
    await store.close()
    again = make_store(store_spec)
    await again.open()
    try:
        assert await texts(again, run) == HARD
    finally:
        await again.close()


@SHARED
async def test_a_watch_that_begins_while_it_is_written_misses_nothing(store: RunStore, store_spec: str) -> None:
    """A reader clears its event, reads, and waits; whatever comes after the read must wake it."""
    other = make_store(store_spec)
    await other.open()
    run = await created(store)
    seen: list[str] = []

    async def read_all() -> None:
        with other.watch(run.id) as changed:
            while len(seen) < 40:
                changed.clear()
                seen.extend(await texts(other, run, len(seen)))
                if len(seen) < 40:
                    await asyncio.wait_for(changed.wait(), 5)

    try:
        reading = asyncio.create_task(read_all())
        for number in range(40):
            await write(store, run, f"{number}")
            await asyncio.sleep(0.001 * (number % 5))
        await reading
    finally:
        await other.close()
    assert seen == [f"{number}" for number in range(40)]


async def test_a_closed_topic_is_not_followed_any_more(store: RunStore) -> None:
    run = await created(store)
    with store.watch(run.id):
        await write(store, run, "a")
    await write(store, run, "b")
    with store.watch(run.id) as changed:
        await write(store, run, "c")

        async def woken() -> bool:
            return changed.is_set()

        await eventually(woken, "wake-up")


async def test_a_log_written_event_by_event_reads_the_same_after_its_end(store: RunStore) -> None:
    """SQLite joins its segments then; positions and epochs stay."""
    run = await created(store)
    for number in range(300):
        await write(store, run, f"{number}")
    taken = await store.claim(run.id, 1, time.time() + LEASE)
    for number in range(300, 310):
        await write(store, taken, f"{number}")
    await write(store, taken, "end", end="interrupted")
    expected = [f"{number}" for number in range(310)] + ["end"]
    for position in (0, 1, 255, 256, 257, 299, 300, 301, 310, 311):
        assert await texts(store, run, position) == expected[position:]
    page = await store.read(run.id, 298)
    assert page is not None
    assert [entry.position for entry in page.entries[:4]] == ["1-299", "1-300", "2-301", "2-302"]
