"""Brings conversations of the person's other devices here: the gateway has them, and this browser
lacks them, or a part of them.

The key of a run names its messages (`records.run_key`), so every device makes the same records of
it. This module only makes records. Their answers are `streaming` with the id of their run, so that the
engine's ordinary machinery follows each from its first event and journals it, ended ones too.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from enum import Enum

from midstream.engine.devices import gateway_client
from midstream.engine.devices.gateway_client import GatewayRun, RunSnapshot
from midstream.engine.endpoints.endpoints import Endpoint
from midstream.engine.ports.host import Host, Net
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
from midstream.errors import UpstreamError
from midstream.journal import Change, Record, Row, Store, text
from midstream.markdown import Parser
from midstream.providers.think_tags import split_whole
from midstream.seam import join


class Fetched(Enum):
    """What a look at the gateway has brought."""

    ADDED = "records that were missing here"
    SAME = "nothing new"
    NOTHING = "the gateway does not have the conversation, or there is no gateway"
    UNREACHED = "no answer, or none that can be read"


class DeviceSync:
    """Asks the default endpoint, where that is a gateway. Nothing depends on its answer, so an
    endpoint that does not answer is no error."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.gateway: Endpoint | None = None

    async def conversations(self) -> list[Record] | None:
        """Items for the list; None without an answer."""
        if self.gateway is None:
            return None
        try:
            return await listed(self._host.net, self.gateway.base)
        except UpstreamError:
            return None

    async def fetch(self, conversation: str) -> Fetched:
        """Stores the records that are missing here."""
        store = self._host.store
        here = await store.conversation(conversation)
        if self.gateway is None or (here and here.get("deleted")):
            return Fetched.NOTHING
        net, base = self._host.net, self.gateway.base
        try:
            runs = await gateway_client.runs(net, base, conversation, self._now())
            change = await _missing_of(runs, net, self.gateway, conversation, store)
        except UpstreamError:
            return Fetched.UNREACHED
        if change is None:
            return Fetched.SAME if runs else Fetched.NOTHING
        await store.commit(change)
        return Fetched.ADDED

    async def delete(self, conversation: str) -> bool:
        """Deletes a conversation's runs at the gateway; False without an answer, or a gateway. The
        gateway's own list has their ids: those in records may come from a file."""
        if self.gateway is None:
            return False
        net, base = self._host.net, self.gateway.base
        try:
            for run in await gateway_client.runs(net, base, conversation, self._now()):
                await gateway_client.delete(net, base, run.id)
        except UpstreamError:
            return False
        return True

    def _now(self) -> int:
        return round(self._host.now() * 1000)


async def listed(net: Net, base: str) -> list[Record]:
    """The gateway's conversations, last used first, as items of the port's `conversations`: id,
    title, updated (epoch milliseconds), state (`streaming` | `complete`) and `server: True`.

    Some of them are in the store too. Raises UpstreamError when the gateway cannot be reached, or its
    answer has another form.
    """
    return [
        {
            "id": one.id,
            "title": new_conversation(one.id, one.title, 0)["title"],
            "updated": one.updated,
            "state": "streaming" if one.active else "complete",
            "server": True,
        }
        for one in await gateway_client.conversations(net, base)
    ]


async def missing(net: Net, endpoint: Endpoint, conversation_id: str, store: Store, now: int) -> Change | None:
    """The records of a conversation that the gateway has and the store lacks; None when there are
    none, or the gateway does not know the conversation.

    Times after `now` (epoch milliseconds) become `now`. A key of another program has another form, or
    there is none: then the ids of the records come from the run's id.

    An answer that was continued on another device has more runs than its record here. It is extended
    when the record here has ended, and so is an answer that ended here before the gateway had given
    its run an id. While this device still writes the answer, nothing is changed: a later call, after
    the end, adds the other runs.

    The engine follows the last run of an answer. The texts of the runs before it come from their
    snapshots and are in the change as journal rows, one for each run. A run that the gateway has
    deleted leaves an empty row, since the number of a run is its index.

    The caller commits the change (strict) and then writes the answers that are `streaming` in it.
    Raises UpstreamError when the gateway cannot be reached, or its answer has another form.
    """
    runs = await gateway_client.runs(net, endpoint.base, conversation_id, now)
    return await _missing_of(runs, net, endpoint, conversation_id, store)


async def _missing_of(
    runs: Sequence[GatewayRun], net: Net, endpoint: Endpoint, conversation_id: str, store: Store
) -> Change | None:
    builder = _ChangeBuilder(net, endpoint, conversation_id, store)
    return await builder.change([run for run in runs if not run.refused])


