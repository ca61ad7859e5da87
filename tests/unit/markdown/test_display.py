"""Display extensions and the safe policy: formulas, prices, footnotes, links, images, raw HTML."""

from __future__ import annotations

import pytest

from midstream.markdown.html import render
from tests.streams.check import check


def html(text: str) -> str:
    return render(check(text)).rstrip("\n")


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 or $6.",
        "from $5 to $7, i.e. by $2",
        "US$20 and C$30 and A$5",
        "$20 now and $30 later",
        "between $20 and 30$ each",
        "$PATH and $HOME",
        "echo $HOME/$USER",
        "a $ b $ c",
        "$5,000.00 - $6,000",
        "only one $x here",
        "$ 5 $",
        "1$ 2$ 3$",
    ],
)
def test_prices_and_variables_are_text(text: str) -> None:
    assert html(text) == f"<p>{text}</p>"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("so $x^2$ is", 'so <code data-math="inline">x^2</code> is'),
        (
            "$a_1$, $b*c*d$.",
            '<code data-math="inline">a_1</code>, <code data-math="inline">b*c*d</code>.',
        ),
        (
            "$5$ and $2x$",
            '<code data-math="inline">5</code> and <code data-math="inline">2x</code>',
        ),
        (
            "\\(x\\) and \\[y\\]",
            '<code data-math="inline">x</code> and <code data-math="block">y</code>',
        ),
        ("$$E = mc^2$$", '<code data-math="block">E = mc^2</code>'),
        ("$$\nx\n+ y\n- z\n$$", '<code data-math="block">x\n+ y\n- z</code>'),
        ("\\[\na\n= b\n\\]", '<code data-math="block">a\n= b</code>'),
        ("\\$5 and \\$6", "$5 and $6"),
    ],
)
def test_formulas(text: str, want: str) -> None:
    assert html(text) == f"<p>{want}</p>"


def test_a_formula_that_never_closes_is_text() -> None:
    assert html("$$\nx\n- y\n\n*z*") == "<p>$$\nx\n- y</p>\n<p><em>z</em></p>"


def test_footnotes() -> None:
    got = html("a[^1] b[^x]\n\n[^1]: one\n[^x]: two\n\n    more\n\nafter")
    assert got == (
        '<p>a<sup data-note="1">1</sup> b<sup data-note="x">x</sup></p>\n'
        '<aside data-note="1">\n<p>one</p>\n</aside>\n'
        '<aside data-note="x">\n<p>two</p>\n<p>more</p>\n</aside>\n<p>after</p>'
    )


def test_a_footnote_without_its_text_is_text() -> None:
    assert html("a[^1] b") == "<p>a[^1] b</p>"


@pytest.mark.parametrize(
    "url",
    [
        *[
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
        ],
        *[
            "vbscript:x",
            "file:///etc/passwd",
            "/relative",
            "#anchor",
            "//example.org",
            "https:example.org",
        ],
        *["http:/\\example.org", "ftp://example.org", "blob:https://example.org/x", "x:y"],
    ],
)
def test_links_that_are_none(url: str) -> None:
    for text in (f"[a](<{url}>)", f"[a]\n\n[a]: <{url}>", f"![a](<{url}>)"):
        assert html(text) in ("<p>a</p>", f"<p>{text}</p>"), text


def test_links_and_images() -> None:
    assert html('[a](https://example.org/ä "t")') == '<p><a href="https://example.org/%C3%A4" title="t">a</a></p>'
    assert html("<me@example.org>") == '<p><a href="mailto:me@example.org">me@example.org</a></p>'
    assert html("![a *b*](http://e.org/i.png)") == '<p><button data-src="http://e.org/i.png">a b</button></p>'
    assert html("![](http://e.org/i.png)") == '<p><button data-src="http://e.org/i.png"></button></p>'


def test_raw_html_is_text() -> None:
    assert html("a <b onclick='x()'>c</b>") == "<p>a &lt;b onclick='x()'&gt;c&lt;/b&gt;</p>"
    assert html("<script>\nalert(1)\n</script>") == "<p>&lt;script&gt;\nalert(1)\n&lt;/script&gt;</p>"
    assert html("a<br>b<BR/>c") == "<p>a<br>b<br>c</p>"


@pytest.mark.parametrize(
    "text",
    [
        *[
            "`Vec<String>` and Vec<String>",
            "i<n;i++",
            "a < b && c > d",
            "cat <<EOF",
            "<think>hm</think>",
        ],
        *["#include <stdio.h>", "x <= y", "<?php echo 1; ?>", 'JSON: {"a": [1]}', "<!-- note -->"],
    ],
)
def test_nothing_of_technical_text_is_lost(text: str) -> None:
    from tests.unit.markdown.test_limits import shown

    assert shown(check(text)) == text.replace("`", "")
