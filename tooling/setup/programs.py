"""Runs outside programs (pip, npm, node, apt): output into a log, failures turned into one line."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tooling.places import Places
from tooling.trouble import Trouble, meaning

TAIL_LINES = 400
LineWatcher = Callable[[str], bool]  # sees each line; True: it was mere progress, keep it out


def run(
    places: Places,
    command: Sequence[str | Path],
    *,
    name: str,
    failure: str,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    watch: LineWatcher | None = None,
) -> str:
    """Runs `command` to its end and returns the last lines of its output.

    `name` names the log; `failure` begins the sentence when the exit code is not 0; `env` is laid
    over the environment (None removes). Raises Trouble.
    """
    log_path = places.logs / f"{name}.log"
    log_path.parent.mkdir(parents=True, exist_ok=True)
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with log_path.open("w", encoding="utf-8") as log:
        print("$", *command, file=log, flush=True)
        with _started(command, cwd or places.root, _environment(env)) as (process, output):
            for line in output:
                if watch is None or not watch(line):
                    log.write(line)
                    tail.append(line)
        code = process.returncode
    text = "".join(tail)
    if code != 0:
        raise Trouble(f"{failure}: {meaning(text) or _last_words(text, code)} (log: {log_path})")
    return text


@contextmanager
def _started(
    command: Sequence[str | Path], cwd: Path, env: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """The running program and its output; it never outlives the block, whatever ends it."""
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except (FileNotFoundError, PermissionError) as error:
        raise Trouble(f"{command[0]} cannot be started ({error.strerror})") from error
    assert process.stdout is not None
    try:
        with process.stdout:
            yield process, process.stdout
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()


def _environment(changes: Mapping[str, str | None] | None) -> dict[str, str]:
    merged = {**os.environ, **(changes or {})}
    return {key: value for key, value in merged.items() if value is not None}


def _last_words(text: str, code: int) -> str:
    """For failures nobody foresaw: what the program itself said last that looks like an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    errors = [line for line in lines if "error" in line.lower()]
    return (named or errors or lines or [f"exit code {code}"])[-1][:200]
