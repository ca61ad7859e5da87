"""The op vocabulary and its reference applier."""

from __future__ import annotations

import pytest

from midstream import patch
from midstream.patch import Op, PatchError, Tree


def shape(node: patch.Node) -> list[object]:
    return [child if isinstance(child, str) else (child.tag, child.attrs, shape(child)) for child in node.children]


def test_ops_build_a_tree() -> None:
    tree = Tree().apply(
        [
            patch.open_(0, "p", 1),
            patch.text(1, "see "),
            patch.open_(1, "a", 2),
            patch.attr(2, "href", "https://example.org/"),
            patch.text(2, "this"),
            patch.text(1, " one"),
            patch.text(1, "!"),
            patch.close(1),
        ]
    )
    assert shape(tree.root) == [("p", {}, ["see ", ("a", {"href": "https://example.org/"}, ["this"]), " one!"])]


def test_every_op_has_the_shape_that_the_table_says() -> None:
    built = [
        patch.open_(0, "p", 1),
        patch.text(1, "a"),
        patch.attr(1, "start", None),
        patch.trunc(1, 1),
        patch.unwrap(1, "*"),
        patch.retag(1, "h1"),
        patch.drop(0, 0),
        patch.close(1),
    ]
    assert [op[0] for op in built] == list(patch.OPS)
    assert patch.validate(built) is built
    assert [shape.length for shape in patch.OPS.values()] == [4, 3, 4, 3, 3, 3, 3, 2]
    assert [shape.packed for shape in patch.OPS.values()] == [3, 3, 4, 3, 3, 3, 3, 2]
    for op in built:
        for wrong in (op[:-1], [*op, 0]):
            with pytest.raises(PatchError, match=f"needs {len(op) - 1} fields"):
                patch.validate([wrong])


def test_trunc_counts_utf16_units_and_removes_an_emptied_node() -> None:
    tree = Tree().apply([[0, 0, "p", 1], [1, 1, "a\U0001f600b"], [3, 1, 3]])
    assert shape(tree.root) == [("p", {}, ["a"])]
    tree.apply([[3, 1, 1]])
    assert shape(tree.root) == [("p", {}, [])]
    with pytest.raises(PatchError):
        tree.apply([[3, 1, 1]])


def test_unwrap_merges_texts_on_both_sides() -> None:
    tree = Tree().apply([[0, 0, "p", 1], [1, 1, "a "], [0, 1, "em", 2], [1, 2, "b"]])
    tree.apply([[0, 2, "code", 3], [1, 3, "c"], [1, 2, "d"], [1, 1, " e"], [4, 2, "*"]])
    assert shape(tree.root) == [("p", {}, ["a *b", ("code", {}, ["c"]), "d e"])]
    with pytest.raises(PatchError):
        tree.apply([[1, 2, "gone"]])


def test_retag_and_drop() -> None:
    tree = Tree().apply([[0, 0, "p", 1], [1, 1, "x"], [5, 1, "h2"], [0, 0, "hr", 2], [6, 0, 1]])
    assert shape(tree.root) == [("h2", {}, ["x"])]
    assert set(tree.nodes) == {0, 1}


def test_a_sealed_element_and_its_children_never_change() -> None:
    tree = Tree().apply([[0, 0, "blockquote", 1], [0, 1, "p", 2], [7, 1]])
    ops: list[Op] = [[1, 2, "x"], [5, 1, "p"], [7, 2], [4, 2, ""]]
    for op in ops:
        with pytest.raises(PatchError, match="sealed"):
            tree.apply([op])


@pytest.mark.parametrize(
    "op",
    [
        [0, 0, "script", 1],
        [0, 0, "p", "1"],
        [0, 0, "p", -1],
        [0, 0, "p", True],
        [1, 1],
        [1, 1, None],
        [2, 1, "onclick", "x()"],
        [2, 1, "href", "javascript:alert(1)"],
        [2, 1, "href", "java\nscript:alert(1)"],
        [2, 1, "href", "//example.org"],
        [2, 1, "href", "https:/\\x"],
        [2, 1, "data-src", "data:image/png,x"],
        [2, 1, "type", "submit"],
        [8, 1],
        [],
        "p",
    ],
)
def test_validate_refuses(op: object) -> None:
    with pytest.raises(PatchError):
        patch.validate([op])


def test_validate_passes_what_the_screen_knows() -> None:
    ops = [
        [0, 0, "a", 1],
        [2, 1, "href", "https://example.org/a?b#c"],
        [2, 1, "href", None],
        [7, 1],
    ]
    assert patch.validate(ops) is ops
    with pytest.raises(PatchError):
        patch.validate({"ops": []})


def test_tree_checks_an_attribute_against_its_element() -> None:
    with pytest.raises(PatchError, match="may not have"):
        Tree().apply([[0, 0, "p", 1], [2, 1, "href", "https://example.org/"]])


def test_merge_keeps_the_effect() -> None:
    ops: list[Op] = [
        [0, 0, "p", 1],
        [1, 1, "a"],
        [1, 1, "b"],
        [3, 1, 1],
        [1, 1, "c\U0001f600"],
        [3, 1, 2],
        [3, 1, 2],
    ]
    merged = patch.merge([list(op) for op in ops])
    assert merged == [[0, 0, "p", 1]]
    assert patch.merge([[1, 1, "ab"], [3, 1, 1], [1, 2, "x"], [1, 2, "y"]]) == [
        [1, 1, "a"],
        [1, 2, "xy"],
    ]
    assert patch.merge([[1, 1, "a"], [3, 1, 3]]) == [[3, 1, 2]]


OPS: list[patch.Op] = [
    [0, 0, "p", 1],
    [1, 1, "see "],
    [0, 1, "a", 2],
    [2, 2, "href", None],
    [5, 1, "h2"],
    [0, 0, "p", 3],
    [4, 2, "["],
    [3, 1, 4],
    [6, 0, 1],
    [7, 1],
]


@pytest.mark.parametrize("cut", range(len(OPS)))
def test_packed_ops_come_out_as_they_went_in(cut: int) -> None:
    newest = patch.opened(OPS[:cut])
    packed = patch.pack(OPS[cut:], newest)
    assert not any(isinstance(field, list) for field in packed)
    assert patch.unpack(packed, newest) == OPS[cut:]


@pytest.mark.parametrize("packed", [[0, 0], [7], [1, 0], [8, 0], ["p", 0], [1, "x", "y"], [None, 0]])
def test_what_cannot_be_cut_into_ops_is_refused(packed: patch.Packed) -> None:
    with pytest.raises(PatchError):
        patch.unpack(packed, 1)


def test_ids_that_leave_one_out_cannot_be_packed() -> None:
    with pytest.raises(PatchError, match="go up by one"):
        patch.pack([[0, 0, "p", 2]], 0)
