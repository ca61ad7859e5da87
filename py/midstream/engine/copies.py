"""Copies that leave the browser's storage, or come into it: an answer, or everything."""

from __future__ import annotations

from ..errors import StoreError, UsageError
from ..journal import Record, Row, text, tokens
from . import archive
from .answers import Answers
from .export import as_markdown, file_name
from .host import Host, Message
from .status import FINAL_STATES
from .transcript import rows_of


class Copies:
    """The intents save, copy, export and import; all work while answers are being written."""

    def __init__(self, host: Host, answers: Answers) -> None:
        self._host = host
        self._answers = answers

    async def save(self, intent: Message) -> None:
        record, rows = await self._written(intent["message"])
        partial = record["state"] not in FINAL_STATES
        now = self._host.now()
        content = as_markdown(record, text(rows), partial=partial, tokens=tokens(rows), now=now)
        self._download(file_name(record, now), "text/markdown", content)

    async def copy(self, intent: Message) -> None:
        _, rows = await self._written(intent["message"])
        self._host.post({"type": "clipboard", "text": text(rows)})

    async def export(self, intent: Message) -> None:
        content = archive.encode(await archive.everything(self._host.store))
        self._download(archive.file_name(self._host.now()), "application/json", content)

    async def restore(self, file: str) -> None:
        """Adds the conversations of an exported file, and says how many, or why not."""
        try:
            data = archive.decode(file)
            count = await archive.restore(self._host.store, data)
        except (UsageError, StoreError) as error:
            code = {"code": "import-failed", "level": "error", "detail": error.line()}
            self._host.post({"type": "notice", **code})
        else:
            words = {"code": "imported", "level": "info", "detail": f"{count}"}
            self._host.post({"type": "notice", **words})

    def _download(self, name: str, mime: str, content: str) -> None:
        self._host.post({"type": "download", "name": name, "mime": mime, "text": content})

    async def _written(self, message: str) -> tuple[Record, list[Row]]:
        record = await self._host.store.message(message)
        if record is None:
            raise KeyError(f"message {message} is not stored")
        answer = self._answers.get(message)
        if answer and answer.writes:
            return record, answer.rows
        return record, await rows_of(self._host.store, message)
