"""The joint of a continued answer: no word lost, none twice, whatever the model repeats first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from midstream import seam
from midstream.providers import demo
from midstream.seam import HELD_BACK, MIN_ECHO, MIN_OVERLAP, MIN_RESTART, MIN_WORD, Joint, join

# (what happens, the answer so far, the new run, the kind, the whole)
CASES: list[tuple[str, str, str, str, str]] = [
    ("in the middle of a word", "The hippopot", "amus.", "exact", "The hippopotamus."),
    ("after a word", "The cat", " sat.", "exact", "The cat sat."),
    (
        "a word said twice on purpose",
        "I know that",
        " that is so.",
        "exact",
        "I know that that is so.",
    ),
    ("spaces of the cut end come again", "The cat ", " sat.", "exact", "The cat sat."),
    ("spaces of the cut end do not come again", "The cat ", "sat.", "exact", "The cat sat."),
    ("paragraph again", "One.\n\n", "\n\nTwo.", "exact", "One.\n\nTwo."),
    ("paragraph half cut", "One.\n", "\n\nTwo.", "exact", "One.\n\nTwo."),
    ("less space than there is", "One.\n\n", "\nTwo.", "exact", "One.\n\nTwo."),
    ("a space for a line break", "One.\n", " Two.", "exact", "One.\nTwo."),
    ("a line break for spaces", "One.  ", " \nTwo.", "exact", "One.  \nTwo."),
    ("more line breaks than there are", "One. \n", "\n\nTwo.", "exact", "One. \n\nTwo."),
    ("indentation comes again", "a:\n  ", "\n    b", "exact", "a:\n    b"),
    ("indentation, other spaces", "a:\n  ", " \n    b", "exact", "a:\n    b"),
    ("indentation after a break", "a:\n", "\n    b", "exact", "a:\n    b"),
    ("nothing was said", "", " Hello", "exact", " Hello"),
    ("only space was said", "\n", "\nHello", "exact", "\nHello"),
    ("nothing more comes", "Hello", "", "exact", "Hello"),
    ("nothing but space comes", "Hello ", "  ", "exact", "Hello  "),
    ("echo", "The hippopot", "The hippopotamus.", "echo", "The hippopotamus."),
    ("echo, space before it", "The hippopot", "\n The hippopotamus.", "echo", "The hippopotamus."),
    (
        "echo without its first space",
        " The hippopot",
        "The hippopotamus",
        "echo",
        " The hippopotamus",
    ),
    ("echo of the trimmed end", "The cat ", "The cat sat.", "echo", "The cat sat."),
    ("echo with more space", "The cat.\n", "The cat.\n\nIt sat.", "echo", "The cat.\n\nIt sat."),
    ("echo and no more", "The cat", "The cat", "echo", "The cat"),
    ("an echo too short to tell", "#", "# Title", "exact", "## Title"),
    (
        "the run ended inside its echo",
        "The hippopotamus is a large animal of Africa.",
        "The hippopotamus is a large ani",
        "echo",
        "The hippopotamus is a large animal of Africa.",
    ),
    (
        "overlap",
        "It is said that the hippopotamus swi",
        "the hippopotamus swims.",
        "overlap",
        "It is said that the hippopotamus swims.",
    ),
    (
        "overlap, space before and after it",
        "It is said that the hippopotamus \n",
        " that the hippopotamus swims.",
        "overlap",
        "It is said that the hippopotamus \nswims.",
    ),
    ("cut word again", "A big hippo", "hippopotamus.", "overlap", "A big hippopotamus."),
    ("cut word too short to tell", "He said ha", "ha, no.", "exact", "He said haha, no."),
    ("digits are not a cut word", "It is 1000", "1000 times", "exact", "It is 10001000 times"),
    (
        "the longest overlap wins",
        "Well. The cat sat on the mat. Then the cat sat on the mat",
        "the cat sat on the mat. It slept.",
        "overlap",
        "Well. The cat sat on the mat. Then the cat sat on the mat. It slept.",
    ),
    (
        "an overlap from the middle of a word must be longer",
        "A hippopotamus is big",
        "potamus is big, and",
        "exact",
        "A hippopotamus is bigpotamus is big, and",
    ),
    (
        "and may be when it is",
        "See: hippopotamuses are swimming in the wide and muddy river of the warm country",
        "popotamuses are swimming in the wide and muddy river of the warm country.",
        "overlap",
        "See: hippopotamuses are swimming in the wide and muddy river of the warm country.",
    ),
    (
        "data that repeats its keys",
        '{"hippopotamus": 1, "hippopotamus',
        '": 1, "hippopotamus-2": 1}',
        "exact",
        '{"hippopotamus": 1, "hippopotamus": 1, "hippopotamus-2": 1}',
    ),
    (
        "an overlap that begins with a mark",
        "See this:\n**A hippopotamus** swi",
        "**A hippopotamus** swims",
        "overlap",
        "See this:\n**A hippopotamus** swims",
    ),
    ("rules and tables repeat", "a\n----------------", "--------", "exact", "a\n" + "-" * 24),
    (
        "a refrain goes on",
        "So we sang: row the little boat, row the little boat, ",
        "row the little boat, row the little boat, ahoy",
        "exact",
        "So we sang: " + "row the little boat, " * 4 + "ahoy",
    ),
    ("emoji for ever", "😀" * 40, "😀" * 50, "exact", "😀" * 90),
    (
        "restart",
        "Here is a poem about cats:\n\nThe cat sa",
        "Here is a poem about cats: A feline",
        "restart",
        "Here is a poem about cats:\n\nThe cat sa\n\nHere is a poem about cats: A feline",
    ),
    (
        "restart after a line break",
        "Here is a poem about cats:\n\nThe cat\n",
        "\nHere is a poem about cats: A feline",
        "restart",
        "Here is a poem about cats:\n\nThe cat\n\nHere is a poem about cats: A feline",
    ),
    (
        "a beginning that many share",
        "The cat sat. ",
        "The cow ate.",
        "exact",
        "The cat sat. The cow ate.",
    ),
]


@pytest.mark.parametrize(("before", "text", "kind", "whole"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_whole_is(before: str, text: str, kind: str, whole: str) -> None:
    joint = join(before, text, True)
    assert joint is not None
    assert (before + joint.insert + text[joint.skip :], joint.kind) == (whole, kind)


def test_an_echo_is_waited_for_as_long_as_it_goes_on() -> None:
    before = " ".join(map(str, range(500)))
    assert len(before) > HELD_BACK
    assert all(join(before, before[:at], False) is None for at in range(len(before.rstrip())))
    assert join(before, before + "more", False) == Joint("echo", len(before))


# -- properties


def oracle(before: str, text: str, from_: int = 1) -> int:
    """The longest beginning of `text` that `before` ends with, the slow way."""
    sizes = range(min(len(before), len(text)), from_ - 1, -1)
    return next((size for size in sizes if before.endswith(text[:size])), 0)


def is_verse(text: str) -> bool:
    """Whether it repeats itself at least twice: nobody can tell then who repeats."""
    borders = (size for size in range(1, len(text)) if text[:size] == text[-size:])
    return any(not text[size : len(text) - size].strip() for size in borders)


def joined(before: str, text: str, chunks: list[int]) -> str:
    """The whole as a reader sees it who takes the first decision and keeps to it."""
    at, joint = 0, None
    for size in chunks:
        at += size
        joint = joint or join(before, text[:at], False)
    joint = joint or join(before, text, True)
    assert joint is not None
    return before + joint.insert + text[joint.skip :]


WORDS = st.text("abcdefghiklmnoäß😀1", min_size=1, max_size=9)
SPACES = st.sampled_from([" ", " ", " ", ", ", "\n", "\n\n", "\n  - ", "\n\n    "])
ANSWERS = st.lists(st.tuples(WORDS, SPACES), min_size=2, max_size=25).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)
CHUNKS = st.lists(st.integers(0, 12), max_size=30)


@settings(deadline=None, derandomize=True)
@given(ANSWERS, st.data(), CHUNKS)
def test_an_exact_continuation(whole: str, data: st.DataObject, chunks: list[int]) -> None:
    cut = data.draw(st.integers(1, len(whole)))
    before = whole[:cut]
    rest = whole[len(before.rstrip()) :]
    if data.draw(st.booleans()) and not whole[cut : cut + 1].isspace():
        rest = whole[cut:]  # a model that leaves out the space which it was not shown
    said, body = before.strip(), rest.lstrip()
    assume(oracle(said, body, MIN_WORD) == 0)
    assume(len(body) < MIN_RESTART or not said.startswith(body[:MIN_RESTART]))
    assert joined(before, rest, chunks) == whole


@settings(deadline=None, derandomize=True)
@given(ANSWERS, st.data(), CHUNKS)
def test_an_echo(whole: str, data: st.DataObject, chunks: list[int]) -> None:
    cut = data.draw(st.integers(1, len(whole)))
    before = whole[:cut]
    said = before.strip()
    assume(len(said) >= MIN_ECHO and not is_verse(said))
    lead = data.draw(st.sampled_from(["", " ", "\n\n"]))
    assert joined(before, lead + whole.lstrip(), chunks) == whole


@settings(deadline=None, derandomize=True)
@given(ANSWERS, st.data(), CHUNKS)
def test_an_overlap(whole: str, data: st.DataObject, chunks: list[int]) -> None:
    cut = data.draw(st.integers(1, len(whole)))
    before = whole[:cut]
    said = before.rstrip()
    starts = [
        at
        for at in range(1, len(said))
        if said[at - 1].isspace() and not said[at].isspace() and sum(map(str.isalnum, said[at:])) >= MIN_OVERLAP
    ]
    assume(starts)
    start = data.draw(st.sampled_from(starts))
    text = whole[start:]
    size = len(said) - start
    assume(oracle(said, text) == size and not is_verse(said[start:]))
    assume(not text.startswith(said.strip()))
    assert joined(before, text, chunks) == whole


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limits so small that arbitrary text reaches every branch."""
    limits = {"HELD_BACK": 9, "MIN_OVERLAP": 2, "MIN_WORD": 2, "MIN_ECHO": 2, "MIN_RESTART": 3}
    for name, value in limits.items():
        monkeypatch.setattr(seam, name, value)
    yield


