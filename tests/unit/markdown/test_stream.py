"""What the ops look like while text comes in: holding back, trust and its retraction, sealing, flips."""

from __future__ import annotations

import pytest

from midstream.markdown import Parser
from midstream.patch import Op, Tree


def ops(*parts: str) -> list[list[Op]]:
    """The ops per piece, and at the end."""
    parser = Parser()
    return [*(parser.feed(part) for part in parts), parser.finish()]


def kinds(batch: list[Op]) -> list[int]:
    return [int(str(op[0])) for op in batch]


def test_plain_text_is_one_text_op_per_piece() -> None:
    assert ops("Hello", " there", " you") == [
        [[0, 0, "p", 1], [1, 1, "Hello"]],
        [[1, 1, " there"]],
        [[1, 1, " you"]],
        [[7, 1]],
    ]


def test_white_space_waits_for_what_follows() -> None:
    first, second, third, _ = ops("a", " ", "b")
    assert (first[-1], second, third) == ([1, 1, "a"], [], [[1, 1, " b"]])


def test_emphasis_is_trusted_and_confirmed_without_an_op() -> None:
    _, opened, grown, closed, after, _ = ops("x ", "**bo", "ld", "**", " y")
    assert opened == [[1, 1, " "], [0, 1, "strong", 2], [1, 2, "bo"]]
    assert (grown, closed, after) == ([[1, 2, "ld"]], [], [[1, 1, " y"]])


@pytest.mark.parametrize("mark", ["*", "**", "_", "~~", "`", "``", "["])
def test_trust_is_taken_back_by_one_op(mark: str) -> None:
    *_, end = ops("a ", f"{mark}b c", "\n\nz")[:-1]
    assert end[0] == [4, 2, mark]
    assert end[1] == [7, 1]


def test_a_links_target_is_held_and_then_one_attribute() -> None:
    *_, text, target, closed, _ = ops("see ", "[the", " docs](htt", "ps://example.org/", ") ok")
    assert text == [[1, 2, " docs"]]
    assert target == []
    assert closed == [[2, 2, "href", "https://example.org/"], [1, 1, " ok"]]


def test_an_image_appears_whole() -> None:
    assert [len(b) for b in ops("![a", "lt](https://e", "xample.org/i.png", ")")[:3]] == [0, 0, 0]
    tree = Tree()
    for batch in ops("![a", "lt](https://example.org/i.png)"):
        tree.apply(batch)
    button = tree.root.children[0].children[0]  # type: ignore[union-attr]
    assert (button.tag, button.children) == ("button", ["alt"])  # type: ignore[union-attr]


@pytest.mark.parametrize("start", ["-", "1", "12.", "#", "##", "`", "``", "~~", "=", "> "[:1], "---"])
def test_a_line_whose_meaning_is_open_is_held(start: str) -> None:
    assert ops("a\n", start)[1] == []


def test_a_setext_underline_is_held_and_then_one_retag() -> None:
    _, line, end, _ = ops("Title\n", "==", "=\n")
    assert line == []
    assert end == [[5, 1, "h1"], [7, 1]]


def test_a_possible_table_header_is_held_until_the_next_line() -> None:
    header, delimiter, row, _ = ops("| a | b |\n", "|---|---|\n", "| 1 |")
    assert header == []
    assert [op[2] for op in delimiter if op[0] == 0] == ["table", "thead", "tr", "th", "th"]
    assert [op[2] for op in row if op[0] == 0] == ["tbody", "tr", "td"]


def test_a_header_without_leading_pipe_is_taken_back() -> None:
    header, delimiter, _ = ops("a | b\n", "---|---\n")
    assert header == [[0, 0, "p", 1], [1, 1, "a | b"]]
    assert delimiter[:2] == [[6, 0, 0], [0, 0, "table", 2]]


def test_items_and_rows_seal_inside_their_open_parents() -> None:
    _, item, _ = ops("- a\n", "- b")
    assert [7, 2] in item
    _, _, row, _ = ops("|a|\n|-|\n", "|1|\n", "|2|")
    assert row[0][0] in (0, 7)
    sealed = [op for batch in ops("|a|\n|-|\n", "|1|\n", "|2|\n")[:-1] for op in batch if op[0] == 7]
    assert len(sealed) >= 3


def test_loose_lists_flip_by_one_attribute() -> None:
    *_, flip, _ = ops("- a\n- b\n", "\n- c")
    assert [op for op in flip if op[0] == 2] == [[2, 1, "data-tight", None]]


def test_a_late_definition_touches_only_the_leaves_that_wait() -> None:
    first, _, late, end = ops("see [x] and\n\n", "nothing *here*\n\n", "[x]: https://example.org/\n\n")
    assert [7, 1] not in first
    assert all(op[1] in (1,) or op[0] in (0, 1, 2) for op in late)
    assert [2, 4, "href", "https://example.org/"] in late or any(op[0] == 2 for op in late)
    assert [7, 1] in end


def test_the_first_definition_of_a_label_counts() -> None:
    tree = Tree()
    for batch in ops("[a]: https://one.example/\n[a]: https://two.example/\n\n[A]"):
        tree.apply(batch)
    link = tree.root.children[0].children[0]  # type: ignore[union-attr]
    assert link.attrs == {"href": "https://one.example/"}  # type: ignore[union-attr]


def test_an_empty_piece_is_nothing() -> None:
    parser = Parser()
    assert parser.feed("") == []
    parser.feed("a *b")
    assert parser.feed("") == []
    parser.finish()
    assert parser.finish() == []
    with pytest.raises(RuntimeError):
        parser.feed("x")


def test_halves_of_things_are_joined_over_pieces() -> None:
    assert ops("a\r", "\nb")[1] == [[1, 1, "\nb"]]
    assert ops("a \ud83d", "\ude00 b")[1] == [[1, 1, " 😀 b"]]
    assert ops("a\ud83d")[1] == [[1, 1, "�"], [7, 1]]
    assert ops("a\x00b")[0][1] == [1, 1, "a�b"]


def test_parsers_live_side_by_side() -> None:
    """mistletoe keeps link definitions in a module global; nothing of ours may."""
    one, two = Parser(), Parser()
    trees = Tree(), Tree()
    texts = "[x]: https://one.example/\n\n[x] `a\n", "[x]: https://two.example/\n\n[x] **b\n"
    for k in range(max(map(len, texts))):
        for parser, tree, text in zip((one, two), trees, texts, strict=True):
            tree.apply(parser.feed(text[k : k + 1]))
    found = []
    for parser, tree in zip((one, two), trees, strict=True):
        tree.apply(parser.finish())
        found.append(tree.root.children[0].children[0].attrs["href"])  # type: ignore[union-attr]
    assert found == ["https://one.example/", "https://two.example/"]
