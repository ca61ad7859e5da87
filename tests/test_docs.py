"""The documents are true: what they name exists, and what exists in a list of theirs is named."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from midstream import session
from tests.support import prose
from tests.support.prose import PROJECT, read

# -- what a document, a docstring or a comment names

FILE = re.compile(r"(?<![\w/@.-])((?:[\w-]+/)*\w[\w.-]*\.(?:py|js|mjs|md|html|css|json|toml|zip|bin))\b(?![\w/(-])")
NAME = re.compile(r"`([A-Za-z_$][\w$]*(?:\.[\w$]+)*)(?:\([^`]*\))?`")
CALL = re.compile(r"(?<![\w.`])([A-Za-z_$][\w$.]*)\(\)")
CLASS = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]*)+\b")
SECTION = re.compile(r"([\w/-]+\.md),? (?:[\"“]([^\"”]+)[\"”]|sections? (\d+)(?:(?:, | and | to )(\d+))*)")
DECISION = re.compile(r"(?<![\w+\\.-])00\d\d\b(?!-)")
MODULE = re.compile(r"\*\*((?:[a-z_]+/)+[a-z_]+)\*\*")

# Texts that are data of tests, and lists of other people's software.
NOT_OURS = ("tests/cases/", "tests/spec/", "tests/streams/answers/")
FILES_ELSEWHERE = {
    "app.zip": "the build makes it",
    "stdlib.zip": "the build makes it",
    "rest.zip": "the build makes it",
    "rest.json": "the build makes it",
    "snapshot.bin": "the build makes it",
    "snapshot_maker.js": "the build makes it of the .mjs",
    "late/temml.js": "the build makes it",
    "mermaid.js": "the build makes it",
    "conversations.json": "in the exports of other apps",
    "404.html": "a host may have one",
    "shared/x.js": "an example of a name",
    "pylock.toml": "a form that was rejected",
}
NAMES_ELSEWHERE = {
    "classDef": "Mermaid's language",
    "get_tokens": "Pygments has it",
    "edge_side_panel": "a key of the manifest that we leave out",
    "handle_links": "a key of the manifest that we leave out",
    "scope_extensions": "a key of the manifest that we leave out",
    "extendedLifetime": "a browser's option that was tried",
    "isInputPending": "a browser's function that was rejected",
    "wasm_deopt": "a switch of Chromium",
}
CLASSES_ELSEWHERE = {
    *("EventSource", "SharedWorker", "MessagePort", "IntersectionObserver"),  # browsers have them
    *("ArrayBufferView", "DateConstructor"),  # TypeScript's
    *("DeepSeek", "GitHub", "KaTeX", "LaTeX", "LiteLLM", "NaN", "PyPI", "TeX"),  # no classes
    *("TypeScript", "WebDriver", "WebP"),
}


def written() -> list[prose.Text]:
    kinds = (".py", ".js", ".mjs", ".md")
    names = [n for n in prose.committed() if n.endswith(kinds) and not n.startswith(NOT_OURS)]
    return [text for name in names for text in prose.prose(name)]


@cache
def code() -> str:
    """All that is no prose: scripts without their comments, pages, styles, settings."""
    kinds = (".html", ".css", ".json", ".toml", ".txt")
    scripts = [prose.code(n) for n in prose.committed() if n.endswith((".py", ".js", ".mjs"))]
    others = [n for n in prose.committed() if n.endswith(kinds) and n != "package-lock.json"]
    types = re.findall(r"@(?:typedef|callback)\b.*?(\w+)$", comments(), re.MULTILINE)
    return "\n".join([*scripts, *map(read, others), read(".ci/run"), *types])


def comments() -> str:
    return "\n".join(text.text for text in written() if text.file.endswith((".js", ".mjs"))).replace(" */", "")


def where(text: prose.Text, found: re.Match[str]) -> str:
    return f"{text.file}:{text.line + text.text.count(chr(10), 0, found.start())}: {found[0]}"


def is_file(name: str, beside: str) -> bool:
    """`engine/app.py` may be said for `py/midstream/engine/app.py`."""
    return name in endings() or (PROJECT / beside).parent.joinpath(name).is_file()


@cache
def endings() -> set[str]:
    """Each path, and what is left of it without its first folders."""
    parts = [name.split("/") for name in prose.committed()]
    return {"/".join(path[i:]) for path in parts for i in range(len(path))}


def test_every_file_that_is_named_exists() -> None:
    missing = [
        where(text, found)
        for text in written()
        for found in FILE.finditer(text.text)
        if found[1] not in FILES_ELSEWHERE and not is_file(found[1], text.file)
    ]
    assert missing == []


def test_every_folder_in_code_marks_exists() -> None:
    folder = re.compile(r"`((?:py|web|tests|tooling|docs)/[\w./-]*)`")
    missing = [
        where(text, found)
        for text in written()
        for found in folder.finditer(text.text)
        if not (PROJECT / found[1]).exists()
    ]
    assert missing == []


def test_every_name_in_code_marks_is_in_the_code() -> None:
    known = set(re.findall(r"[\w$]+", code())) | {Path(n).stem for n in prose.committed()}
    missing = [
        where(text, found)
        for text in written()
        for found in NAME.finditer(text.text)
        if not {found[1].rpartition(".")[2]} <= known | NAMES_ELSEWHERE.keys() and not is_file(found[1], text.file)
    ]
    assert missing == []


def test_every_function_that_is_named_exists() -> None:
    called = set(re.findall(r"([\w$]+)\s*\(", code()))
    missing = [
        where(text, found)
        for text in written()
        for found in CALL.finditer(text.text)
        if found[1].rpartition(".")[2] not in called
    ]
    assert missing == []


def test_every_class_that_is_named_exists() -> None:
    """Types in JSDoc are tsc's own matter."""
    known = set(re.findall(r"\w+", code())) | CLASSES_ELSEWHERE
    missing = [
        where(text, found)
        for text in written()
        for found in CLASS.finditer(text.text)
        if found[0] not in known and found[0].removesuffix("s") not in known
        if not _in_a_type(text, found)
    ]
    assert missing == []


