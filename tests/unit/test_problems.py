"""Whatever can go wrong has words in every language: the codes are read out of the sources and held against the
catalogues, so a new one without words fails here."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from midstream.engine.store.validation import sound_message
from midstream.errors import MidstreamError, RequestError, UpstreamError
from midstream.problem_texts import ENGLISH, Plural
from midstream.problems import TEXT, VALUES, Problem, is_record, problem, read
from tooling.assets import catalogue
from tooling.places import HERE, Places
from tooling.trouble import Trouble

ROOT = Path(__file__).parents[2]
SOURCES = {
    path.relative_to(ROOT / "py/midstream").as_posix(): ast.parse(path.read_text())
    for path in sorted((ROOT / "py/midstream").rglob("*.py"))
}
CATALOGUES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "web/i18n").glob("*.json"))
}
CATALOGUES["en"] = dict(catalogue.english(HERE))
SCREEN = "\n".join(path.read_text() for path in sorted((ROOT / "web").glob("s*/**/*.js")))
WORKER = "\n".join(path.read_text() for path in [ROOT / "web/sw.js", *sorted((ROOT / "web/worker").glob("*.js"))])
# A code and the names of the values that come with it; `quote` is the words of somebody else.
KNOWN = {
    code: set(re.findall(r"(\w+)", names or ""))
    for code, names in re.findall(r"new KnownProblem\('(\w+)'(?:, \{([\w, ]+)\})?\)", SCREEN)
}
AROUND = {"browser": {"quote"}, "quote": {"line", "quote"}}
# What goes to a screen. Others of their kind (a wrong option, a missing file) are for the command line.
TOLD = {"UpstreamError", "UpstreamRefused", "UpstreamBroken", "RequestError", "Unusable"}
TOLD_BY_THE_ENGINE = TOLD | {"UsageError", "StoreError"}


def names(words: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", words))


def text_of(code: str) -> str:
    """All that `ENGLISH` has for a code, in one text."""
    sentence, next_step = ENGLISH[code]
    return " ".join([*([sentence] if isinstance(sentence, str) else sentence), next_step])


def function_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def calls(*functions: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of them in the sources, with the name of its file."""
    for name, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and function_of(node) in functions:
                yield name, node


