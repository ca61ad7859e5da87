"""A scripted answer, for trying the app without a model and without a network.

It says that it is scripted, and it holds one of each thing that a stream has to get right: a list,
a table, code, letters outside ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["MODEL", "NOTE", "RATE", "tokens"]

MODEL = "demo"
NOTE = "a scripted answer, not a model"
RATE = 20.0  # tokens per second: slow enough to press reload in the middle

_ANSWER = """\
## A demonstration

You wrote: “{prompt}”. No model reads it: this text is **scripted**, and it comes slowly on purpose.
Press *reload* now. What you have read stays on the screen, and the rest goes on from the next word.

What happens then:

1. the words you have were saved as they came, together with their positions;
2. the page shows them again before anything else is loaded;
3. it asks for what came after the last position, and gets exactly that.

| cut | what you lose |
|:--|--:|
| a reload | nothing |
| ten seconds without network | nothing |
| the laptop closed over lunch | nothing |

In code the idea is short:

```python
def resume(log, seq):
    # what came after seq, then the rest as it comes
    yield from (event for event in log if event.seq > seq)
```

> Letters outside ASCII survive a cut too: naïve, Łódź, привет, 你好, 👩‍🚀.

That is all. Stop the answer with the *Stop* button, or write something else.
"""

# A token is a word with the space before it: about what models send.
_TOKEN = re.compile(r"\s*\S+|\s+")
_PROMPT_CHARACTERS = 60


def tokens(prompt: str) -> Iterator[str]:
    """The pieces of the answer to `prompt`, always the same for the same prompt."""
    words = " ".join(prompt.split())
    if len(words) > _PROMPT_CHARACTERS:
        words = words[: _PROMPT_CHARACTERS - 1] + "…"
    quoted = re.sub(r"([\\`*_\[\]<>|~&#!])", r"\\\1", words)
    return (match.group() for match in _TOKEN.finditer(_ANSWER.replace("{prompt}", quoted)))
