"""Where an application adds to the portal what the portal does not know: plain Python objects with the
methods of one of the five hooks, in ``Portal.open(..., hooks=Hooks(...))``.

A hook can refuse more and never allow more. Whatever it raises, and whatever is no answer, is a no where
it judges, and is left out where it only adds; the logger ``narthex.hook`` tells which hook failed, and
never what it was asked. Hooks are called on any thread, several at once, and hold up who waits for
them: they answer at once, with ``def``, and cannot ask the portal.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Union

from ._errors import InvalidArgument
from ._narthex import Candidate
from ._values import AuditEvent, StatisticLine, Statistics

__all__ = [
    "Abstain",
    "AuditEvent",
    "Breaks",
    "Candidate",
    "ClaimOpinion",
    "EventSink",
    "ExtraRequirement",
    "Hooks",
    "LandingStatistic",
    "LogInOpinion",
    "Meets",
    "Opinion",
    "PasswordRule",
    "PasswordVerdict",
    "Question",
    "Refuse",
    "StatisticLine",
    "Statistics",
]


@dataclass(frozen=True, slots=True)
class ExtraRequirement:
    """A requirement that a rule states: it joins the list that a person reads."""

    code: str
    """1 to 32 of ``a-z``, ``0-9`` and ``_``, a letter first. Refusals say ``rule.code``."""
    texts: Mapping[str, str]
    """By language: ``{"en": "No school mascot"}``. The first is for readers of any other."""


@dataclass(frozen=True, slots=True)
class Meets:
    """The password meets what the rule states."""


@dataclass(frozen=True, slots=True)
class Breaks:
    """It breaks these, of the codes that the rule states: at least one."""

    codes: Sequence[str]


PasswordVerdict = Union[Meets, Breaks]


class PasswordRule(Protocol):
    """More stated requirements of a new password."""

    @property
    def name(self) -> str:
        """A word as a requirement's code. Names the rule in refusals and in the log."""

    def requirements(self) -> Sequence[ExtraRequirement]:
        """What it asks for, 1 to 8 of them: asked for once, when it is installed."""

    def check(self, candidate: Candidate) -> PasswordVerdict:
        """Judges ``candidate.text()``, which is hidden from logs and wiped when this returns.

        The ``str`` that ``text()`` makes is Python's, which wipes nothing: it goes when its last name
        goes. Keep it nowhere, and hand it to nobody.
        """


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks to claim or to log in. No secret, no name; and nothing of whether the portal knows the
    number: an opinion is asked of everybody alike."""

    login_id: str
    """The number that was typed, in its canonical form."""
    source: str
    """The network the request comes from; empty for the command line."""
    browser: str
    """A short description of the browser."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Abstain:
    """Nothing against it. What decides is the portal."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, for this reason: for the operator's audit, never told to who asks."""

    code: str


Opinion = Union[Abstain, Refuse]


class ClaimOpinion(Protocol):
    """A second opinion on claims, asked before anything is compared."""

    @property
    def name(self) -> str: ...

    def claim(self, question: Question) -> Opinion: ...


class LogInOpinion(Protocol):
    """A second opinion on log-ins, asked before the password is compared."""

    @property
    def name(self) -> str: ...

    def log_in(self, question: Question) -> Opinion: ...


class EventSink(Protocol):
    """Is told of every audit event of this process after it was committed. Cannot fail what happened."""

    @property
    def name(self) -> str: ...

    def observe(self, event: AuditEvent) -> None:
        """Takes an event and returns at once: what takes time is done elsewhere."""


class LandingStatistic(Protocol):
    """More statistics of an organization, for its members."""

    @property
    def name(self) -> str: ...

    def lines(self, told: Statistics, language: str) -> Sequence[StatisticLine]:
        """At most 8 lines for who reads ``language``; ``told`` is what the page says already, small
        groups hidden."""


_METHODS = {
    "password_rules": ("requirements", "check"),
    "claim_opinions": ("claim",),
    "log_in_opinions": ("log_in",),
    "event_sinks": ("observe",),
    "landing_statistics": ("lines",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What is installed on a portal: at most 16 of a kind, with a name each."""

    password_rules: Sequence[PasswordRule] = ()
    claim_opinions: Sequence[ClaimOpinion] = ()
    log_in_opinions: Sequence[LogInOpinion] = ()
    event_sinks: Sequence[EventSink] = ()
    landing_statistics: Sequence[LandingStatistic] = ()

    def __post_init__(self) -> None:
        for kind, methods in _METHODS.items():
            hooks = tuple(getattr(self, kind))
            object.__setattr__(self, kind, hooks)
            for place, hook in enumerate(hooks):
                for method in ("name", *methods):
                    _look_at(hook, method, f"hooks.{kind}[{place}]")


def _look_at(hook: object, method: str, at: str) -> None:
    found = getattr(hook, method, None)
    if method == "name":
        if not isinstance(found, str):
            raise InvalidArgument(at, "has no name, which is text")
        return
    if not callable(found):
        raise InvalidArgument(at, f"has no method {method}")
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        raise InvalidArgument(at, f"has an async {method}: a hook answers at once, with def")
