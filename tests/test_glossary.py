"""One word for one thing: docs/glossary.md holds for the code, the documents and the interface."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support import prose
from tests.support.prose import PROJECT, read

GLOSSARY = "docs/glossary.md"

# Names that say too little (`found`), say it in a figure (`keeper`), or said two things or more. The
# glossary's word, or the field's, stands beside each.
BANNED = {
    "elsewhere": "a participle or figure: gateway_client",
    "foreign": "a quality, not a thing: export_tree",
    "found": "a participle: result, results",
    "heard": "a participle: received, engine_messages",
    "hit": "a figure: search_highlight",
    "incoming": "two modules had it: archive_schema, shared_text",
    "keeper": "a figure: snapshot_scheduler",
    "kept": "a participle with five meanings: stored, session_storage, snapshot_store",
    "late": "a quality: lazy_stdlib, pygments_loader",
    "manage": "a verb without an object: conversation_menu",
    "offers": "a figure: endpoint registry",
    "pace": "a figure: typing_priority",
    "paper": "a figure: print",
    "place": "six meanings: position, path, index",
    "pressed": "a participle: turn_actions",
    "pulse": "a figure: watchdog",
    "reopened": "a participle: resumption",
    "replies": "a figure: http_errors",
    "reports": "it was a part of answers",
    "restored": "a participle: hydrate",
    "roaming": "a figure: device_sync",
    "room": "a figure: quota",
    "said": "a participle: text, detail",
    "saved": "a participle: stored_conversation",
    "settle": "a figure: content_visibility",
    "shown": "a participle: current, visible",
    "slices": "a figure: chunked",
    "spare": "a figure: storage_fallback",
    "told": "a participle: sent, reported",
    "tools": "says nothing: page_tools",
    "trial": "a figure: probe",
    "voice": "a figure: speech",
    "words": "text, or the search's words",
    "written": "a participle: answer_journal",
}
# The old classes, so that none of them comes back.
BANNED_CLASSES = {
    *("Copies", "Found", "Heard", "Library", "Line", "Manage", "Offers", "Pace", "Paths", "Person"),
    *("Prompts", "Pulse", "Reopened", "Said", "Settle", "Shown", "Slices", "Talk", "Voice"),
    "Written",
}
# In folders and on the wire, where they stay: (file, name) and why.
PINNED = {
    ("web/late", "late"): "a folder of dist/, whose address hosts and service workers have",
    ("py/midstream/markdown/blocks/lines.py", "Line"): "a line of a text is a line",
}
# What people had to read twice, and what it is called now.
PHRASES = {
    "who answers": "Model",
    "as the system has it": "System setting",
    "as the browser has it": "Browser setting",
    "save everything": "Download all data",
    "load a file": "Import",
    "or alike": "OpenAI-compatible",
    "room is short": "when storage runs low",
    "more words find fewer": "Add words to narrow the search",
    "it is cut off on its way": "it was cut off",
    "stands in your message": "is in your message",
    "for who ": "for people who",
    "by who ": "by the one who",
    "nobody has written it": "it has no author",
    "by which interfaces of this kind": "used to compare chat interfaces",
    "should a service worker ever": "to remove a faulty service worker",
}


def rows(title: str) -> list[list[str]]:
    """The table under a heading, without its head."""
    part = read(GLOSSARY).split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| **")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def terms(cell: str) -> list[str]:
    return [term.strip() for term in cell.strip("*").split(",")]


THINGS, VERBS = ([term for row in rows(title) for term in terms(row[0])] for title in ("Things", "Verbs"))


def test_the_tables_are_read_and_in_order() -> None:
    verbs = [terms(row[0])[0] for row in rows("Verbs")]
    assert sorted(set(THINGS)) == THINGS and verbs == sorted(verbs)
    assert len(THINGS) > 30 and len(VERBS) > 15 and len(set(VERBS)) == len(VERBS)


@pytest.mark.parametrize("term", THINGS)
def test_a_thing_of_the_glossary_is_in_the_documents_the_interface_or_a_name(term: str) -> None:
    """The name of a module or a class, for things that only the code speaks of: `CurrentView`."""
    said = re.compile(rf"(?<![a-z]){term.replace(' ', '[ _-]?')}(?:s|es)?(?![a-z])", re.IGNORECASE)
    assert any(map(said.search, texts())), f"nobody says {term!r}"


@cache
def texts() -> list[str]:
    documents = [n for n in prose.committed() if n.endswith(".md") and n != GLOSSARY]
    return [*map(read, documents), read("web/i18n/en.json"), *product(), *map(classes, product())]


def classes(name: str) -> str:
    return " ".join(re.findall(r"\bclass (\w+)", prose.code(name)))


@pytest.mark.parametrize("term", VERBS)
def test_a_verb_of_the_glossary_is_the_first_word_of_a_function(term: str) -> None:
    functions = re.compile(rf"(?:def|function\*?|^ +(?:async )?#?) ?_?{term}(?:_\w+|[A-Z]\w*)?\(", re.M)
    assert any(functions.search(prose.code(name)) for name in product()), f"no function is {term!r}"


def product() -> list[str]:
    return [*sources("py/midstream/", ".py"), *sources("web/", ".js", ".mjs")]


def test_every_place_where_a_word_lives_exists() -> None:
    """A path below the root, `py/midstream/` or `web/`, or a module; `everywhere` is everywhere."""
    missing = []
    for word, _, where in rows("Things"):
        for path in (part.strip().strip("`") for part in where.split(",")):
            if path != "everywhere" and not any(map(Path.exists, places(path))):
                missing.append(f"{word}: {path}")
    assert missing == []


def places(path: str) -> Iterator[Path]:
    bases = ("", "py/", "py/midstream/", "py/midstream/engine/", "py/midstream/engine/store/")
    for base in bases:
        yield PROJECT / base / path
        yield PROJECT / base / f"{path}.py"


def sources(folder: str, *endings: str) -> list[str]:
    return [n for n in prose.committed() if n.startswith(folder) and n.endswith(endings)]


def test_no_module_or_folder_has_a_banned_name() -> None:
    bad = set()
    for name in [*sources("py/midstream/", ".py"), *sources("web/", ".js", ".mjs", ".py")]:
        path = Path(name)
        folders = [(folder.as_posix(), folder.name) for folder in path.parents]
        for where, word in [(name, path.stem), *folders]:
            if word in BANNED and (where, word) not in PINNED:
                bad.add(f"{where}: {BANNED[word]}")
    assert sorted(bad) == []


def public_names(name: str) -> Iterator[tuple[int, str]]:
    """Line and name of what a module offers: its classes and functions, their public methods."""
    if not name.endswith(".py"):
        exported = re.compile(r"^export (?:async )?(?:function\*?|class|const|let) (\w+)")
        for number, line in enumerate(read(name).splitlines(), 1):
            yield from ((number, found) for found in exported.findall(line))
        return
    tree = ast.parse(read(name))
    for node in [*tree.body, *(child for each in tree.body for child in inside(each))]:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name


def inside(node: ast.stmt) -> list[ast.stmt]:
    return node.body if isinstance(node, ast.ClassDef) else []


def test_no_class_or_function_that_others_use_has_a_banned_name() -> None:
    bad = [
        f"{name}:{line}: {word}"
        for name in product()
        for line, word in public_names(name)
        if word in BANNED or word in BANNED_CLASSES
        if (name, word) not in PINNED
    ]
    assert bad == []


def test_nobody_has_to_read_a_sentence_twice() -> None:
    texts = [(n, read(n)) for n in prose.committed() if n.endswith(".md")]
    catalogue = json.loads(read("web/i18n/en.json"))
    texts += [(f"en.json {key}", json.dumps(entry)) for key, entry in catalogue.items()]
    texts += [(name, read(name)) for name in sources("py/midstream/problem", ".py")]
    bad = [
        f"{name}: “{phrase}”, better: {better}"
        for name, text in texts
        if not name.startswith(("tests/", "docs/decisions/", "CHANGELOG.md"))
        for phrase, better in PHRASES.items()
        if phrase in " ".join(text.lower().split())
    ]
    assert bad == []