def forms(entry: str | dict[str, str]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_code_has_words_with_its_values(language: str) -> None:
    codes = {code: names(text_of(code)) for code in ENGLISH} | KNOWN | AROUND
    said = {
        key.removeprefix("problem."): entry for key, entry in CATALOGUES[language].items() if key.startswith("problem.")
    }
    assert said.keys() == codes.keys()
    wrong = [c for c, entry in said.items() if any(names(form) != codes[c] for form in forms(entry))]
    assert wrong == []


def test_the_screen_has_codes_of_its_own() -> None:
    assert "archive_damaged" in KNOWN and KNOWN["archive_packed"] == {"name"}


def test_every_code_is_said_somewhere() -> None:
    constants = {
        node.value
        for name, tree in SOURCES.items()
        if name != "problem_texts.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    constants |= set(re.findall(r"'(\w+)'", WORKER))
    assert ENGLISH.keys() - constants == {"event_too_large"} - constants


def test_what_is_said_has_a_code_and_its_values() -> None:
    wrong = []
    for name, call in calls("problem"):
        code = call.args[0] if call.args else None
        if isinstance(code, ast.Constant):
            assert isinstance(code.value, str)
            given = {keyword.arg for keyword in call.keywords} - {"quote", "message", "hint"}
            if given != names(text_of(code.value)):
                wrong.append(f"{name}:{call.lineno} {code.value}")
    assert wrong == []


def test_nothing_is_said_to_a_screen_in_english_alone() -> None:
    wrong = []
    for name, call in calls(*TOLD_BY_THE_ENGINE):
        told = TOLD_BY_THE_ENGINE if name.startswith("engine/") else TOLD
        first = call.args[0] if call.args else None
        if function_of(call) in told and isinstance(first, ast.Constant | ast.JoinedStr):
            wrong.append(f"{name}:{call.lineno}")
    assert wrong == []


def test_what_the_service_worker_says_has_words() -> None:
    said = set(re.findall(r"\{\},\s+'(\w+)',?\s*\)", WORKER))
    assert said == {"spool_refused", "spool_gone", "storage_failed"}
    assert said <= ENGLISH.keys()


def test_english_has_one_source(tmp_path: Path) -> None:
    """The page's sentence is the one of Python, to the letter, and nothing repeats it."""
    english = catalogue.english(HERE)
    assert english["problem.upstream_key"] == ENGLISH["upstream_key"][0]
    assert english["problem.endpoint_failed"] == " ".join(map(str, ENGLISH["endpoint_failed"]))
    several, step = ENGLISH["too_many_runs"]
    assert isinstance(several, Plural)
    forms = {"one": f"{several.one} {step}", "other": f"{several.other} {step}"}
    assert english["problem.too_many_runs"] == forms
    own = json.loads((ROOT / "web/i18n/en.json").read_text())
    assert [code for code in ENGLISH if f"problem.{code}" in own] == []
    for name in ("web/i18n/en.json", "py/midstream/problem_texts.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "web/i18n/en.json").write_text('{"problem.gone": "It is gone."}')
    with pytest.raises(Trouble, match=r"repeats .*: problem\.gone"):
        catalogue.english(Places(tmp_path))


@pytest.mark.parametrize("language", CATALOGUES)
def test_a_sentence_names_a_button_as_it_is_labelled(language: str) -> None:
    texts = CATALOGUES[language]
    assert texts["button.export"] in texts["problem.import_unknown"]


@pytest.mark.parametrize(("n", "sentence"), [(1, "1 answer."), (2, "2 answers."), (0, "0 answers.")])
def test_a_sentence_goes_by_its_number(n: int, sentence: str) -> None:
    assert problem("too_many_runs", n=n).message == f"The server is already writing {sentence}"


# -- as data


def test_a_problem_goes_out_as_its_code_and_comes_back() -> None:
    said = problem("upstream_key", host="model.example", status=401, quote="no\n such  key")
    assert said.message == ("The model's server (model.example) refused the gateway's key (401). Message: no such key")
    values = {"host": "model.example", "status": 401}
    assert said.record() == {"code": "upstream_key", "values": values, "quote": "no such key"}
    assert read(json.loads(json.dumps(said.record())), said.message) == said


def test_of_several_things_each_is_said() -> None:
    parts = [
        problem("in_message", number=2, parts=[problem("unusable_id")]),
        problem("import_more", n=3),
    ]
    said = problem("import_none", parts=parts)
    assert "Not usable: message 2: it has no usable id; and 3 more." in said.message
    inner = said.record()["parts"][0]
    assert (inner["code"], inner["parts"][0]["code"]) == ("in_message", "unusable_id")


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "gone",
        {},
        {"code": 1},
        {"code": "Gone"},
        {"code": "gone\n"},
        {"code": "__proto__"},
        {"code": "x" * 49},
        {"code": "gone", "more": 1},
        {"code": "gone", "quote": 1},
        {"code": "gone", "quote": "x" * (TEXT + 1)},
        {"code": "gone", "values": []},
        {"code": "gone", "values": {"n": None}},
        {"code": "gone", "values": {"n": True}},
        {"code": "gone", "values": {"n": float("nan")}},
        {"code": "gone", "values": {"n": {}}},
        {"code": "gone", "values": {"N": 1}},
        {"code": "gone", "values": {"name": "x" * (TEXT + 1)}},
        {"code": "gone", "values": {f"v{'x' * n}": n for n in range(VALUES + 1)}},
        {"code": "gone", "parts": [{"code": "gone"}]},
    ],
)
def test_what_is_no_problem_is_not_taken_for_one(raw: Any) -> None:
    assert not is_record(raw)
    assert read(raw, "words") is None


@pytest.mark.parametrize(("said", "kept"), [({"code": "gone"}, True), ({"code": 1}, False)])
def test_a_stored_answer_keeps_only_what_is_one(said: Any, kept: bool) -> None:
    record = {
        "id": "a",
        "conversation": "c",
        "author": "assistant",
        "position": 1,
        "state": "failed",
        "runs": [{"key": "k", "run": None, "endpoint": {"name": "E", "kind": "openai"}}],
        "error": {"message": "words", "hint": "", "problem": said},
    }
    error = (sound_message(record) or {})["error"]
    assert error["message"] == "words" and ("problem" in error) == kept


def test_an_error_takes_over_the_words() -> None:
    why = problem("storage_full")
    error = MidstreamError(why)
    assert (error.problem, str(error), error.line()) == (why, why.message, why.line())
    assert MidstreamError("words").problem is None
    assert isinstance(UpstreamError(why).problem, Problem)
    assert RequestError(why, status=507).problem == why
