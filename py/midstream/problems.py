"""What can be said to a person when something goes wrong: a code, the values in its words, the words.

    problem("upstream_name", host="model.example")

The code is what travels: in the errors of the gateway (PROTOCOL.md, section 3), in the record of an
answer, in what the engine tells the screen. The screen has words for it in each language
(`problem.<code>` in web/i18n), so an answer that failed yesterday is said in today's language. The
English of `ENGLISH` goes with it for everybody else: the command line, log files, other clients, and
a screen of a version that does not know the code yet.

What somebody else has said, a model's server or the browser, is nobody's to translate: it is a
`quote`, and is shown as one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Value = str | int | float

WORDS = 300  # characters of a quote, or of a name among the values
VALUES = 8
_CODE = re.compile(r"[a-z][a-z0-9_]{0,47}")
_NAME = re.compile(r"[a-z]{1,16}")


@dataclass(frozen=True, slots=True)
class Problem:
    """`parts` are told only, never stored or sent: what is wrong with each thing of several."""

    code: str
    message: str
    hint: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    quote: str = ""
    parts: Sequence[Problem] = ()

    def record(self) -> dict[str, Any]:
        """Without the English, which stands beside it wherever this is written."""
        found: dict[str, Any] = {"code": self.code, "values": dict(self.values)}
        parts = [part.record() for part in self.parts]
        return found | ({"quote": self.quote} if self.quote else {}) | _if(parts=parts)

    def line(self) -> str:
        return f"{self.message} {self.hint}".strip().replace("\n", " ")


def problem(
    code: str,
    *,
    quote: str = "",
    message: str = "",
    hint: str = "",
    parts: Sequence[Problem] = (),
    **values: Value,
) -> Problem:
    """`message`, `hint`: English that says it closer than the table, for those who read English."""
    given = values | ({"parts": "; ".join(part.message for part in parts)} if parts else {})
    english, then = (words.format(**given) for words in ENGLISH[code])
    said = f"{english} It says: {shortened(quote)}" if quote else english
    return Problem(code, message or said, hint or then, values, shortened(quote), tuple(parts))


def shortened(words: str) -> str:
    """A quote is one line, however much was said."""
    return " ".join(words.split())[:WORDS]


def read(raw: Any, message: str, hint: str = "") -> Problem | None:
    """A problem out of a file, a record or an answer of a server; None when it is none."""
    if not is_record(raw):
        return None
    return Problem(raw["code"], message, hint, dict(raw.get("values", {})), raw.get("quote", ""))


def is_record(raw: Any) -> bool:
    """Whether it is what `record` gives, without parts."""
    if not isinstance(raw, dict) or not _matches(_CODE, raw.get("code")):
        return False
    values = raw.get("values", {})
    return (
        raw.keys() <= {"code", "values", "quote"}
        and _is_words(raw.get("quote", ""))
        and isinstance(values, dict)
        and len(values) <= VALUES
        and all(_matches(_NAME, name) and _is_value(value) for name, value in values.items())
    )


def _if(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value}


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= WORDS


def _is_value(value: Any) -> bool:
    return _is_words(value) or (type(value) in (int, float) and math.isfinite(value))


_MODEL_SERVER = "The model's server ({host})"
_RUNNING = "Is it running?"
_AGAIN = (
    "Choose a file that “Save everything” has made, or the conversations.json of an export from "
    "ChatGPT or Open WebUI."
)

# Each with the next step, where the sentence does not hold it.
ENGLISH: dict[str, tuple[str, str]] = {
    # An answer, as the engine finds it
    "gone": ("The server no longer has this answer.", ""),
    "expired": ("The server kept this answer for a while and has let it go.", ""),
    "ahead": ("The server has less of this answer than is saved here.", ""),
    "empty": ("The endpoint has sent nothing.", ""),
    "unfinished": ("The endpoint ended the answer without saying that it is complete.", ""),
    "connection_broke": ("The connection to the endpoint broke.", ""),
    "unreachable": ("Nobody answers at {host}.", ""),
    "let_go": ("The browser has let go of the connection.", ""),
    "too_long_here": ("The answer is longer than this browser keeps.", ""),
    "not_resumable": (
        "This endpoint cannot go on with an answer once the page has been reloaded.",
        "",
    ),
    "page_closed": ("The page was closed before the endpoint had answered.", ""),
    "record_damaged": ("What is stored about this answer is damaged.", ""),
    "file_unfinished": ("The file was made while this answer was being written.", ""),
    # An endpoint's own words
    "event_too_large": ("The stream sent one event of more than {limit} bytes; it was closed.", ""),
    "bad_payload": ("The endpoint sent something that cannot be read.", ""),
    "endpoint_error": ("The endpoint reported an error.", ""),
    "endpoint_key": ("The endpoint refused the key ({status}).", "Check the key."),
    "endpoint_unknown": ("The endpoint does not know this model or address ({status}).", ""),
    "endpoint_refused": ("The endpoint refused ({status}).", ""),
    "endpoint_failed": ("The endpoint failed ({status}).", "Try again later."),
    "endpoint_no_stream": ("The endpoint answered with {kind} instead of a stream.", ""),
    "endpoint_no_kind": ("The endpoint answered with no content type instead of a stream.", ""),
    "endpoint_no_models": ("The endpoint does not say which models it has.", ""),
    "endpoint_not_added": ("This is no endpoint that can be added.", ""),
    "gateway_list": ("The gateway's list of conversations cannot be read.", ""),
    # The service worker's
    "spool_refused": ("The address may not be asked: it needs https, or to be this machine.", ""),
    "spool_gone": ("The browser no longer has the connection to the endpoint.", ""),
    # The gateway, of the model's server
    "upstream_key": (f"{_MODEL_SERVER} refused the gateway's key ({{status}}).", ""),
    "upstream_unknown": (f"{_MODEL_SERVER} does not know this model or path ({{status}}).", ""),
    "upstream_busy": (f"{_MODEL_SERVER} has too much to do ({{status}}).", ""),
    "upstream_redirects": (f"{_MODEL_SERVER} redirects elsewhere ({{status}}).", ""),
    "upstream_refused": (f"{_MODEL_SERVER} refused ({{status}}).", ""),
    "upstream_unreachable": (f"{_MODEL_SERVER} cannot be reached.", _RUNNING),
    "upstream_name": (
        f"{_MODEL_SERVER} cannot be reached: its name is not known.",
        "Check the address that the gateway was started with, and its DNS.",
    ),
    "upstream_port": (f"{_MODEL_SERVER} cannot be reached: nothing listens there.", _RUNNING),
    "upstream_certificate": (
        f"{_MODEL_SERVER} cannot be reached: its certificate is not trusted.",
        "Is it the right server, and does the gateway's machine know who signed it?",
    ),
    "upstream_slow": (
        f"{_MODEL_SERVER} cannot be reached: it does not take the connection in time.",
        "Is a firewall in between?",
    ),
    "upstream_silent": (f"{_MODEL_SERVER} sent nothing for {{seconds}} seconds.", ""),
    "upstream_closed": (f"{_MODEL_SERVER} closed the connection without an answer.", ""),
    "upstream_cut": (f"{_MODEL_SERVER} closed the connection in the middle.", ""),
    "upstream_no_stream": (
        f"{_MODEL_SERVER} answered with {{kind}}, not with a stream of events.",
        "Is it an OpenAI-compatible base URL?",
    ),
    "upstream_no_kind": (
        f"{_MODEL_SERVER} answered with no content type, not with a stream of events.",
        "Is it an OpenAI-compatible base URL?",
    ),
    "upstream_no_models": (f"{_MODEL_SERVER} did not answer with a list of models.", ""),
    "upstream_too_much": (f"{_MODEL_SERVER} sent more than {{limit}} bytes.", ""),
    "model_crashed": (
        "The local model stopped unexpectedly; it is being started again.",
        "Ask again in a few seconds.",
    ),
    "model_failed": ("The local model does not run.", ""),
    "model_late": ("The local model did not start in time.", ""),
    # The gateway, of a run
    "run_stopped": ("Stopped.", ""),
    "run_shutdown": ("The server was stopped while it was answering.", "Continue, or ask again."),
    "run_lost": ("The server that wrote this answer is gone.", "Continue, or ask again."),
    "run_unattended": ("Nobody was reading for too long, so the answer was stopped.", ""),
    "run_too_long": ("The answer took longer than the server allows.", ""),
    "run_too_large": ("The answer is larger than the server allows.", ""),
    "run_cut": ("The model's server ended the stream before the answer was complete.", ""),
    "run_empty": ("The model's server ended the stream without an answer.", ""),
    "run_mistake": ("The server made a mistake.", ""),
    # The gateway, of a request
    "request_bad": ("The server cannot make sense of the request.", ""),
    "request_too_large": ("The body is over {limit} bytes.", ""),
    "run_expired": ("The log of this run is no longer kept.", ""),
    "run_unknown": ("There is no such run.", ""),
    "conversation_unknown": ("There is no such conversation.", ""),
    "position_unknown": (
        "This log has no such position; its last is {n}.",
        "Read from the beginning.",
    ),
    "key_reused": (
        "This Idempotency-Key belongs to another request.",
        "Use a new key for a new message.",
    ),
    "conversation_busy": (
        "This conversation already has a running answer.",
        "Follow it or cancel it first.",
    ),
    "too_many_runs": ("{n} answers are already running.", "Wait until one has ended."),
    "too_many_readers": ("{n} streams are already open.", ""),
    "still_live": ("The run does not stop at once.", "Try again."),
    "shutdown": ("The server is being stopped.", ""),
    "wrong_host": (
        "This server does not answer under that name.",
        "Use its address, or allow the name with --allow-host.",
    ),
    "wrong_origin": (
        "Pages of that origin may not use this server.",
        "Allow it with --allow-origin.",
    ),
    "not_found": ("There is nothing at this address.", ""),
    "log_failed": ("The run log cannot be used.", ""),
    # The browser's storage
    "storage_full": (
        "The browser's storage is full.",
        "Make room on this device, or delete the data of other sites.",
    ),
    "storage_newer": (
        "A newer version of the app has taken over the storage.",
        "Reload the page to get the newer version of the app.",
    ),
    "storage_denied": ("The browser denies storage.", "Allow this site to store data."),
    "storage_insecure": (
        "Tabs cannot share a storage here.",
        "Allow this site to store data, or open it by https.",
    ),
    "storage_blocked": (
        "Another tab holds the browser's storage.",
        "Close the other tabs of this app and reload this one.",
    ),
    "storage_foreign": (
        "What is stored under this app's name is not its own.",
        "Delete the data of this site to start anew.",
    ),
    "storage_failed": ("The browser's storage failed.", ""),
    "damaged_more": ("{ids} and {n} more", ""),
    # config.json
    "config_status": ("config.json was answered with status {status}.", ""),
    "config_unreadable": ("config.json cannot be read.", ""),
    "config_silent": ("config.json did not come within {seconds} seconds.", ""),
    # A file of conversations
    "import_too_large": ("This file is too large to be read here.", _AGAIN),
    "import_unknown": ("This file does not hold saved conversations.", _AGAIN),
    "import_damaged": ("This file is damaged.", _AGAIN),
    "import_newer": (
        "The file was made by a newer version of the app.",
        "Reload the page to update it.",
    ),
    "import_none": ("Nothing was added. Not usable: {parts}.", _AGAIN),
    "import_some": ("{n} conversations were added. Not usable: {parts}.", _AGAIN),
    "import_stopped": ("{n} added, then: {parts}", ""),
    "import_more": ("and {n} more", ""),
    "in_conversation": ("conversation {number}: {parts}", ""),
    "in_message": ("message {number}: {parts}", ""),
    "unusable_object": ("it is not an object", ""),
    "unusable_form": ("its {field} cannot be read", ""),
    "unusable_author": ("nobody has written it", ""),
    "unusable_id": ("it has no usable id", ""),
    "unusable_twice": ("its id '{id}' stands in the file twice", ""),
    "unusable_long": ("its {field} is longer than {limit} characters", ""),
    "unusable_number": ("its {field} is not a usable number", ""),
    "unusable_many": ("it has more than {limit} messages", ""),
    "unusable_circle": ("its messages lead in a circle", ""),
    "unusable_empty": ("it has no messages", ""),
    "unusable_elsewhere": ("a message of '{title}' is here in another conversation", ""),
}
