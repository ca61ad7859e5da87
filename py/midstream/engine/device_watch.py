"""What other devices write into the conversations of the gateway: the list, the conversation that is
wanted, and the additions to the current one while the page is visible."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from midstream.engine.answers.answers import Answers
from midstream.engine.conversation_intents import ConversationIntents
from midstream.engine.current_view import CurrentView
from midstream.engine.devices.device_sync import DeviceSync, Fetched
from midstream.engine.ports.host import Host
from midstream.engine.ports.jobs import Jobs

WATCH_S = 5.0  # between two looks at the current conversation
LONGEST_S = 60.0  # while the gateway does not answer
NOTICES = {Fetched.NOTHING: "unknown-conversation", Fetched.UNREACHED: "unreached-conversation"}


class DeviceWatch:
    """Owns which conversation the person wants that is not here yet."""

    def __init__(
        self,
        host: Host,
        view: CurrentView,
        answers: Answers,
        devices: DeviceSync,
        conversations: ConversationIntents,
        refresh: Callable[[str | None], Awaitable[None]],
    ) -> None:
        """`refresh`: follows and shows what has changed in a conversation."""
        self.visible = True  # the page
        self.online = True
        self._host = host
        self._view = view
        self._answers = answers
        self._devices = devices
        self._conversations = conversations
        self._refresh = refresh
        self._absent = ""
        self._fetching: set[str] = set()
        self._unknown: set[str] = set()  # conversations of which the gateway has nothing
        self.jobs = Jobs(host.post)

    def begin(self) -> None:
        self.jobs.spawn(self._watch())

    async def list(self) -> None:
        items = await self._devices.conversations()
        self._unknown.clear()
        if items is not None:
            self._view.gateway_items = items
            await self._view.list()
            await self._conversations.delete_at_gateway()

    async def open(self, conversation: str, *, known: bool) -> None:
        """Shows the additions of another device to a conversation, or all of it. `known`: it is here."""
        self._unknown.discard(conversation)
        code = NOTICES.get(await self.fetch(conversation))
        if code and not known:
            self._host.post({"type": "notice", "code": code, "level": "info"})

    def want(self, conversation: str) -> None:
        """The person wants to see a conversation that is not here; "" for none."""
        self._absent = conversation

    async def fetch(self, conversation: str) -> Fetched:
        """Adds what is missing here, and shows it."""
        if conversation in self._fetching:  # as of a poll: once is enough
            return Fetched.SAME
        self._fetching.add(conversation)
        try:
            return await self._fetch(conversation)
        finally:
            self._fetching.discard(conversation)

    async def _fetch(self, conversation: str) -> Fetched:
        fetched = await self._devices.fetch(conversation)
        if fetched is Fetched.NOTHING:
            self._unknown.add(conversation)
        if fetched is Fetched.ADDED:
            if self._absent == conversation and self._view.conversation is None:
                self._view.conversation, self._absent = conversation, ""
            await self._answers.move_behind(conversation)
            await self._refresh(conversation)
            self._host.broadcast({"conversation": conversation, "changed": True})
        return fetched

    async def look(self, conversation: str) -> None:
        """Another tab or device writes in a conversation: its answer is followed here too."""
        if await self.fetch(conversation) is not Fetched.ADDED:
            await self._refresh(conversation)

    async def _watch(self) -> None:
        wait = WATCH_S
        while True:
            await asyncio.sleep(wait)
            unreached = await self.fetch_wanted() is Fetched.UNREACHED
            wait = min(wait * 2, LONGEST_S) if unreached else WATCH_S

    async def fetch_wanted(self) -> Fetched:
        """Not while an answer is written here: the gateway writes one of a conversation at a time, and
        refuses the others."""
        wanted = self._view.conversation or self._absent
        known = bool(wanted) and wanted not in self._unknown
        if not (known and self.visible and self.online) or self._answers.of(wanted):
            return Fetched.SAME
        return await self.fetch(wanted)