FEW = st.text("abc \n", max_size=14)


@pytest.mark.usefixtures("small")
def test_arbitrary_text() -> None:
    seen = set()

    @settings(deadline=None, derandomize=True, max_examples=400)
    @given(FEW, FEW | st.tuples(FEW, FEW).map(lambda two: two[0] * 2 + two[1]), st.integers(-14, 14))
    @example("", "", 0)
    @example("abc", "abc", 0)
    @example("a ", "\n" * 40, 0)
    @example("c abcabdabeabf", "c", 12)
    @example("abcabx", "abcabxa", 0)
    def holds(before: str, tail: str, repeated: int) -> None:
        again = before[-repeated:] if repeated > 0 else before[:-repeated]
        text = again + tail
        decisions = [join(before, text[:at], False) for at in range(len(text) + 1)]
        made = [decision for decision in decisions if decision]
        assert len(set(made)) <= 1, "a decision changed"
        assert decisions[len(decisions) - len(made) :] == made, "a decision was taken back"
        end = join(before, text, True)
        assert end is not None
        assert not made or end == made[0]
        assert 0 <= end.skip <= len(text)
        gone, said = text[: end.skip].strip(), before.strip()
        assert said.endswith(gone) or (end.kind == "echo" and said.startswith(text.strip()))
        assert end.insert in (("", "\n", "\n\n") if end.kind == "restart" else ("",))
        if len(text) > max(len(before), 2 * seam.HELD_BACK) + seam.HELD_BACK:
            assert made, "more was held back than may be"
        seen.add((end.kind, bool(made)))

    holds()
    assert {kind for kind, _ in seen} == {"exact", "echo", "overlap", "restart"}


