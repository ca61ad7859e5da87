"""The intents from the screen to the engine, with their fields (docs/port.md)."""

from __future__ import annotations

from typing import Annotated as A
from typing import Any, Literal, NotRequired, TypedDict


class PlainIntent(TypedDict):
    """An intent without fields."""

    type: Literal["new", "flush", "visible", "delete-all"]


class OpenIntent(TypedDict):
    """Show a conversation; without an id the newest."""

    type: Literal["open"]
    conversation: str | None
    painted: NotRequired[A[dict[str, int], "by message, the newest patch on the screen"]]


class SendIntent(TypedDict):
    """Ask. The id makes a repeated intent harmless."""

    type: Literal["send"]
    conversation: str | None
    message: A[str, "id of the new question"]
    text: str
    after: NotRequired[A[str, "what stood last when it was sent"]]
    edits: NotRequired[A[str, "question of which this is another version"]]


class MessageIntent(TypedDict):
    """Do something with one message."""

    type: Literal[
        "stop",
        "retry",
        "regenerate",
        "continue",
        "edit",
        "remove",
        "save",
        "copy",
        "source",
        "reset",
    ]
    message: str


class VersionIntent(TypedDict):
    """Show a message, or another version of it."""

    type: Literal["version"]
    message: str
    step: NotRequired[A[int, "1 the next version, -1 the one before"]]


class ConversationIntent(TypedDict):
    """Do something with one conversation."""

    type: Literal["delete", "undelete"]
    conversation: str


class RenameIntent(TypedDict):
    """Give a conversation another title."""

    type: Literal["rename"]
    conversation: str
    title: str


class PinIntent(TypedDict):
    """Put a conversation at the top of the list, or no more."""

    type: Literal["pin"]
    conversation: str
    on: bool


class ExportIntent(TypedDict):
    """One conversation as a file, or all of them."""

    type: Literal["export"]
    conversation: NotRequired[str]
    format: NotRequired[Literal["markdown", "html", "json"]]
    words: NotRequired[A[dict[str, str], "headings in the language of the page"]]


class ImportIntent(TypedDict):
    """Add the conversations of a file."""

    type: Literal["import"]
    text: str


class KeptIntent(TypedDict):
    """Without IndexedDB: the records that the tab holds, as `[store, record]`."""

    type: Literal["kept"]
    records: list[Any]


class PreferIntent(TypedDict):
    """The language of the page."""

    type: Literal["prefer"]
    language: str


class KeysIntent(TypedDict):
    """The keys that the tab holds, by base address."""

    type: Literal["keys"]
    keys: dict[str, str]


class EndpointNameIntent(TypedDict):
    """Choose an endpoint, or remove one."""

    type: Literal["endpoint-choose", "endpoint-remove"]
    name: str


class EndpointAddIntent(TypedDict):
    """Add an endpoint and choose it."""

    type: Literal["endpoint-add"]
    endpoint: dict[str, str]
    key: NotRequired[str]
    keep: NotRequired[A[str, "`device`: the key is stored"]]


class EndpointTestIntent(TypedDict):
    """Ask an endpoint for its models."""

    type: Literal["endpoint-test"]
    test: int
    endpoint: dict[str, str]
    key: NotRequired[str]


class NetworkIntent(TypedDict):
    """The browser has a network, or none."""

    type: Literal["network"]
    online: bool


class SearchIntent(TypedDict):
    """Look for words; an empty text ends a search."""

    type: Literal["search"]
    text: str
    n: int


INTENTS: tuple[type, ...] = (
    *(PlainIntent, OpenIntent, SendIntent, MessageIntent, VersionIntent, ConversationIntent),
    *(RenameIntent, PinIntent, ExportIntent, ImportIntent, KeptIntent, PreferIntent, KeysIntent),
    *(EndpointNameIntent, EndpointAddIntent, EndpointTestIntent, NetworkIntent, SearchIntent),
)