class _ChangeBuilder:
    """Puts together the change of one conversation."""

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

    async def change(self, runs: list[GatewayRun]) -> Change | None:
        """`runs` oldest first."""
        here = await self._store.messages(self._id)
        self._records = {str(record["id"]): deepcopy(record) for record in here}
        self._position = next_position(here)
        by_answer: dict[str, list[GatewayRun]] = {}
        for run in self._unknown(runs):
            fitting = run if await self._fits(run) else run.unnamed()
            by_answer.setdefault(fitting.answer, []).append(fitting)
        for own in by_answer.values():
            await self._take(own)
        for run in runs:
            await self._restore_question(run)
        if not self._changed and (not runs or await self._store.conversation(self._id)):
            return None
        await self._put_conversation(runs)
        for record in self._changed.values():
            self._change.put("messages", record)
        return self._change

    def _unknown(self, runs: Sequence[GatewayRun]) -> list[GatewayRun]:
        """The runs whose id is in no record here."""
        own = [run for record in self._records.values() for run in record["runs"]]
        ids = {run.get("run") for run in own}
        return [run for run in runs if run.id not in ids]

    async def _fits(self, run: GatewayRun) -> bool:
        """Whether the messages that the key names are of this conversation, or new: every client of
        the gateway can put any ids into a key."""
        for key, author in ((run.question, "user"), (run.answer, "assistant")):
            record = self._records.get(key) or await self._store.message(key)
            if record and (record["conversation"], record["author"]) != (self._id, author):
                return False
            if self._authors.setdefault(key, author) != author:
                return False
        return True

    async def _restore_question(self, run: GatewayRun) -> None:
        """The question of an answer that is here without it: a browser may lose a part of its records."""
        answer = self._records.get(run.answer)
        orphan = answer and answer.get("question") == run.question and run.question not in self._records
        if answer and orphan and await self._fits(run):
            position, conversation = max(0, int(answer["position"]) - 1), {"id": self._id}
            record = new_question(run.question, conversation, position, run.prompt, run.created, run.parent)
            self._records[run.question] = self._changed[run.question] = record

    # One answer

    async def _take(self, runs: list[GatewayRun]) -> None:
        """All unknown runs of one answer."""
        runs.sort(key=lambda run: run.n)
        answer = self._records.get(runs[0].answer)
        if answer is None:
            answer = self._new_answer(runs)
        elif answer["state"] not in FINAL_STATES or not self._extended(answer, runs):
            return
        answer["state"] = "streaming"
        answer.pop("error", None)
        _note_time(answer, runs)
        self._changed[answer["id"]] = answer
        await self._put_earlier_rows(answer)

    def _new_answer(self, runs: list[GatewayRun]) -> Record:
        first = runs[0]
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
        answer = new_answer(first.answer, conversation, self._next(), first.created, first.question, self._endpoint)
        answer["runs"] = []
        self._records[first.answer] = answer
        self._extended(answer, runs)
        return answer

    def _extended(self, answer: Record, runs: list[GatewayRun]) -> bool:
        """Adds the runs at their indexes; False when that changes nothing. At an index that is
        taken is the record of a run that was repeated under its key."""
        records: list[Record] = answer["runs"]
        before = deepcopy(records)
        for run in runs:
            while len(records) < run.n:  # the gateway has deleted it
                key = run_key(run.question, run.answer, len(records))
                records.append(new_run(key, self._endpoint))
            if len(records) == run.n:
                model = {"model": run.model} if run.model else {}
                records.append(new_run(run.key, self._endpoint) | model)
            if run.n == len(records) - 1 and records[run.n].get("run") is None:
                records[run.n]["run"] = run.id
        return records != before

    def _next(self) -> int:
        self._position += 1
        return self._position - 1

    async def _put_earlier_rows(self, answer: Record) -> None:
        """Puts rows for the runs before the last one that have no rows here."""
        rows = await rows_of(self._store, answer["id"])
        parser = Parser()
        for row in rows:
            parser.feed(row.text)
        for n in range(rows[-1].run + 1 if rows else 0, len(answer["runs"]) - 1):
            run: Record = answer["runs"][n]
            row = Row(answer["id"], rows[-1].n + 1 if rows else 1, n, first=1, last=0, text="")
            base, name = self._endpoint.base, run.get("run")
            if name and (snapshot := await gateway_client.snapshot(self._net, base, name)):
                row = _row(row, snapshot, run, rows)
            row.ops = parser.feed(row.text) if row.text else []
            rows.append(row)
            self._change.put("journal", row.record())

    async def _put_conversation(self, runs: list[GatewayRun]) -> None:
        here = await self._store.conversation(self._id)
        record = here or new_conversation(self._id, runs[0].prompt, runs[0].created)
        updated = max(int(record["updated"]), *(run.created for run in runs))
        if here:
            self._change.amend("conversations", self._id, {"updated": updated})
        else:
            self._change.put("conversations", record | {"updated": updated})


def _note_time(answer: Record, runs: list[GatewayRun]) -> None:
    """Sets how long the answer took, over all runs; while the last one goes on, the moment of its
    beginning, and the seconds before that."""
    before = sum(run.seconds or 0 for run in runs[:-1]) + float(answer.get("seconds", 0))
    if runs[-1].seconds is None:
        answer["runs"][-1] |= {"began": runs[-1].created, "before": round(before, 1)}
    else:
        answer["seconds"] = round(before + runs[-1].seconds, 1)


def _row(row: Row, snapshot: RunSnapshot, run: Record, rows: Sequence[Row]) -> Row:
    """The row of a run, as if it had been followed here after `rows`: joined to them, without a text
    that it has repeated."""
    run["seq"] = snapshot.seq
    count, before = snapshot.tokens, text(rows)
    new, reasoning = (snapshot.text, "") if before else split_whole(snapshot.text)
    if before and new and (joint := join(before, new, True)):
        at = sum(row.tokens for row in rows)
        run["seam"] = {"kind": joint.kind, "skipped": joint.skip, "at": at}
        count = round(count * (1 - joint.skip / len(new)))
        new = joint.insert + new[joint.skip :]
    return replace(
        row,
        last=snapshot.seq,
        text=new,
        reasoning=snapshot.reasoning + reasoning,
        tokens=count,
        finish=snapshot.finish,
        ended=snapshot.state,
        epoch=snapshot.epoch,
    )