REAL = ["".join(demo.tokens("hi"))] + [
    path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parents[2] / "docs" / "decisions").glob("000[1-6]-*.md"))
]


@pytest.mark.parametrize("whole", REAL, ids=range(len(REAL)))
def test_real_text_is_never_taken_for_a_repetition(whole: str) -> None:
    """Prose, lists, tables and code, cut everywhere."""
    for cut in range(1, len(whole)):
        before = whole[:cut]
        rest = whole[len(before.rstrip()) :]
        joint = join(before, rest, True)
        assert joint is not None
        assert before + joint.insert + rest[joint.skip :] == whole, before[-60:]


# -- hostile text


def fibonacci(size: int) -> str:
    """The worst text for prefix functions: nearly everything nearly matches."""
    last, now = "a", "ab"
    while len(now) < size:
        last, now = now, now + last
    return now[:size]


N = 200_000


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("a" * N, "a" * N),
        ("a" * N, "a" * (N - 1) + "b"),
        ("b" + "a" * N, "a" * N + "b"),
        ("ab" * N, "ab" * N + "c"),
        (fibonacci(N), fibonacci(N)[7:] + "x"),
        ("a" * N + "b", "a" * (HELD_BACK // 2) + "b" + "a" * N),
        ("x" + " " * N, " " * N + "y"),
        ("x" + "\n " * N, "\n" * N + "y"),
        (" " * N + "x", " " * N + "xy"),
    ],
    ids=range(9),
)
def test_hostile_text_takes_linear_time(before: str, text: str) -> None:
    """Quadratic would be an hour; the bound is some hundred times what it takes."""
    began = time.process_time()
    join(before, text, False)
    assert join(before, text, True) is not None
    assert time.process_time() - began < 2
