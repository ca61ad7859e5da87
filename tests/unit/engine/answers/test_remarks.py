"""An answer that is complete and blank says what came instead of words."""

from __future__ import annotations

import asyncio
import json

import pytest

from midstream.engine.answers.answer_journal import AnswerJournal
from midstream.engine.answers.status import final_fields, status_of
from midstream.engine.store.rendering import rows_of
from midstream.journal import MemoryStore
from midstream.providers import openai
from midstream.session import Closed, Deliver, Outcome
from tests.unit.engine.answers.test_answer_journal import host_of
from tests.unit.engine.answers.test_reasoning import new_record


def part(reason: str | None = None, **delta: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


WORDS = part(content="Some words.")
THOUGHT = part(reasoning="Hm.")
TOOL = part(tool_calls=[{"function": {"name": "weather", "arguments": ""}}])
MORE_OF_IT = part(tool_calls=[{"function": {"arguments": "{}"}}])
OTHER = part(tool_calls=[{"function": {"name": "time"}}])


@pytest.mark.parametrize(
    ("payloads", "code", "state"),
    [
        ([part("stop")], "answer_empty", "complete"),
        ([part(content=" \n"), part("stop")], "answer_empty", "complete"),
        ([WORDS, part("stop")], None, "complete"),
        ([WORDS, part("weird")], None, "complete"),
        ([THOUGHT, part("stop")], "answer_thought", "complete"),
        ([THOUGHT, part("length")], "answer_thought", "length"),
        ([WORDS, part("MAX_TOKENS")], None, "length"),
        ([part("content_filter")], "answer_withheld", "complete"),
        ([part("SAFETY")], "answer_withheld", "complete"),
        ([WORDS, part("content_filter")], "answer_filtered", "complete"),
        ([part(refusal="I will "), part(refusal="not."), part("stop")], "answer_refused", "complete"),
        ([part("refusal")], "answer_refused", "complete"),
        ([TOOL, MORE_OF_IT, OTHER, part("tool_calls")], "answer_tools", "complete"),
        ([WORDS, TOOL, part("tool_calls")], "answer_tools", "complete"),
        ([part(images=[{}]), part("stop")], "answer_media", "complete"),
        ([part(content="x", reasoning=" "), part("stop")], None, "complete"),
    ],
)
def test_an_answer_says_what_came(payloads: list[str], code: str | None, state: str) -> None:
    async def scenario() -> None:
        store = MemoryStore()
        journal = AnswerJournal(host_of(store), new_record())
        for n, payload in enumerate(payloads, 1):
            await journal.append([Deliver(n, tuple(openai.parse(payload)))])
        reason = json.loads(payloads[-1])["choices"][0]["finish_reason"]
        journal.record.update(final_fields(Closed(Outcome.DONE, reason), journal.record, journal.rows, 2.0))
        await journal.end()
        # As a later page reads it.
        rows = await rows_of(store, "a1")
        remark = status_of(journal.record, rows).get("remark")
        assert journal.record["state"] == state
        assert (remark and remark["problem"]["code"]) == code
        if code == "answer_tools":
            assert remark and remark["problem"]["values"] == {"names": "weather" + ", time" * (OTHER in payloads)}

    asyncio.run(scenario())


@pytest.mark.parametrize("state", ["stopped", "failed", "interrupted", "streaming"])
def test_an_answer_that_was_cut_has_its_own_words(state: str) -> None:
    async def scenario() -> None:
        journal = AnswerJournal(host_of(MemoryStore()), new_record() | {"state": state})
        await journal.append([Deliver(1, tuple(openai.parse(part("stop"))))])
        assert "remark" not in status_of(journal.record, journal.rows)

    asyncio.run(scenario())
