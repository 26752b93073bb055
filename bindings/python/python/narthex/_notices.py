"""What happens to the family of a session, as it happens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from ._judge import judge
from ._values import Notice

if TYPE_CHECKING:
    from ._narthex import Notices as _Notices

ENDED = "ended: "

INTERRUPTED_WITHIN_S = 0.2
"""So soon a thread that waits hears of Ctrl-C."""


class Notices:
    """What happens to the family of a session from now on: ``Portal.subscribe(session)``.

    ::

        async for notice in portal.subscribe(session):
            await websocket.send_json({"kind": notice.kind})

    Hints, never the authority: of what another process does they say nothing. ``Notice("ended", reason)``
    is the last. An end without it says that the portal was closed, or that newer listeners of the same
    family took the place (16 may listen): ask ``Portal.verify_session(session)``. Who gives the waiting up
    (a time limit, a cancelled task) loses none.
    """

    __slots__ = ("_notices",)

    def __init__(self, notices: _Notices) -> None:
        self._notices = notices

    def next(self, timeout: timedelta | None = None) -> Notice | None:
        """The next notice; ``None`` after the end. Raises ``TimeoutError`` if there is none for so
        long."""
        judge("timeout", timedelta | None, timeout)
        until = None if timeout is None else time.monotonic() + timeout.total_seconds()
        rest = INTERRUPTED_WITHIN_S
        while True:
            if until is not None:
                rest = min(max(0.0, until - time.monotonic()), INTERRUPTED_WITHIN_S)
            if self._notices.wait(timedelta(seconds=rest)):
                there, told = self._notices.take()
                if there:
                    return _notice(told)
            elif rest == 0.0:
                raise TimeoutError("no notice has come")

    async def anext(self) -> Notice | None:
        """The next notice; ``None`` after the end. For a time limit: ``asyncio.wait_for``."""
        while True:
            await self._notices.ready()
            there, told = self._notices.take()
            if there:
                return _notice(told)

    def poll(self) -> list[Notice]:
        """All that have come since the last look, without waiting."""
        come = []
        while (told := self._notices.take()[1]) is not None:
            come.append(_told(told))
        return come

    def __iter__(self) -> Iterator[Notice]:
        while (notice := self.next()) is not None:
            yield notice

    async def __aiter__(self) -> AsyncIterator[Notice]:
        while (notice := await self.anext()) is not None:
            yield notice

    def __repr__(self) -> str:
        return "Notices()"

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy Notices: they rest on a session")


def _notice(told: str | None) -> Notice | None:
    return None if told is None else _told(told)


def _told(told: str) -> Notice:
    if told.startswith(ENDED):
        return Notice("ended", told.removeprefix(ENDED))
    return Notice("password_changed")
