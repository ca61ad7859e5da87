"""What one gateway is told to be: made by the command line, handed to every worker as JSON."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from midstream.errors import UsageError
from midstream.progress import AFTER_FINISH_S
from midstream.sse import MAX_EVENT_BYTES

MIB = 1024 * 1024
HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes and counts are whole numbers, times are in seconds. Each is an option of the
    command: `--limit NAME=VALUE`."""

    body: int = 16 * MIB  # of a request
    event: int = MAX_EVENT_BYTES  # of one upstream event, and of a whole answer
    log: int = 64 * MIB  # of one run
    live_runs: int = 64  # of one owner
    readers: int = 1000  # open streams of one process
    connect: float = 10.0
    silence: float = 600.0  # of an upstream; reasoning and long prompts are silent for minutes
    total: float = 2 * HOUR  # of a run
    unattended: float = 0.5 * HOUR  # of a live run that nobody reads
    after_finish: float = AFTER_FINISH_S  # what may follow the finish of an answer: usage
    first_word: float = 0.5  # a POST waits so long for an early refusal before it starts to stream
    plain_first_word: float = 5.0  # the same for a client that knows nothing of runs
    heartbeat: float = 15.0
    stalled_reader: float = 60.0  # a reader that takes nothing for so long is let go
    request: float = 30.0  # a request of which nothing comes for so long is given up
    model_start: float = 120.0
    store_outage: float = 10.0  # a store that fails for longer ends the run
    keep: float = 30 * DAY  # logs, after the run's end
    tombstone: float = 31 * DAY


_UNITS = {"": 1, "K": 1024, "M": MIB, "G": 1024 * MIB}
_VALUE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)([KMG]?)")


def limits_of(options: Iterable[str]) -> Limits:
    """Of `NAME=VALUE`, where a value may end in K, M or G. Raises UsageError."""
    kinds = {each.name: each.type for each in fields(Limits)}
    given: dict[str, int | float] = {}
    for option in options:
        name, _, text = option.partition("=")
        value = _VALUE.fullmatch(text)
        if name not in kinds:
            raise UsageError(f"--limit knows no {name!r}.", hint=f"It knows {', '.join(kinds)}.")
        number = float(value[1]) * _UNITS[value[2]] if value else 0.0
        if number <= 0 or (kinds[name] == "int" and not number.is_integer()):
            what = "a whole number, like 64 or 32M" if kinds[name] == "int" else "a number of seconds"
            raise UsageError(f"--limit {name} must be {what}, not {text!r}.")
        given[name] = int(number) if kinds[name] == "int" else number
    return replace(Limits(), **given)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Config:
    """`upstream` is an OpenAI base URL; without one, `model` is `local` or `demo`."""

    host: str = "127.0.0.1"
    port: int = 8765
    workers: int = 1
    store: str = "memory:"
    upstream: str | None = None
    upstream_key_env: str | None = None
    model: str = "demo"
    direct: str | None = None  # the page talks to this endpoint itself: no gateway routes
    static_only: bool = False
    dist: str | None = None
    hosts: tuple[str, ...] = ()  # further names in the Host allowlist
    origins: tuple[str, ...] = ()  # further origins that may use the gateway from a browser
    model_state: str | None = None  # file in which the local model's supervisor says where it is
    address: str = ""  # what `host` stands for, once it is known
    tokens: str | None = None  # the folder of the tokens; None: everybody is the same owner
    demo_rate: float = 20.0
    on_disconnect: str = "continue"  # or "cancel": of requests without a header of this protocol
    limits: Limits = field(default_factory=Limits)

    @property
    def serves_gateway(self) -> bool:
        return not (self.static_only or self.direct)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Config:
        values = json.loads(text)
        values["limits"] = Limits(**values["limits"])
        for name in ("hosts", "origins"):
            values[name] = tuple(values[name])
        return cls(**values)


def base_url(text: str, option: str) -> str:
    """An OpenAI base URL without a slash at its end; one without a path gets `/v1`."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets or a port that are none
        usable = False
    if not usable:
        raise UsageError(f"{option} must be an http or https URL, not {text!r}.")
    if parts.username or parts.password:
        raise UsageError(
            f"{option} must not hold a key or password.",
            hint="Put the key into a variable and name it with --upstream-key-env.",
        )
    if parts.query or parts.fragment:
        raise UsageError(f"{option} must not have a query or a fragment: {text!r}.")
    return text.rstrip("/") if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}/v1"


def data_directory() -> Path:
    """Where this person's programs keep their data."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "midstream"


def project_directory() -> Path | None:
    """The checkout this package runs from, None when it is installed as a wheel."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() else None
