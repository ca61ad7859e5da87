"""The applier's nodes, op by op, are those of the reference in midstream/patch.py."""

from __future__ import annotations

from typing import Any

from tests.support.node import in_node
from tests.support.op_sequences import patches

# Nodes as nested lists, without what the screen itself adds (direction, host, rel, labels, the bar of a code block).
APPLY = """async (cases, web) => {
  const { Applier } = await web('shared/apply.js');
  const { unpack } = await web('screen/answer/packed_ops.js');
  const { MiniDocument } = await web('worker/mini_dom.js');
  const own = new Set(['dir', 'target', 'rel', 'data-host', 'data-plain', 'aria-label', 'tabindex', 'role',
    'data-block']);
  const kept = ({ localName }, { name }) => !own.has(name) &&
    !(localName === 'button' && name !== 'data-src') && !(localName === 'input' && name !== 'checked');
  const see = (node) => node.nodeType === 3 ? node.data : [
    node.localName,
    Object.fromEntries(node.attributes.filter((each) => kept(node, each)).map(({ name, value }) => [name, value])),
    ...node.childNodes.filter((child) => child.nodeType === 3 || child.getAttribute('data-do') === null).map(see)];
  console.warn = () => {};
  return cases.map((patches) => {
    const applier = new Applier(new MiniDocument().createElement('div'));
    for (const { ops, packed } of patches) applier.apply(ops ?? unpack(packed, applier.opened));
    return applier.root.childNodes.map(see);
  });
}"""


def test_random_ops_give_the_reference_tree() -> None:
    made: list[tuple[list[dict[str, Any]], list[Any]]] = [patches(seed) for seed in range(60)]
    assert in_node(APPLY, [ops for ops, _ in made]) == [tree for _, tree in made]
