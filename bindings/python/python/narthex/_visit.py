"""A person, or nobody we know, on a page of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._narthex import Events
from ._values import Asker, Profile

if TYPE_CHECKING:
    from ._narthex import Operation, Session
    from ._narthex import Visit as _Visit


class Answered(Exception):
    """The answer to a request that the host's page must not answer: the way to the log-in, a
    refusal, a page that loads again. The middleware sends it."""

    def __init__(self, answer: tuple[int, list[tuple[bytes, bytes]], bytes | Events]) -> None:
        status, headers, content = answer
        assert isinstance(content, bytes), "a refusal is no stream"
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.content = content


class Visit:
    """Who is at a page of the host, as the middleware found out."""

    __slots__ = ("_asker", "_led_away", "_visit")

    def __init__(self, visit: _Visit) -> None:
        self._visit = visit
        self._asker: Asker | None = None
        # The answer to who may not do this here, once something asked for it.
        self._led_away: Answered | None = None

    @property
    def asker(self) -> Asker:
        """Who asks, for the portal's methods: the address as the trusted proxies tell it, the browser,
        and what it keeps of earlier log-ins."""
        if self._asker is None:
            source, request_id, client_label, known_browser = self._visit.asker()
            self._asker = Asker(
                source=source,
                request_id=request_id,
                client_label=client_label,
                known_browser=known_browser,
            )
        return self._asker

    @property
    def session(self) -> Session | None:
        """The live session of the browser, if there is one."""
        return self._visit.session

    @property
    def family(self) -> str | None:
        """The public name of the session's family, for forms: who logs in meanwhile has another."""
        return self._visit.family

    @property
    def location(self) -> str | None:
        """Where the visit is, if one can come back to it."""
        return self._visit.location

    @property
    def organization(self) -> str | None:
        """The organization that the location names; the person belongs to it."""
        return self._visit.organization

    def is_fresh(self) -> bool:
        """Whether the password was typed a short while ago: ``SessionPolicy.fresh_for``."""
        return self._visit.is_fresh()

    def profile(self) -> Profile | None:
        """Who is there, read afresh; ``None``: nobody we know."""
        return self._visit.profile().run()

    async def aprofile(self) -> Profile | None:
        """As :meth:`profile`."""
        return await self._visit.profile()

    def header(self) -> str:
        """The portal's header for this page, as HTML: name, menu, log-out, warning before the
        end. Without a session it has a link to the log-in."""
        return self._visit.header().run()

    async def aheader(self) -> str:
        """As :meth:`header`."""
        return await self._visit.header()

    def require(self) -> Session:
        """The session; without one, raises :class:`Answered`: the way to the log-in and back."""
        if self.session is None:
            raise self.refused("not_logged_in")
        return self.session

    def require_fresh(self) -> Session:
        """As :meth:`require`, and the password must have been typed a short while ago."""
        session = self.require()
        if not self.is_fresh():
            raise self.refused("reauthentication_needed")
        return session

    def refused(self, code: str) -> Answered:
        """The answer to who may not do this here: ``"not_logged_in"``, ``"not_permitted"`` or
        ``"reauthentication_needed"``. A page for a person, a problem document for a script."""
        self._led_away = Answered(self._visit.refuse(code))
        return self._led_away

    def __repr__(self) -> str:
        return f"Visit({'nobody' if self.session is None else 'a person'})"
