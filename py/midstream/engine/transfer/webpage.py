"""One conversation as a web page in one file, without scripts, which fetches nothing.

The app's own parser draws the texts of the model under the policy of the screen, so the page holds
nothing that the screen would not show.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from html import escape

from midstream.engine.store.rendering import branch_of, rows_of
from midstream.engine.transfer.documents import Labels
from midstream.engine.transfer.hosts import names, plain_address, text_of
from midstream.journal import Record, Store, text, tokens
from midstream.markdown import Parser
from midstream.markdown.html import render
from midstream.markdown.invisible import visible
from midstream.markdown.policy import gate
from midstream.patch import Node, Tree

SLICE = 16 * 1024  # characters parsed before others get their turn
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root {
  color-scheme: light dark; --soft: color-mix(in srgb, CanvasText 62%, Canvas);
  --line: color-mix(in srgb, CanvasText 18%, Canvas); --tint: color-mix(in srgb, CanvasText 6%, Canvas);
}
body {
  max-inline-size: 42rem; margin: 2rem auto; padding-inline: 1.25rem;
  font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: break-word;
}
h1, h2, h3, h4, h5, h6 { line-height: 1.25; }
header p, article > h2:first-child, .state, summary, figcaption {
  font-size: 0.8125rem; font-weight: 600; color: var(--soft);
}
article { margin-block: 2rem; }
.user > div { white-space: pre-wrap; background: var(--tint); padding: 0.625rem 1rem; border-radius: 0.75rem; }
p, li, td, th, h1, h2, h3, h4, h5, h6 { unicode-bidi: plaintext; text-align: start; }
pre, code { direction: ltr; unicode-bidi: isolate; }
pre { overflow-x: auto; background: var(--tint); padding: 0.75rem 1rem; border-radius: 0.5rem; }
code { font: 0.875em/1.5 ui-monospace, monospace; }
:not(pre) > code { background: var(--tint); padding: 0.125rem 0.25rem; border-radius: 0.25rem; }
table {
  display: block; inline-size: fit-content; max-inline-size: 100%; margin-inline: 0 auto;
  overflow-x: auto; border-collapse: collapse;
}
th, td { padding: 0.375rem 0.75rem; border-block-end: 1px solid var(--line); }
[align=left] { text-align: left; } [align=center] { text-align: center; } [align=right] { text-align: right; }
blockquote { margin-inline: 0; padding-inline-start: 1rem; border-inline-start: 3px solid var(--line); }
li:has(> p > input:first-child) { list-style: none; } [data-tight] > li > p { margin: 0; }
a[data-host]::after { content: " (" attr(data-host) ")"; font-size: 0.75em; color: var(--soft); }
details { white-space: pre-wrap; color: var(--soft); }
@media print { pre { white-space: pre-wrap; } h1, h2, h3 { break-after: avoid; } }
"""


async def web_page(store: Store, conversation: Record, labels: Labels) -> str:
    title = escape(visible(str(conversation["title"]))) or "Midstream"
    turns = [turn async for turn in _turns(store, conversation, labels)]
    return "\n".join(
        [
            f'<!doctype html>\n<html lang="{escape(labels["language"])}">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f'<header><h1 dir="auto">{title}</h1></header>',
            *turns,
            "</body>\n</html>\n",
        ]
    )


async def _turns(store: Store, conversation: Record, labels: Labels) -> AsyncIterator[str]:
    for record, _ in await branch_of(store, conversation):
        if record["author"] == "user":
            yield _article("user", labels["user"], f'<div dir="auto">{escape(visible(record["text"]))}</div>')
            continue
        rows = await rows_of(store, record["id"])
        body = await html_of(text(rows))
        thought = "".join(row.reasoning for row in rows)
        if thought:
            folded = f"<summary>{escape(labels['reasoning'])}</summary>{escape(visible(thought))}"
            body = f"<details>{folded}</details>\n{body}"
        if record["state"] != "complete":
            count = labels["partial"].replace("{n}", str(tokens(rows)))
            body += f'<p class="state">{escape(count)}</p>'
        yield _article("assistant", labels["assistant"], body)


def _article(kind: str, name: str, body: str) -> str:
    return f'<article class="{kind}"><h2>{escape(name)}</h2>\n{body}\n</article>'


async def html_of(source: str) -> str:
    """The HTML of a text; a long one lets answers that are being written go on meanwhile."""
    parser, tree = Parser(), Tree()
    for start in range(0, len(source), SLICE):
        tree.apply(parser.feed(source[start : start + SLICE]))
        await asyncio.sleep(0)
    tree.apply(parser.finish())
    for node in _nodes(tree.root):
        _without_button(node)
        _show_host(node)
        code = node.tag == "code"
        node.children = [visible(each, code=code) if isinstance(each, str) else each for each in node.children]
    for block in tree.root.children:
        if isinstance(block, Node) and block.tag != "pre":
            block.attrs["dir"] = "auto"
    return render(tree)


def _nodes(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        stack += [child for child in node.children if isinstance(child, Node)]
        yield node


def _without_button(node: Node) -> None:
    """Makes a link of a button by which the screen opens an image: here no script would open it."""
    if node.tag == "button":
        address = gate(node.attrs.get("data-src", ""))
        node.tag, node.attrs = "a", {"href": address} if address else {}


def _show_host(node: Node) -> None:
    """As the screen does: no user name before the host, and the host stands after a text that is not the address."""
    if node.tag != "a" or not (address := node.attrs.get("href")):
        return
    node.attrs["href"], host = plain_address(address)
    if not names(text_of(node), host):
        node.attrs["data-host"] = host
