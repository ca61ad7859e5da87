"""The documents are true: what they name exists, and what exists in a list of theirs is named."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from midstream import session

PROJECT = Path(__file__).parents[1]
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "PROTOCOL.md", "CONTRIBUTING.md", "CHANGELOG.md"]


def read(name: str) -> str:
    return (PROJECT / name).read_text()


def committed() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_to_a_file_leads_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", read(name))
    missing = [t for t in targets if "://" not in t and not (PROJECT / t).exists()]
    assert missing == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_in_code_marks_exists(name: str) -> None:
    paths = re.findall(r"`((?:py|web|tests|tooling|docs)/[\w./-]*)`", read(name))
    missing = [path for path in paths if not (PROJECT / path).exists()]
    assert missing == []


def test_what_shows_a_feature_exists() -> None:
    table = read("docs/features.md")
    named = set(re.findall(r"`(test_\w+)`", table))
    there = {path.stem for path in (PROJECT / "tests").rglob("test_*.py")}
    assert named - there == set() and len(named) > 20
    links = re.findall(r"\]\(([^)]+)\)", table)
    assert [link for link in links if not (PROJECT / "docs" / link).exists()] == []


def test_the_architecture_names_every_state_of_an_answer() -> None:
    words = set(re.findall(r"`([a-z-]+)`", read("ARCHITECTURE.md")))
    status = read("web/shared/status.js")
    states = set(re.findall(r"'([a-z-]+)'", status[: status.index("@typedef {object} Status")]))
    assert len(states) == 12 and states <= words


def test_the_session_diagram_is_the_table() -> None:
    """Regenerate with `python3 -m tests.test_docs` after a change of TRANSITIONS."""
    assert (PROJECT / "docs" / "session.md").read_text() == session_diagram()


def session_diagram() -> str:
    lines = [
        "# The session's states",
        "",
        "Made from `TRANSITIONS` in `py/midstream/session.py` by `python3 -m tests.test_docs`.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> idle",
    ]
    for state, targets in session.TRANSITIONS.items():
        lines += [f"    {state} --> {target}: {signal}" for signal, target in targets.items()]
    return "\n".join([*lines, "    closed --> [*]", "```", ""])


def test_nothing_committed_names_a_registry_or_a_machine() -> None:
    """Locks without hosts, no absolute paths: a clone must work anywhere."""
    hosts = re.compile(
        r"registry\.npmjs|files\.pythonhosted|pypi\.org|deb\.debian|/work/main|/root/"
    )
    found = []
    for name in committed():
        path = PROJECT / name
        if (
            path.suffix in {".png", ".ico", ".woff2"}
            or not path.is_file()
            or name == "tests/test_docs.py"
        ):
            continue
        found += [f"{name}: {hit}" for hit in hosts.findall(path.read_text(errors="replace"))]
    assert found == []


if __name__ == "__main__":
    (PROJECT / "docs" / "session.md").write_text(session_diagram())
