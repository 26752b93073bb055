"""For tests of applications: a portal whose clock is moved by hand, and whose passwords are hashed
fast. Never for real people.

>>> from datetime import timedelta
>>> from narthex import Refused
>>> from narthex.testing import ADA, log_in, portal
>>> with portal() as school:
...     token = log_in(school, ADA).token
...     school.clock.advance(timedelta(hours=4))
...     try:
...         school.verify_session(token)
...     except Refused as refusal:
...         print(refusal.code, refusal.reason)
session_ended inactivity
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any, Protocol

from ._errors import InvalidArgument
from ._narthex import Engine, ManualClock, run_scenario, scenario_names
from ._policy import Policy
from ._portal import Portal
from ._site import Site
from ._values import Asker, Contact, LoggedIn, Membership, Organization, RosterBatch, RosterPerson

__all__ = [
    "ADA",
    "BEN",
    "HOME",
    "MORNING",
    "Door",
    "Engine",
    "ManualClock",
    "Someone",
    "TestPortal",
    "around",
    "claim",
    "cookies",
    "log_in",
    "portal",
    "run_scenario",
    "scenario_names",
]

MORNING = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
"""When the clock of a test portal begins: a Monday."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A person of the test school."""

    login_id: str
    given_name: str
    family_name: str
    birthdate: date
    password: str
    organization: str = "north-high"
    answers: tuple[tuple[str, str], ...] = (
        ("first_toy", "Sir Knits"),
        ("story", "The Paper Boat"),
    )


ADA = Someone("S-1024", "Ada", "Byron", date(2012, 12, 10), "four wet pianos sang")
BEN = Someone("S-1025", "Ben", "Okafor", date(2011, 4, 2), "seven leagues of lace", "south-high")

HOME = Asker(source="192.0.2.1")
"""Somebody at home."""


class TestPortal(Portal):
    """A portal whose ``clock`` is moved by hand."""

    __test__ = False  # no test class of pytest's
    __slots__ = ("clock",)

    clock: ManualClock


def portal(
    url: str = "memory:",
    *,
    policy: Policy | None = None,
    base_url: str = "http://127.0.0.1:8000/portal",
    clock: ManualClock | None = None,
    **more: Any,
) -> TestPortal:
    """A portal with the test school in it: :data:`ADA` and :data:`BEN` may claim. Its pages answer to
    ``base_url`` alone, so that the test client of a framework asks that host, too."""
    clock = clock or ManualClock(MORNING)
    opened = TestPortal.open(url, policy=policy, base_url=base_url, _clock=clock, **more)
    opened.clock = clock
    schools = (
        Organization("north-high", "North High", contacts=(Contact("The office", "Office"),)),
        Organization("south-high", "South High"),
    )
    people = tuple(
        RosterPerson(
            source_id=one.login_id,
            login_id=one.login_id,
            given_name=one.given_name,
            family_name=one.family_name,
            birthdate=one.birthdate,
            memberships=(Membership(one.organization, "student"),),
        )
        for one in (ADA, BEN)
    )
    opened.import_roster(RosterBatch(source="office", organizations=schools, people=people))
    return opened


def claim(portal: Portal, someone: Someone = ADA) -> None:
    """Claims the account, if it is not claimed yet."""
    known = portal.person(someone.login_id)
    if known is not None and known.claimed:
        return
    ticket = portal.begin_claim(
        given_name=someone.given_name,
        family_name=someone.family_name,
        birthdate=someone.birthdate,
        login_id=someone.login_id,
        asker=HOME,
    )
    portal.finish_claim(ticket, password=someone.password, answers=dict(someone.answers))


def log_in(portal: Portal, someone: Someone = ADA) -> LoggedIn:
    """Claims the account if need be, and logs in."""
    claim(portal, someone)
    return portal.log_in(someone.login_id, someone.password, asker=HOME)


def cookies(portal: Portal, someone: Someone = ADA) -> dict[str, str]:
    """The cookie of a new session, for the test client of a framework: ``httpx.Client(cookies=...)``, in
    Django ``client.cookies.load(...)``, in Flask ``client.set_cookie(name, value)``."""
    if portal.site is None:
        raise InvalidArgument("portal", "has no pages, and so no cookie: open it with base_url")
    return {portal.site.session_cookie: log_in(portal, someone).token.expose()}


class Door(Protocol):
    """What :func:`run_scenario` tries: screens of your own before a portal. ``new_door`` makes one for
    each run."""

    way: str
    """``"python"``: the screens call :class:`narthex.Portal`; ``"http_json"`` and ``"http_pages"``: what is
    asked goes through the portal's own, mounted."""

    def open(self, engine: Engine) -> None:
        """Begins to serve ``around(engine)``."""

    def ask(self, browser: str, network: str, request: str) -> str:
        """What the screens answer. ``browser`` names whose cookies are sent along and kept, ``network`` where
        it is. Request and answer are JSON: ``{"do": "log_in", "login_id": "S-1024", ...}`` and
        ``{"outcome": "ok", ...}``; see ``core/conformance``."""
        ...


def around(engine: Engine) -> Portal:
    """A portal around an engine that is open: what :func:`run_scenario` hands to a front door."""
    return Portal(engine, Policy(), Site(base_url="https://portal.school.example"))
