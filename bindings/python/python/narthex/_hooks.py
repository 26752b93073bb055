"""How the engine asks hooks: an answer that is none raises, and what raises is a fault."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from .hook import (
    Abstain,
    Breaks,
    Candidate,
    LandingStatistic,
    Meets,
    PasswordRule,
    Question,
    Refuse,
)
from ._values import AuditEvent, StatisticLine, Statistics

_log = logging.getLogger("narthex.hook")


def requirements(rule: PasswordRule) -> list[tuple[str, list[tuple[str, str]]]]:
    """Code and texts of each."""
    return [(one.code, list(one.texts.items())) for one in rule.requirements()]


def check(rule: PasswordRule, candidate: Candidate) -> list[str]:
    """The codes that a password breaks; empty: it meets what the rule states."""
    verdict: object = rule.check(candidate)
    if isinstance(verdict, Meets):
        return []
    if isinstance(verdict, Breaks) and not isinstance(verdict.codes, str):
        # Counted after they are taken: an iterator of nothing is true, and would be a yes.
        if codes := list(verdict.codes):
            return codes
    raise TypeError("check answers Meets() or Breaks([code, ...])")


def opinion(hook: Any, method: str, told: tuple[str, str, str, datetime]) -> str | None:
    """The reason to refuse; ``None``: nothing against it."""
    said: object = getattr(hook, method)(Question(*told))
    if isinstance(said, Abstain):
        return None
    if isinstance(said, Refuse) and isinstance(said.code, str):
        return said.code
    raise TypeError(f"{method} answers Abstain() or Refuse(code)")


def lines(hook: LandingStatistic, told: Statistics, language: str) -> list[tuple[str, str]]:
    """Label and value of each."""
    added: Sequence[StatisticLine] = hook.lines(told, language)
    return [(line.label, line.value) for line in added]


def observe(sink: Any, event: AuditEvent) -> None:
    """What it answers is no answer: a coroutine or a generator would never have run."""
    said: object = sink.observe(event)
    if said is not None:
        raise TypeError("observe answers nothing")


def log(name: str, error: BaseException) -> None:
    """Which hook failed, by what kind of error, and where: nothing of what it was asked."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
    _log.error("the hook %s did not answer: %s%s", name, type(error).__name__, place)