def _in_a_type(text: prose.Text, found: re.Match[str]) -> bool:
    if text.file.endswith((".py", ".md")):
        return False
    line = text.text[text.text.rfind("\n", 0, found.start()) + 1 : found.start()]
    return "@typedef" in line or line.rfind("{") > line.rfind("} ")


def test_every_section_that_is_named_exists() -> None:
    seen, missing = 0, []
    for text in written():
        for found in SECTION.finditer(text.text):
            name, title, *numbers = found.groups()
            document = next((n for n in prose.committed() if f"/{n}".endswith(f"/{name}")), "")
            headings = re.findall(r"^#+ (.+)$", read(document), re.MULTILINE) if document else []
            wanted = [title] if title else [f"{number}." for number in numbers if number]
            there = [any(h == w or h.startswith(f"{w} ") for h in headings) for w in wanted]
            seen += 1
            missing += [] if all(there) else [where(text, found)]
    assert missing == [] and seen > 5


def test_every_decision_that_is_named_exists() -> None:
    numbers = {Path(n).name[:4] for n in prose.committed() if n.startswith("docs/decisions/0")}
    unused = set(re.findall(r"00\d\d", re.sub(r"\[.*?\)", "", decisions_index())))
    missing = [
        where(text, found)
        for text in written()
        if text.file != INDEX
        for found in DECISION.finditer(text.text)
        if found[0] not in numbers
    ]
    assert missing == [] and not (unused - {"0038"}) & numbers


def test_the_modules_in_bold_are_modules() -> None:
    named = MODULE.findall(read("ARCHITECTURE.md"))
    stems = [f"/{n.rpartition('.')[0]}" for n in prose.committed() if n.endswith((".py", "js"))]
    assert [n for n in named if not any(stem.endswith(f"/{n}") for stem in stems)] == []
    assert len(named) > 10


INDEX = "docs/decisions/README.md"


def decisions_index() -> str:
    return read(INDEX)


def test_the_list_of_decisions_is_the_folder() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\(([\w-]+\.md)\) \|", decisions_index(), re.MULTILINE)
    there = sorted(path.name for path in (PROJECT / "docs/decisions").glob("0*.md"))
    assert [name for _, name in listed] == there
    assert all(name.startswith(number) for number, name in listed)


def test_every_link_to_a_file_leads_somewhere() -> None:
    documents = [n for n in prose.committed() if n.endswith(".md") and not n.startswith(NOT_OURS)]
    missing = []
    for name in documents:
        for target in re.findall(r"\]\(([^)\s]+)\)", read(name)):
            path, _, anchor = target.partition("#")
            file = (PROJECT / name).parent / path if path else PROJECT / name
            if "://" in target or target.startswith("javascript:"):
                continue
            if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
                missing.append(f"{name}: {target}")
    assert missing == []


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# -- lists that are held to the code


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
    hosts = re.compile(r"registry\.npmjs|files\.pythonhosted|pypi\.org|deb\.debian|/work/main|/root/")
    found = []
    for name in prose.committed():
        path = PROJECT / name
        if path.suffix in {".png", ".ico", ".woff2"} or not path.is_file() or name == "tests/test_docs.py":
            continue
        found += [f"{name}: {hit}" for hit in hosts.findall(path.read_text(errors="replace"))]
    assert found == []


if __name__ == "__main__":
    (PROJECT / "docs" / "session.md").write_text(session_diagram())
