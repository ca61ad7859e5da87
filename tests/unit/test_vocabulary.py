"""The screen's scripts and catalogues, read as text: no HTML sink, and every text is there in every language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tooling.assets import catalogue
from tooling.places import HERE

WEB = Path(__file__).parents[2] / "web"
SCRIPTS = {path.name: path.read_text() for folder in ("shared", "screen") for path in (WEB / folder).rglob("*.js")}
CATALOGUES: dict[str, dict[str, Any]] = {
    file.stem: json.loads(file.read_text()) for file in sorted((WEB / "i18n").glob("*.json"))
}
WORDS = CATALOGUES["en"] = dict(catalogue.english(HERE))
# As CLDR has them, and so Intl.PluralRules.
PLURALS = {
    "en": {"one", "other"},
    "pl": {"one", "few", "many", "other"},
    "ru": {"one", "few", "many", "other"},
}


def test_no_html_sink() -> None:
    """Trusted Types would stop them at run time; here they do not even stand in the source."""
    sinks = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTML|DOMParser|eval\("
    )
    assert {name for name, source in SCRIPTS.items() if sinks.search(source)} == set()


def keys_used() -> set[str]:
    sources = "\n".join([*SCRIPTS.values(), (WEB / "index.html").read_text()])
    return set(re.findall(r"""\bt\([^)`]*?'([\w-]+\.[\w.-]+)'""", sources)) | set(
        re.findall(r'data-(?:words|label|placeholder)="([^"]+)"', sources)
    )


def test_every_word_is_in_the_catalogue() -> None:
    assert keys_used() - WORDS.keys() == set()


def test_every_word_of_the_catalogue_is_used() -> None:
    sources = "\n".join([*SCRIPTS.values(), (WEB / "index.html").read_text()])
    templates = [f"{found}" for found in re.findall(r"`([\w.-]+\.)\$\{", sources)]
    literals = set(re.findall(r"""['"]([\w.-]+)['"]""", sources))
    unused = {key for key in WORDS if key not in literals and not any(map(key.startswith, templates))}
    assert unused == set()


def forms(entry: str | dict[str, str]) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_there_is_a_catalogue_of_each_language() -> None:
    source = (WEB / "shared" / "i18n.js").read_text()
    listed = re.search(r"LANGUAGES = \{(.*)\}", source)
    assert listed and set(re.findall(r"(\w+):", listed[1])) == set(CATALOGUES) == set(PLURALS)


@pytest.mark.parametrize("language", CATALOGUES)
def test_a_catalogue_is_complete(language: str) -> None:
    """Each entry says the same with the same values; one that goes by number has every form of its language."""
    words = CATALOGUES[language]
    assert words.keys() == WORDS.keys()
    for key, entry in words.items():
        english = set().union(*map(names, forms(WORDS[key])))
        assert isinstance(entry, str) == isinstance(WORDS[key], str), key
        assert isinstance(entry, str) or set(entry) == PLURALS[language], key
        assert all(names(form) == english for form in forms(entry)), key
        assert all(form.strip() for form in forms(entry)), key
