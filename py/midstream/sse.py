"""Server-sent events, both directions, without I/O (WHATWG HTML, section 9.2).

`Decoder` takes bytes as the network cuts them and gives whole messages; `encode` is its inverse.
It works on bytes: CR and LF never occur inside a UTF-8 sequence, so a line may be decoded when it
is whole, and nothing is lost at a cut inside a character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from midstream.errors import UpstreamError
from midstream.problems import problem

__all__ = ["KIND", "MAX_EVENT_BYTES", "STRAY", "Decoder", "EventTooLarge", "Message", "encode"]

KIND = "text/event-stream"
MAX_EVENT_BYTES = 32 * 1024 * 1024  # an image in base64 is one event
STRAY = "\0"  # the `event` of a message made of lines that are no fields of an event

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"
_FIELDS = frozenset({b"data", b"event", b"id", b"retry"})


@dataclass(frozen=True, slots=True)
class Message:
    """One dispatched event.

    `id` is the id field of this very message, None when it has none: a position belongs to the
    event that carries it. The WHATWG "last event ID", which goes on over events without one, is
    `Decoder.last_event_id`.
    """

    data: str
    event: str = "message"
    id: str | None = None
    retry: int | None = None


class EventTooLarge(UpstreamError):
    """One event is over the limit; `messages` are those that were whole before it."""

    code = "event_too_large"

    def __init__(self, limit: int, messages: list[Message]) -> None:
        super().__init__(problem("event_too_large", limit=limit))
        self.limit = limit
        self.messages = messages


class Decoder:
    """Bytes in, messages out. Raises `EventTooLarge` once and takes nothing more after that.

    `strays`: lines that are no fields come as messages of their own too (WHATWG drops them), since
    servers print errors between their events.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES, *, strays: bool = False) -> None:
        self.last_event_id = ""
        self._limit = max_event_bytes
        self._strays = strays
        self._stray: list[str] = []
        self._partial: list[bytes] = []  # pieces of the unfinished line, joined once
        self._size = 0  # bytes held for the open event, unfinished line included
        self._skip_lf = False  # the last chunk ended in CR: an LF that follows belongs to it
        self._first_line = True  # only the first line may begin with a byte order mark
        self._ended = False
        self._data: list[str] = []  # this and the next three: fields of the open event
        self._event = ""
        self._id: str | None = None
        self._retry: int | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Take one chunk; return the messages that it completed."""
        if self._ended:
            raise ValueError("this decoder has ended; make a new one for a new connection")
        if self._skip_lf and data:
            self._skip_lf = False
            data = data.removeprefix(b"\n")
        if not data:
            return []
        *whole, rest = _LINE_END.split(data)
        self._skip_lf = data.endswith(b"\r")
        messages: list[Message] = []
        for line in whole:
            self._hold(len(line) + 1, messages)
            if self._partial:
                line = b"".join([*self._partial, line])
                self._partial.clear()
            self._line(line, messages)
        if rest:
            self._hold(len(rest), messages)
            self._partial.append(rest)
        return messages

    def finish(self) -> list[Message]:
        """The connection ended. Always empty: an event without its blank line is dropped."""
        self._ended = True
        self._stray.clear()
        self._partial.clear()
        self._reset()
        return []

    def rest(self) -> list[Message]:
        """Instead of `finish`, for senders that end without a blank line: what is there of the open
        event, which may be half of it."""
        messages: list[Message] = []
        if self._partial:
            self._line(b"".join(self._partial), messages)
        self._dispatch(messages)
        self.finish()
        return messages

    def _hold(self, count: int, messages: list[Message]) -> None:
        self._size += count
        if self._size > self._limit:
            self.finish()
            raise EventTooLarge(self._limit, messages)

    def _line(self, line: bytes, messages: list[Message]) -> None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(messages)
        elif line.startswith(b":"):
            self._size -= len(line) + 1  # a comment is not kept, so heartbeats never add up
        else:
            name, _, value = line.partition(b":")
            if self._strays and name not in _FIELDS:
                self._stray.append(line.decode("utf-8", "replace"))
                return
            self._dispatch_stray(messages)
            self._field(name, value.removeprefix(b" ").decode("utf-8", "replace"))

    def _field(self, name: bytes, value: str) -> None:
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id" and "\0" not in value:
            self._id = self.last_event_id = value
        elif name == b"retry" and value.isascii() and value.isdigit():
            self._retry = int(value[:12])  # longer than any wait; keeps the integer small

    def _dispatch_stray(self, messages: list[Message]) -> None:
        if self._stray:
            messages.append(Message("\n".join(self._stray), STRAY))
            self._stray.clear()

    def _dispatch(self, messages: list[Message]) -> None:
        self._dispatch_stray(messages)
        if self._data:
            data = "\n".join(self._data)
            messages.append(Message(data, self._event or "message", self._id, self._retry))
        self._reset()

    def _reset(self) -> None:
        self._data = []
        self._event = ""
        self._id = None
        self._retry = None
        self._size = 0


def encode(data: str, *, id: str | None = None, event: str | None = None, retry: int | None = None) -> bytes:
    """One event as bytes, blank line included; line ends inside `data` become data lines.

    ValueError when `id` or `event` holds a line end or NUL: those would forge fields.
    """
    lines = []
    for name, value in (("id", id), ("event", event)):
        if value is not None:
            if any(c in value for c in "\r\n\0"):
                raise ValueError(f"line end or NUL in the {name} of an event")
            lines.append(f"{name}: {value}")
    if retry is not None:
        lines.append(f"retry: {retry:d}")
    if "\r" in data:
        data = data.replace("\r\n", "\n").replace("\r", "\n")
    lines.append("data: " + data.replace("\n", "\ndata: "))
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")
