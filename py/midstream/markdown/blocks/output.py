"""What the leaves of one document write to, and the bounds and definitions that they share."""

from __future__ import annotations

from midstream import patch
from midstream.markdown import limits
from midstream.markdown.blocks.definitions import Definitions
from midstream.markdown.emitter import Emitter
from midstream.markdown.limits import Meter
from midstream.markdown.policy import Policy
from midstream.patch import Op


class Output:
    """One per document: its ops, and what counts for all of its leaves."""

    __slots__ = ("_padding", "_unsealed", "definitions", "emit", "meter", "policy")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.emit = Emitter()
        self.meter = Meter()
        self.definitions = Definitions()
        self._padding = limits.PADDING
        self._unsealed: list[int] = []

    def seal(self, id: int, *, pinned: bool = False) -> None:
        """Seal an element; one with something inside that may still change when the document ends."""
        if pinned:
            self._unsealed.append(id)
            return
        ops = self.emit.ops
        # Sealing it seals what is inside, and all that was sealed just now is inside.
        while ops and ops[-1][0] == patch.CLOSE:
            ops.pop()
        ops.append(patch.close(id))

    def may_pad(self) -> bool:
        """Whether a short table row may be filled up by one more empty cell."""
        self._padding -= 1
        return self._padding >= 0

    def take(self) -> list[Op]:
        """The ops so far, with those of definitions that came late."""
        self.definitions.reparse(final=False)
        return self.emit.take()

    def finish(self) -> list[Op]:
        """The last ops: what waits no longer waits, what is open is sealed."""
        self.definitions.reparse(final=True)
        self.emit.ops += map(patch.close, self._unsealed)
        self._unsealed.clear()
        return self.emit.take()
