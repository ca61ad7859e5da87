"""What the gateway has of the person's conversations and this browser has not: those that were
held, or went on, on another device.

The key of a run names its messages (`records.run_key`), so every device makes the same records of
it. Only records are made here. Their answers are `streaming` with the id of their run, so that the
engine's ordinary machinery follows each from its first event and journals it, ended ones too.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from midstream.engine.devices import gateway_client
from midstream.engine.devices.gateway_client import Run, Snapshot
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Net
from midstream.engine.store.records import (
    FINAL_STATES,
    new_answer,
    new_conversation,
    new_question,
    new_run,
    next_position,
    run_key,
)
from midstream.engine.store.rendering import rows_of
from midstream.journal import Change, Record, Row, Store, text
from midstream.markdown import Parser
from midstream.seam import join


async def listed(net: Net, base: str) -> list[Record]:
    """The gateway's conversations, last used first, as items of the port's `conversations`: id,
    title, updated (epoch milliseconds), state (`streaming` | `complete`) and `server: True`.

    It does not look into the store: which of them only the gateway has is the caller's to say.
    Raises UpstreamError when the gateway cannot be reached or says what makes no sense.
    """
    return [
        {
            "id": talk.id,
            "title": new_conversation(talk.id, talk.title, 0)["title"],
            "updated": talk.updated,
            "state": "streaming" if talk.active else "complete",
            "server": True,
        }
        for talk in await gateway_client.conversations(net, base)
    ]


async def missing(
    net: Net, endpoint: Endpoint, conversation_id: str, store: Store, now: int
) -> Change | None:
    """The records of what the gateway has of a conversation and the store has not; None when there
    is nothing, or the gateway does not know the conversation.

    `now`, in epoch milliseconds, stands for times that lie ahead of this machine's clock. The keys
    of other programs have another form, or there is none: then the ids come from the run's id.

    An answer that was continued elsewhere has more runs than its record here. It is extended when
    this device's own record has ended, and so is an answer that ended here before the gateway had
    said which run it is. While this device still writes the answer, nothing is changed: its later
    runs are found the next time that this is called, after the end.

    The engine follows the last run of an answer. What the runs before it said comes from their
    snapshots and is in the change as journal rows, one for each run. A run that the gateway keeps
    no more leaves an empty row, since a run's number is its place.

    The caller commits the change (strict) and then writes the answers that are `streaming` in it.
    Raises UpstreamError when the gateway cannot be reached or says what makes no sense.
    """
    runs = await gateway_client.runs(net, endpoint.base, conversation_id, now)
    gathering = _Gathering(net, endpoint, conversation_id, store)
    return await gathering.change([run for run in runs if not run.given_back])


class _Gathering:
    """One conversation's change while it is put together."""

    def __init__(self, net: Net, endpoint: Endpoint, conversation: str, store: Store) -> None:
        self._net = net
        self._endpoint = endpoint
        self._id = conversation
        self._store = store
        self._records: dict[str, Record] = {}  # messages here and new ones, by id
        self._changed: dict[str, Record] = {}  # in the order of their positions
        self._authors: dict[str, str] = {}  # of the messages that the keys name
        self._position = 0  # of the next new message
        self._change = Change(durability="strict")

    async def change(self, runs: list[Run]) -> Change | None:
        """`runs` oldest first."""
        here = await self._store.messages(self._id)
        self._records = {str(record["id"]): deepcopy(record) for record in here}
        self._position = next_position(here)
        by_answer: dict[str, list[Run]] = {}
        for run in self._unknown(runs):
            placed = run if await self._fits(run) else run.foreign()
            by_answer.setdefault(placed.answer, []).append(placed)
        for found in by_answer.values():
            await self._take(found)
        if not self._changed:
            return None
        await self._put_conversation(runs)
        for record in self._changed.values():
            self._change.put("messages", record)
        return self._change

    def _unknown(self, runs: Sequence[Run]) -> list[Run]:
        """Those whose id is in no record here."""
        own = [run for record in self._records.values() for run in record["runs"]]
        ids = {run.get("run") for run in own}
        return [run for run in runs if run.id not in ids]

    async def _fits(self, run: Run) -> bool:
        """Whether the messages that the key names are this conversation's, or nobody's: whoever can
        write to the gateway can put any ids into a key."""
        for key, author in ((run.question, "user"), (run.answer, "assistant")):
            record = self._records.get(key) or await self._store.message(key)
            if record and (record["conversation"], record["author"]) != (self._id, author):
                return False
            if self._authors.setdefault(key, author) != author:
                return False
        return True

    # One answer

    async def _take(self, found: list[Run]) -> None:
        """All unknown runs of one answer."""
        found.sort(key=lambda run: run.n)
        answer = self._records.get(found[0].answer)
        if answer is None:
            answer = self._new_answer(found)
        elif answer["state"] not in FINAL_STATES or not self._extended(answer, found):
            return
        answer["state"] = "streaming"
        answer.pop("error", None)
        _time(answer, found)
        self._changed[answer["id"]] = answer
        await self._put_earlier_rows(answer)

    def _new_answer(self, found: list[Run]) -> Record:
        first = found[0]
        conversation = {"id": self._id}
        if first.question not in self._records:
            record = new_question(
                first.question,
                conversation,
                self._next(),
                first.prompt,
                first.created,
                first.parent,
            )
            self._records[first.question] = self._changed[first.question] = record
        answer = new_answer(
            first.answer, conversation, self._next(), first.created, first.question, self._endpoint
        )
        answer["runs"] = []
        self._records[first.answer] = answer
        self._extended(answer, found)
        return answer

    def _extended(self, answer: Record, found: list[Run]) -> bool:
        """Puts the runs at their places; False when none has found one. A place that is taken is a
        run that was tried again under its key."""
        runs: list[Record] = answer["runs"]
        before = deepcopy(runs)
        for run in found:
            while len(runs) < run.n:  # no longer kept by the gateway
                key = run_key(run.question, run.answer, len(runs))
                runs.append(new_run(key, self._endpoint))
            if len(runs) == run.n:
                model = {"model": run.model} if run.model else {}
                runs.append(new_run(run.key, self._endpoint) | model)
            if run.n == len(runs) - 1 and runs[run.n].get("run") is None:
                runs[run.n]["run"] = run.id
        return runs != before

    def _next(self) -> int:
        self._position += 1
        return self._position - 1

    async def _put_earlier_rows(self, answer: Record) -> None:
        """What the runs before the last one said, as far as there are no rows of them here."""
        rows = await rows_of(self._store, answer["id"])
        parser = Parser()
        for row in rows:
            parser.feed(row.text)
        for n in range(rows[-1].run + 1 if rows else 0, len(answer["runs"]) - 1):
            run: Record = answer["runs"][n]
            row = Row(answer["id"], rows[-1].n + 1 if rows else 1, n, first=1, last=0, text="")
            base, name = self._endpoint.base, run.get("run")
            if name and (said := await gateway_client.snapshot(self._net, base, name)):
                row = _row(row, said, run, rows)
            row.ops = parser.feed(row.text) if row.text else []
            rows.append(row)
            self._change.put("journal", row.record())

    async def _put_conversation(self, runs: list[Run]) -> None:
        here = await self._store.conversation(self._id)
        record = here or new_conversation(self._id, runs[0].prompt, runs[0].created)
        updated = max(int(record["updated"]), *(run.created for run in runs))
        if here:
            self._change.amend("conversations", self._id, {"updated": updated})
        else:
            self._change.put("conversations", record | {"updated": updated})


def _time(answer: Record, found: list[Run]) -> None:
    """How long the answer took, since nobody here has seen it: over all runs once the last has
    ended, else from when on its seconds count."""
    before = sum(run.seconds or 0 for run in found[:-1]) + float(answer.get("seconds", 0))
    if found[-1].seconds is None:
        answer["runs"][-1] |= {"began": found[-1].created, "before": round(before, 1)}
    else:
        answer["seconds"] = round(before + found[-1].seconds, 1)


def _row(row: Row, said: Snapshot, run: Record, rows: Sequence[Row]) -> Row:
    """The row of a run, as if it had been followed here after `rows`: joined to them, with what was
    repeated counted no second time."""
    run["seq"] = said.seq
    words, count = said.text, said.tokens
    before = text(rows)
    if before and words and (joint := join(before, words, True)):
        at = sum(row.tokens for row in rows)
        run["seam"] = {"kind": joint.kind, "skipped": joint.skip, "at": at}
        count = round(count * (1 - joint.skip / len(words)))
        words = joint.insert + words[joint.skip :]
    return replace(
        row,
        last=said.seq,
        text=words,
        reasoning=said.reasoning,
        tokens=count,
        finish=said.finish,
        ended=said.state,
        epoch=said.epoch,
    )
