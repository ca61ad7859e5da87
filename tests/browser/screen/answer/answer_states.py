"""Every state of an answer as the screen has it: what the line says, which buttons stand there, what is spoken."""

from __future__ import annotations

from typing import Any, NamedTuple

NUMBERS: dict[str, Any] = {"seq": 220, "saved": 220, "tokens": 214, "seconds": 7.2, "rate": 31.04}
NOTHING: dict[str, Any] = {"seq": 0, "saved": 0, "tokens": 0}
REFUSED = {"message": "The key was refused (401).", "hint": "Check the key."}
SERVER = "214 tokens saved here; the server keeps writing."
UNSURE = "Your message may have reached the server. If you ask again, it may be sent twice."
TEXT = ["Copy", "Save a copy", "Source"]
AGAIN = ["Continue", "Copy", "Save a copy", "Source", "Regenerate"]


class Row(NamedTuple):
    """One way to be in a state: how it is reached, and what is then shown and spoken."""

    state: str
    numbers: dict[str, Any]  # beside NUMBERS
    words: str
    buttons: list[str]
    spoken: str = ""  # politely; "!" before it: at once
    before: str = "waiting"
    text: bool = True  # the answer has some already
    details: str = ""


ROWS = [
    Row("sending", {}, "Sending…", [], text=False),
    Row(
        "waiting",
        {"seconds": 0},
        "Waiting for the model",
        [],
        "Waiting for the model",
        "sending",
        text=False,
    ),
    Row(
        "waiting",
        {"seconds": 12},
        "Waiting for the model, 12 s",
        [],
        "Waiting for the model",
        "sending",
        text=False,
    ),
    Row("streaming", {}, "214 tokens, 31/s, 7 s, saved to 214", TEXT, "Answering"),
    Row("streaming", {}, "214 tokens, 31/s, 7 s, saved to 214", [], "Answering", text=False),
    Row(
        "streaming",
        {"saved": 0},
        "214 tokens, 31/s, 7 s, not saved in this browser",
        TEXT,
        "Answering",
    ),
    Row("streaming", {"saved": 180}, "214 tokens, 31/s, 7 s, saved to 180", TEXT, "Answering"),
    Row(
        "streaming",
        {"tokens": 1, "seconds": 125},
        "1 token, 31/s, 2 min 5 s, saved to 1",
        TEXT,
        "Answering",
    ),
    Row("streaming", {"stopping": True}, "Stopping…", TEXT, "Answering"),
    *(
        Row(
            "streaming",
            {"resumed": 214},
            "Resumed at token 214",
            TEXT,
            "Resumed",
            before,
            details="Resumed at token 214",
        )
        for before in ("reconnecting", "catching-up", "offline")
    ),
    Row("catching-up", {"tokens": 120}, "Catching up: 120 tokens so far", TEXT),
    Row("catching-up", {"tokens": 120, "head": 214}, "Catching up: 120 of 214 tokens", TEXT),
    Row(
        "reconnecting",
        {"attempt": 3, "keeper": "server"},
        f"Connection lost. Trying again now (try 3). {SERVER}",
        ["Try now", *TEXT],
        "Connection lost, 214 tokens saved",
        "streaming",
    ),
    Row(
        "reconnecting",
        {"attempt": 1, "saved": 0},
        "Connection lost. Trying again now (try 1). 214 tokens here, not saved.",
        ["Try now", *TEXT],
        "Connection lost",
        "streaming",
    ),
    Row(
        "reconnecting",
        {"attempt": 1, "stopping": True, "keeper": "server"},
        f"Stop will be sent as soon as the server can be reached. {SERVER}",
        ["Try now", *TEXT],
        "Stop will be sent as soon as the server can be reached",
        "streaming",
    ),
    Row(
        "offline",
        {},
        "You are offline. 214 tokens saved here. The answer goes on when you are back.",
        TEXT,
        "Offline",
    ),
    Row(
        "offline",
        {"keeper": "server"},
        f"You are offline. {SERVER} The answer goes on when you are back.",
        TEXT,
        "Offline",
    ),
    Row(
        "offline",
        {"keeper": "browser"},
        "You are offline. 214 tokens saved here; this browser keeps receiving. The answer goes on when you are back.",
        TEXT,
        "Offline",
    ),
    Row(
        "offline",
        NOTHING | {"keeper": ""},
        "You are offline. Nothing has come yet; nothing is written meanwhile. The answer goes on when you are back.",
        [],
        "Offline",
        text=False,
    ),
    Row(
        "queued",
        NOTHING | {"queue": [1, 2]},
        "Waiting to send (1 of 2)",
        ["Edit", "Remove"],
        "Will be sent when you are online",
        "sending",
        text=False,
    ),
    Row(
        "queued",
        NOTHING | {"queue": [1, 1]},
        "Waiting to send",
        ["Edit", "Remove"],
        "Will be sent when you are online",
        "sending",
        text=False,
    ),
    Row(
        "queued",
        NOTHING | {"queue": [2, 2], "error": {"message": "The server is busy (429).", "hint": ""}},
        "Waiting to send (2 of 2). The server is busy (429).",
        ["Edit", "Remove"],
        "Will be sent when you are online",
        "sending",
        text=False,
    ),
    Row(
        "complete",
        {},
        "214 tokens, 7 s, 31/s",
        [*TEXT, "Regenerate"],
        "Answer complete, 214 tokens",
        "streaming",
    ),
    Row(
        "complete",
        {"seams": [90, 140], "resumed": 20},
        "214 tokens, 7 s, 31/s, continued at tokens 90 and 140",
        [*TEXT, "Regenerate"],
        "Answer complete, 214 tokens",
        "streaming",
        details="Resumed at token 20\nContinued at tokens 90 and 140",
    ),
    Row("stopped", {}, "Stopped by you at token 214", AGAIN, "Stopped", "streaming"),
    Row(
        "stopped",
        {"seams": [90]},
        "Stopped by you at token 214, continued at token 90",
        AGAIN,
        "Stopped",
        "streaming",
        details="Continued at token 90",
    ),
    Row(
        "stopped",
        NOTHING,
        "Stopped by you before the first token",
        ["Try again"],
        "Stopped",
        text=False,
    ),
    Row(
        "interrupted",
        {},
        "Interrupted at token 214. The answer was cut off.",
        AGAIN,
        "!Interrupted",
        "reconnecting",
    ),
    Row(
        "interrupted",
        NOTHING | {"sure": False, "error": {"message": "The page was closed.", "hint": ""}},
        f"Interrupted before the first token. The page was closed. {UNSURE}",
        ["Try again", "Remove"],
        "!Interrupted",
        text=False,
    ),
    Row(
        "failed",
        NOTHING,
        "No answer came. Try again.",
        ["Try again"],
        "!No answer came. Try again.",
        text=False,
    ),
    Row(
        "failed",
        {"error": REFUSED},
        "The key was refused (401). Check the key.",
        ["Try again", "Continue", *TEXT],
        "!The key was refused (401). Check the key.",
        "streaming",
    ),
    Row(
        "failed",
        NOTHING | {"sure": False, "error": {"message": "The connection broke.", "hint": ""}},
        f"The connection broke. {UNSURE}",
        ["Try again", "Remove"],
        f"!The connection broke. {UNSURE}",
        "sending",
        text=False,
    ),
    Row(
        "failed",
        {"sure": False, "error": {"message": "The connection broke.", "hint": ""}},
        f"The connection broke. {UNSURE}",
        ["Try again", "Continue", *TEXT],
        f"!The connection broke. {UNSURE}",
        "streaming",
    ),
    Row(
        "length",
        {},
        "Reached the length limit at token 214",
        AGAIN,
        "Reached the length limit",
        "streaming",
    ),
]
