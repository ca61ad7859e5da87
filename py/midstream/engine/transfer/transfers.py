"""The intents of transfer: an answer, a conversation or everything leaves the browser's storage, or
comes into it."""

from __future__ import annotations

import asyncio

from midstream.engine.answers.answers import Answers
from midstream.engine.ports.host import Host, Message, detail_of
from midstream.engine.store.records import FINAL_STATES
from midstream.engine.store.rendering import rows_of
from midstream.engine.transfer import archive, import_file, importer
from midstream.engine.transfer.documents import (
    LABELS,
    as_markdown,
    conversation_name,
    file_name,
    markdown_of,
)
from midstream.engine.transfer.webpage import web_page
from midstream.errors import StoreError, UsageError
from midstream.journal import Record, Row, text, tokens
from midstream.markdown.invisible import visible_source


class Transfers:
    """All of them work while answers are being written."""

    def __init__(self, host: Host, answers: Answers) -> None:
        self._host = host
        self._answers = answers
        self._adding = asyncio.Lock()

    async def save(self, intent: Message) -> None:
        record, rows = await self._stored(intent["message"])
        partial = record["state"] not in FINAL_STATES
        now = self._host.now()
        content = as_markdown(record, text(rows), partial=partial, tokens=tokens(rows), now=now)
        self._download(file_name(record, now), "text/markdown", content)

    async def copy(self, intent: Message) -> None:
        _, rows = await self._stored(intent["message"])
        self._host.post({"type": "clipboard", "text": visible_source(text(rows))})  # what is shown is what is copied

    async def source(self, intent: Message) -> None:
        """Posts the source of an answer so far. Later patches bring the rest of it."""
        record, rows = await self._stored(intent["message"])
        n = rows[-1].n if rows else 0
        self._host.post({"type": "source", "message": record["id"], "n": n, "text": text(rows)})

    async def export(self, intent: Message) -> None:
        """Exports one conversation in some format, else everything."""
        if "conversation" in intent:
            await self._export_one(intent)
            return
        content = archive.encode(await archive.everything(self._host.store))
        self._download(archive.file_name(self._host.now()), "application/json", content)

    async def _export_one(self, intent: Message) -> None:
        key, store = str(intent["conversation"]), self._host.store
        conversation = await store.conversation(key)
        if conversation is None or conversation.get("deleted"):
            raise KeyError(f"there is no conversation {key}")
        given = intent.get("words") or {}
        labels = {name: str(given.get(name, label)) for name, label in LABELS.items()}
        match intent["format"]:
            case "markdown":
                content = await markdown_of(store, conversation, labels, self._host.now())
                self._download(conversation_name(conversation, "md"), "text/markdown", content)
            case "html":
                content = await web_page(store, conversation, labels)
                self._download(conversation_name(conversation, "html"), "text/html", content)
            case "json":
                content = archive.encode(await archive.everything(store, only=key))
                self._download(conversation_name(conversation, "json"), "application/json", content)
            case other:
                raise ValueError(f"there is no format {other!r}")

    async def add_from_file(self, file: str) -> None:
        """Adds the conversations of a file, after those of earlier ones. A notice has their number, or the error."""
        async with self._adding:
            try:
                count = await importer.add_all(self._host.store, await import_file.decode(file))
            except (UsageError, StoreError) as error:
                some = error.problem and error.problem.code in importer.PARTLY
                code = "import-partly" if some else "import-failed"
                self._host.post({"type": "notice", "code": code, "level": "error", **detail_of(error)})
            else:
                code = "imported" if count else "import-nothing-new"
                self._host.post({"type": "notice", "code": code, "level": "info", "detail": f"{count}"})

    def _download(self, name: str, mime: str, content: str) -> None:
        self._host.post({"type": "download", "name": name, "mime": mime, "text": content})

    async def _stored(self, message: str) -> tuple[Record, list[Row]]:
        record = await self._host.store.message(message)
        if record is None:
            raise KeyError(f"message {message} is not stored")
        answer = self._answers.get(message)
        if answer and answer.writes:
            return record, answer.rows
        return record, await rows_of(self._host.store, message)
