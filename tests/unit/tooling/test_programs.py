"""Outside programs: their failures in words, their output in a log, none of them left running."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import pytest

from tooling import report
from tooling.places import Places
from tooling.setup.programs import run
from tooling.trouble import Trouble, from_os_error, meaning


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def python(places: Places, code: str, **options: object) -> str:
    command = [sys.executable, "-c", code]
    return run(places, command, name="any", failure="it failed", **options)  # type: ignore[arg-type]


# What these programs really print, shortened.
PIP_CUT = "ERROR: incomplete-download\n\nDownload failed because not enough bytes were received (1/2)"
PIP_HASH = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
PIP_NO_NETWORK = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError("
    '"HTTPSConnection(host=x, port=443): Failed to establish a new connection: [Errno 111]'
    " Connection refused\")': /simple/a/\nERROR: Could not find a version that satisfies a (from"
    " versions: none)\nERROR: No matching distribution found for a"
)
PIP_OTHER_MACHINE = "ERROR: Could not find a version that satisfies xllamacpp (from versions: 1.0)"
NPM_HASH = "npm error code EINTEGRITY\nnpm error sha512-x integrity checksum failed"
NPM_OFFLINE = "npm http fetch GET https://x/a attempt 3 failed with ENOTFOUND"
DISK = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
RIGHTS = "npm error code EACCES\nnpm error syscall mkdir"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (PIP_CUT, "cut off"),
        (PIP_HASH, "expected hash"),
        (PIP_NO_NETWORK, "cannot be reached; check the network"),
        (PIP_OTHER_MACHINE, "no fitting package for this machine"),
        (NPM_HASH, "expected hash"),
        (NPM_OFFLINE, "cannot be reached"),
        (DISK, "the disk is full"),
        (RIGHTS, "cannot be written"),
        (f"{PIP_CUT}\n{DISK}", "the disk is full"),
    ],
)
def test_what_a_programs_output_means(output: str, words: str) -> None:
    assert words in (meaning(output) or "")


def test_output_that_nobody_foresaw_has_no_meaning() -> None:
    assert meaning("Segmentation fault") is None


def test_a_failure_is_one_line_with_the_programs_own_word_and_the_log(places: Places) -> None:
    with pytest.raises(Trouble) as failed:
        python(places, "print('begin'); {}['key']; print('end')")
    assert str(failed.value) == f"it failed: KeyError: 'key' (log: {places.logs / 'any.log'})"
    assert "begin" in (places.logs / "any.log").read_text()


def test_lines_that_are_mere_progress_stay_out_of_the_log(places: Places) -> None:
    seen: list[str] = []

    def watch(line: str) -> bool:
        seen.append(line)
        return line.startswith("Progress")

    assert python(places, "print('Progress 1 of 2'); print('word')", watch=watch) == "word\n"
    assert seen == ["Progress 1 of 2\n", "word\n"]


def test_the_environment_is_laid_over_and_none_takes_away(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONE", "1")
    monkeypatch.setenv("KEPT", "2")
    code = "import os; print(os.environ.get('GONE'), os.environ['KEPT'], os.environ['NEW'])"
    assert python(places, code, env={"GONE": None, "NEW": "3"}) == "None 2 3\n"


def test_a_program_that_is_not_there(places: Places) -> None:
    with pytest.raises(Trouble, match="cannot be started"):
        run(places, ["/nowhere/program"], name="any", failure="it failed")


def test_no_program_is_left_running_when_we_stop(places: Places) -> None:
    seen: list[int] = []

    def interrupt(line: str) -> bool:
        seen.append(int(line))
        raise KeyboardInterrupt

    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        python(places, code, watch=interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)


@pytest.mark.parametrize(("number", "words"), [(28, "disk is full"), (13, "cannot be written"), (5, "Input/output")])
def test_our_own_file_work_fails_in_words_too(number: int, words: str) -> None:
    error = OSError(number, "Input/output error", "some/file")
    assert words in str(from_os_error(error)) and "some/file" in str(from_os_error(error))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_step_says_that_it_begins_and_how_it_ended() -> None:
    out = io.StringIO()
    with report.step("packing", out):
        assert out.getvalue() == "packing …\n"
    assert out.getvalue().startswith("packing …\npacking … done (0.")
    with pytest.raises(RuntimeError), report.step("packing", out):
        raise RuntimeError
    assert "packing … failed (0." in out.getvalue()


def test_a_long_step_shows_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report.Progress, "LOG_SECONDS", 0.001)
    out = io.StringIO()
    with report.step("fetching", out) as progress:
        progress.note = "12 of 98 MB"
        wait_for(lambda: "12 of 98 MB" in out.getvalue())
    assert "fetching … 0 s, 12 of 98 MB\n" in out.getvalue()


def test_a_terminal_shows_one_line_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report.Progress, "TERMINAL_SECONDS", 0.001)
    out = Terminal()
    with report.step("fetching", out):
        wait_for(lambda: out.getvalue().count("\r") > 2)
    assert out.getvalue().count("\n") == 1


def wait_for(condition: object) -> None:
    """Gives the other thread its turn until the state is there."""
    assert callable(condition)
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0)
