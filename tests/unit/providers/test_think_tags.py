"""Reasoning that a server leaves in the text, however the text is cut."""

from __future__ import annotations

import pytest

from midstream.providers.think_tags import ThinkTags, split_whole

# (what it is, the text that comes, what is shown of it, the reasoning)
CASES = [
    ("no tags", "Hello you", "Hello you", ""),
    ("a pair", "<think>hm</think>Hello", "Hello", "hm"),
    ("a pair on lines", "<think>\nhm, well\n</think>\n\nHello", "Hello", "hm, well"),
    ("space before it", "\n\n <think>hm</think>Hello", "Hello", "hm"),
    ("an empty pair", "<think>\n\n</think>\n\nHello", "Hello", ""),
    ("two pairs", "<think>a</think><think>b</think>Hello", "Hello", "ab"),
    ("thinking", "<thinking>hm</thinking>Hello", "Hello", "hm"),
    ("open for ever", "<think>hm, well", "", "hm, well"),
    ("half a tag at the end", "<think>hm</thi", "", "hm</thi"),
    ("half a tag at the beginning", "<thi", "<thi", ""),
    ("a beginning like it", "<thesis>x", "<thesis>x", ""),
    ("one mark", "<", "<", ""),
    ("only space", " \n", " \n", ""),
    ("space before words", "\n  Hello", "\n  Hello", ""),
    ("in the middle", "Write <think>x</think> so.", "Write <think>x</think> so.", ""),
    ("in code", "`<think>x</think>`", "`<think>x</think>`", ""),
    ("in a block of code", "```\n<think>x\n</think>\n```\nHello", "```\n<think>x\n</think>\n```\nHello", ""),
    ("closed only", "Let me see.\n</think>\n\nHello", "Hello", "Let me see."),
    ("closed only, in one line", "Let me see.</think>Hello", "Hello", "Let me see."),
    ("closed only, at once", "</think>\nHello", "Hello", ""),
    ("closed only, with code in it", "```\nx\n```\nso\n</think>\n\nHello", "Hello", "```\nx\n```\nso"),
    ("closed only, in code", "The tag `</think>` closes.", "The tag `</think>` closes.", ""),
    ("closed only, in a block", "So:\n```\n</think>\n```\n", "So:\n```\n</think>\n```\n", ""),
    ("closed only, a word", 'The </think> tag and "</think>"', 'The </think> tag and "</think>"', ""),
    ("a word, and then the end", "The </think> tag.\n</think>\nHello", "Hello", "The </think> tag."),
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 1000])
@pytest.mark.parametrize(("text", "shown", "reasoning"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_reasoning_and_text_are_told_apart(text: str, shown: str, reasoning: str, size: int) -> None:
    tags = ThinkTags()
    said = thought = ""
    for start in range(0, len(text), size):
        split = tags.take(text[start : start + size])
        said = split.text if split.moved else said + split.text
        thought += split.reasoning
    left = tags.rest()
    # Line ends between the tags and the words may come apart from both: nobody sees them.
    assert (said + left.text).lstrip("\n") == shown.lstrip("\n")
    assert (thought + left.reasoning).strip() == reasoning
    if size == 1000:
        assert split_whole(text) == (said + left.text, thought + left.reasoning)


def test_a_closing_tag_after_reasoning_of_its_own_is_text() -> None:
    tags = ThinkTags()
    assert tags.take("", reasoned=True).text == ""
    assert tags.take("It ends.</think>").text == "It ends.</think>"


def test_many_tags_cost_no_more_than_their_text() -> None:
    tags = ThinkTags()
    for _ in range(2000):
        tags.take("a `</think>` ")
    assert tags._tries == 0
