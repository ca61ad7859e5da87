"""JSON from outside: its depth is known before Python's stack is used for it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from midstream import json_text
from midstream.events import Unreadable
from midstream.json_text import LEVELS, TooDeep, brackets, decode
from midstream.providers import openai
from tests.growth.growth import ENOUGH, factor

PY = Path(json_text.__file__).parent
# These read what this app has written itself, or in a process with a stack of its own.
OWN = {
    *("json_text.py", "render.py", "engine/app.py", "engine/store/tab_store.py", "engine/transfer/import_file.py"),
    *("engine/browser/warmup.py", "engine/browser/tabs.py", "engine/browser/idb.py", "engine/browser/database.py"),
    *("engine/transport/demo.py",),
}


@pytest.mark.parametrize(
    "text", ['{"a": [1, "[\\"[", {}]}', "[]", "3", '"\\ud83d"', ' [[[""]]] ', '{"a":' * 199 + "{}" + "}" * 199]
)
def test_what_is_no_deeper_is_decoded(text: str) -> None:
    assert decode(text) == json.loads(text)
    assert decode(text.encode("utf-16")) == json.loads(text)


@pytest.mark.parametrize("text", ["[" * 201, '{"a":' * 201, '["[",' * 201, "[" * 10**6])
def test_what_is_deeper_is_refused_before_it_is_decoded(text: str) -> None:
    with pytest.raises(TooDeep, match=f"{LEVELS}"):
        decode(text)


def test_brackets_in_strings_are_none() -> None:
    assert decode("[" + ",".join(['"[[{{\\\\\\""'] * 300) + "]")
    assert [*brackets('{"]": [""]}')] == [("{", 0, 1), ("[", 6, 2), ("]", 9, 2), ("}", 10, 1)]


@pytest.mark.parametrize("shape", ['"', '"\\', "\\", "a", '""', '"["', "[]", '{"a":1}', '"a\\"'])
def test_its_work_grows_with_the_text(shape: str) -> None:
    assert factor(lambda text: [*brackets(text)], lambda size: shape * size) <= ENOUGH


def test_a_deep_event_of_a_model_is_an_error_in_words() -> None:
    (event,) = openai.parse('{"choices":' + "[" * 8000 + "]" * 8000 + "}")
    assert isinstance(event, Unreadable)


def test_nothing_from_outside_is_decoded_without_it() -> None:
    """In the engine: the gateway's Python says by itself that a text is too deep."""
    users = {
        path.relative_to(PY).as_posix()
        for path in [*PY.glob("*.py"), *(PY / "engine").rglob("*.py"), *(PY / "providers").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "json.loads"
    }
    assert users == OWN
