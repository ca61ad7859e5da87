"""placeholder"""

from midstream.gateway.memory import MemoryStore


class RedisStore(MemoryStore):
    def __init__(self, url: str) -> None:
        super().__init__()
