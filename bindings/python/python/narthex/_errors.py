"""What can be answered besides success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

__all__ = [
    "Busy",
    "CannotOpen",
    "Contended",
    "InternalError",
    "InvalidArgument",
    "Issue",
    "NarthexError",
    "Refused",
    "Unavailable",
]


class NarthexError(Exception):
    """The base of everything this package raises, but for ``TypeError``."""

    code: str = "error"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong with what was typed."""

    field: str
    """The field; empty where it is about all of them."""
    code: str
    """A stable word for programs."""
    text: str
    """One plain sentence for people."""


class Refused(NarthexError):
    """The person may be told this and no more; it never says which part was wrong."""

    CODES: ClassVar[tuple[str, ...]]
    """Every code there is."""

    text: str
    """One or two plain sentences for people."""
    reason: str | None
    """Why a session ended: ``"password_changed"``, ``"inactivity"``, ``"log_out"``, ..."""
    retry_after: timedelta | None
    """When it is worth trying again."""
    issues: tuple[Issue, ...]
    """What is wrong with what was typed."""
    account: str | None
    """Whose session ended, where its token proved it: for ``Portal.resume_tag`` only."""

    def __init__(
        self,
        code: str,
        text: str = "",
        *,
        reason: str | None = None,
        retry_after: timedelta | None = None,
        issues: Sequence[Issue] = (),
        account: str | None = None,
    ) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.reason = reason
        self.retry_after = retry_after
        self.issues = tuple(issues)
        self.account = account

    @classmethod
    def _made(
        cls,
        code: str,
        text: str,
        reason: str | None,
        retry_after: timedelta | None,
        issues: list[tuple[str, str, str]],
        account: str | None,
    ) -> Refused:
        return cls(
            code,
            text,
            reason=reason,
            retry_after=retry_after,
            issues=[Issue(*issue) for issue in issues],
            account=account,
        )

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Contended(NarthexError):
    """Other changes kept coming first; nothing was changed. Trying again is fine."""

    code = "contended"


class Busy(NarthexError):
    """Too many passwords are being checked at this moment; nothing was counted."""

    code = "busy"
    retry_after: timedelta

    def __init__(self, message: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(NarthexError):
    """The store did not answer. That admits nobody."""

    code = "unavailable"
    may_have_applied: bool
    """Whether the change asked for may have been made all the same."""

    def __init__(self, message: str, may_have_applied: bool = False) -> None:
        super().__init__(message)
        self.may_have_applied = may_have_applied


class InternalError(NarthexError):
    """A mistake of this package. That admits nobody."""

    code = "internal"


class CannotOpen(NarthexError):
    """The portal could not be opened, or cannot be used as it was; the message says what to do."""

    code = "cannot_open"


class InvalidArgument(NarthexError, ValueError):
    """An argument that cannot be understood, whoever asks."""

    code = "invalid_argument"
    argument: str
    """Which."""

    def __init__(self, argument: str, message: str) -> None:
        super().__init__(argument, message)
        self.argument = argument
        self.message = message

    def __str__(self) -> str:
        return f"{self.argument}: {self.message}"


Refused.CODES = (
    "already_claimed",
    "already_recovered",
    "answers_not_matched",
    "answers_unacceptable",
    "claim_expired",
    "claim_not_matched",
    "claim_step_missing",
    "login_failed",
    "not_logged_in",
    "not_permitted",
    "password_unacceptable",
    "reauthentication_needed",
    "recovery_expired",
    "recovery_failed",
    "recovery_step_missing",
    "session_ended",
    "throttled",
    "token_replaced",
)
