"""The compiled half of ``narthex``."""

import os
from collections.abc import Callable, Generator
from datetime import date, datetime, timedelta
from typing import Any, Generic, Literal, TypeAlias, TypeVar, final

from typing_extensions import disjoint_base

from ._policy import Policy
from ._site import Reading, Request, Site
from .testing import Door
from ._values import (
    Asker,
    AuditLine,
    Claimed,
    CreatedPerson,
    DeskReport,
    EndedSessions,
    ErasedPerson,
    EvidenceReport,
    Family,
    ImportReport,
    IssueClaimCode,
    IssuedClaimCode,
    IssuedRecoveryCode,
    LoggedIn,
    NewPerson,
    Organization,
    PersonExport,
    PersonReport,
    PersonStatusChange,
    Profile,
    Question,
    Recovered,
    RecoveryCodes,
    Requirement,
    ResetClaim,
    RosterBatch,
    RosterHold,
    RosterStatus,
    Season,
    SettledHold,
    StaffStatistics,
    StatisticLine,
    Statistics,
)
from .hook import Hooks

__all__ = [
    "BODY_BYTES_MAX",
    "GRID_S",
    "BrowserSecret",
    "Candidate",
    "ClaimTicket",
    "Engine",
    "Events",
    "ManualClock",
    "Notices",
    "Operation",
    "RecoveryTicket",
    "Session",
    "SessionToken",
    "Ticket",
    "Visit",
    "answer_recovery_questions",
    "attach_no_more",
    "audit_after",
    "begin_recovery",
    "change_details",
    "check_evidence",
    "claim_code_required",
    "claim_season",
    "create_person",
    "default_policy",
    "desk_check",
    "desk_clear_tries",
    "desk_end_sessions",
    "desk_find",
    "desk_import_roster",
    "desk_issue_claim_code",
    "desk_issue_recovery_code",
    "desk_settle_hold",
    "disable_person",
    "enable_person",
    "end_family",
    "end_other_families",
    "erase_person",
    "export_person",
    "families",
    "finish_recovery",
    "forked",
    "issue_claim_code",
    "issue_claim_codes",
    "issue_recovery_code",
    "more_statistics",
    "panicking",
    "questions_set",
    "readmit_number",
    "reauthenticate",
    "recovery_codes_left",
    "recovery_ticket",
    "renew_recovery_codes",
    "reset_claim",
    "roster_holds",
    "run_scenario",
    "scenario_names",
    "set_hooks",
    "set_questions",
    "settle_holds",
    "staff_holds",
    "staff_statistics",
]

VERSION: str
BODY_BYTES_MAX: int
GRID_S: float

_T = TypeVar("_T")

# Given name, family name, birthdate, login id, claim code.
_Facts: TypeAlias = tuple[str, str, date | str | None, str, str | None]

@final
class Operation(Generic[_T]):
    def run(self) -> _T: ...
    def __await__(self) -> Generator[Any, None, _T]: ...

@final
class SessionToken:
    @staticmethod
    def parse(text: str) -> SessionToken: ...
    def expose(self) -> str: ...

@final
class BrowserSecret:
    @staticmethod
    def parse(text: str) -> BrowserSecret: ...
    @staticmethod
    def generate() -> BrowserSecret: ...
    def expose(self) -> str: ...

@final
class Candidate:
    def __new__(cls, text: str) -> Candidate: ...
    def text(self) -> str: ...

@final
class Session:
    @property
    def account(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def authenticated_at(self) -> datetime: ...
    @property
    def last_activity(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def inactivity_timeout(self) -> timedelta: ...

@disjoint_base
class Ticket:
    @property
    def id(self) -> str: ...
    @property
    def browser(self) -> BrowserSecret: ...
    @property
    def login_id(self) -> str: ...
    @property
    def given_name(self) -> str: ...
    @property
    def family_name(self) -> str: ...
    @property
    def organization(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def requirements(self) -> tuple[Requirement, ...]: ...

@final
class ClaimTicket(Ticket):
    @property
    def step(self) -> Literal["identified", "password_set", "spent"]: ...

@final
class RecoveryTicket(Ticket):
    @property
    def questions(self) -> tuple[Question, ...]: ...

@final
class Notices:
    def ready(self) -> Operation[None]: ...
    def wait(self, at_most: timedelta) -> bool: ...
    def take(self) -> tuple[bool, str | None]: ...

@final
class Events:
    def next(self) -> Operation[bytes | None]: ...
    def close(self) -> None: ...

@final
class Visit:
    @property
    def session(self) -> Session | None: ...
    @property
    def family(self) -> str | None: ...
    @property
    def location(self) -> str | None: ...
    @property
    def organization(self) -> str | None: ...
    def asker(self) -> tuple[str, str, str, str | None]: ...
    def is_fresh(self) -> bool: ...
    def profile(self) -> Operation[Profile | None]: ...
    def header(self) -> Operation[str]: ...
    def refuse(self, code: str) -> tuple[int, list[tuple[bytes, bytes]], bytes | Events]: ...

@final
class ManualClock:
    def __new__(cls, at: datetime) -> ManualClock: ...
    def advance(self, span: timedelta) -> None: ...
    def now(self) -> datetime: ...

@final
class Engine:
    def __new__(
        cls,
        url: str,
        *,
        keys: str | os.PathLike[str] | None,
        policy: Policy,
        shared: bool,
        hash_workers: int | None,
        hooks: Hooks,
        site: Site | None,
        clock: ManualClock | None,
    ) -> Engine: ...
    @staticmethod
    def judge(
        url: str, *, policy: Policy, hash_workers: int | None, hooks: Hooks, site: Site | None
    ) -> None: ...
    def close(self) -> None: ...
    def verify_session(self, token: SessionToken | str | Session) -> Session: ...
    def verify_session_slowly(self, token: SessionToken | str | Session) -> Operation[Session]: ...
    def begin_claim(
        self, facts: _Facts, browser: BrowserSecret | None, asker: Asker
    ) -> Operation[ClaimTicket]: ...
    def claim_ticket(self, id: str, browser: BrowserSecret) -> Operation[ClaimTicket]: ...
    def set_claim_password(self, ticket: ClaimTicket, password: str) -> Operation[ClaimTicket]: ...
    def finish_claim(
        self, ticket: ClaimTicket, answers: list[tuple[str, str]], asker: Asker | None
    ) -> Operation[Claimed]: ...
    def abandon_claim(self, ticket: ClaimTicket) -> Operation[None]: ...
    def log_in(
        self,
        login_id: str,
        password: str,
        *,
        shared_computer: bool,
        presented: SessionToken | str | None,
        asker: Asker,
    ) -> Operation[LoggedIn]: ...
    def record_activity(self, session: Session, idle_for: timedelta) -> Operation[None]: ...
    def log_out(
        self, session: Session | SessionToken | str, asker: Asker | None
    ) -> Operation[None]: ...
    def change_password(
        self, session: Session, current: str, new: str, asker: Asker
    ) -> Operation[LoggedIn]: ...
    def password_requirements(self, session: Session) -> Operation[tuple[Requirement, ...]]: ...
    def profile(self, session: Session) -> Operation[Profile]: ...
    def set_default_organization(
        self, session: Session, organization: str, asker: Asker | None
    ) -> Operation[None]: ...
    def organizations(self) -> Operation[tuple[Organization, ...]]: ...
    def statistics(self, session: Session, organization: str) -> Operation[Statistics]: ...
    def resume(
        self, session: Session, return_to: str | None, tag: str | None
    ) -> Operation[tuple[str | None, str | None, bool]]: ...
    def location(self, text: str) -> tuple[str, str | None] | None: ...
    def resume_tag(self, who: Session | str, location: str) -> str: ...
    def family_tag(self, session: Session) -> str: ...
    def import_roster(
        self, path: str | os.PathLike[str],
        dry_run: bool,
        accept_new_ids: bool,
        reading: Reading,
    ) -> Operation[ImportReport]: ...
    def import_batch(
        self, batch: RosterBatch, dry_run: bool, accept_new_ids: bool
    ) -> Operation[ImportReport]: ...
    def roster_status(self) -> Operation[RosterStatus]: ...
    def person(self, login_id: str) -> Operation[PersonReport | None]: ...
    def handle(
        self, request: Request, body: bytes, events: bool
    ) -> Operation[tuple[int, list[tuple[bytes, bytes]], bytes | Events, bool]]: ...
    def owns(self, path: str) -> bool: ...
    def is_origin(self, origin: str) -> bool: ...
    def admit(
        self, request: Request, person: bool
    ) -> Operation[Visit | tuple[int, list[tuple[bytes, bytes]], bytes | Events]]: ...
    def subscribe(self, session: Session) -> Notices: ...
    def maintain(self) -> Operation[None]: ...
    @staticmethod
    def questions() -> tuple[tuple[str, str], ...]: ...
    def questions_required(self) -> int: ...
    def is_shared(self) -> bool: ...

def begin_recovery(
    engine: Engine,
    login_id: str,
    code: str,
    browser: BrowserSecret | None,
    asker: Asker,
) -> Operation[RecoveryTicket]: ...
def recovery_ticket(
    engine: Engine, id: str, browser: BrowserSecret
) -> Operation[RecoveryTicket]: ...
def answer_recovery_questions(
    engine: Engine,
    ticket: RecoveryTicket,
    answers: list[tuple[str, str]],
    asker: Asker,
) -> Operation[RecoveryTicket]: ...
def finish_recovery(
    engine: Engine, ticket: RecoveryTicket, password: str, asker: Asker | None
) -> Operation[Recovered]: ...
def renew_recovery_codes(
    engine: Engine, session: Session, asker: Asker | None
) -> Operation[RecoveryCodes]: ...
def recovery_codes_left(engine: Engine, session: Session) -> Operation[int]: ...
def reauthenticate(
    engine: Engine, session: Session, current: str, asker: Asker
) -> Operation[LoggedIn]: ...
def questions_set(engine: Engine, session: Session) -> Operation[tuple[str, ...]]: ...
def set_questions(
    engine: Engine, session: Session, answers: list[tuple[str, str]], asker: Asker | None
) -> Operation[None]: ...
def change_details(
    engine: Engine, session: Session, fields: list[tuple[str, str]], asker: Asker | None
) -> Operation[None]: ...
def claim_code_required(engine: Engine) -> bool: ...
def families(engine: Engine, session: Session) -> Operation[tuple[Family, ...]]: ...
def end_family(
    engine: Engine, session: Session, handle: str, asker: Asker | None
) -> Operation[None]: ...
def end_other_families(
    engine: Engine, session: Session, asker: Asker | None
) -> Operation[LoggedIn]: ...
def issue_claim_code(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[IssueClaimCode]: ...
def issue_claim_codes(
    engine: Engine, organization: str, asker: Asker | None
) -> Operation[tuple[IssuedClaimCode, ...]]: ...
def issue_recovery_code(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[IssuedRecoveryCode]: ...
def reset_claim(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[ResetClaim]: ...
def check_evidence(engine: Engine, facts: _Facts) -> Operation[EvidenceReport]: ...
def claim_season(engine: Engine, organization: str) -> Operation[Season]: ...
def audit_after(
    engine: Engine, cursor: str | None, limit: int
) -> Operation[tuple[AuditLine, ...]]: ...
def desk_find(
    engine: Engine, session: Session, login_id: str, asker: Asker | None
) -> Operation[DeskReport | None]: ...
def desk_check(
    engine: Engine, session: Session, facts: _Facts, asker: Asker | None
) -> Operation[EvidenceReport | None]: ...
def desk_clear_tries(
    engine: Engine, session: Session, login_id: str, asker: Asker | None
) -> Operation[bool]: ...
def desk_issue_claim_code(
    engine: Engine, session: Session, login_id: str, mark: str, asker: Asker | None
) -> Operation[IssueClaimCode]: ...
def desk_issue_recovery_code(
    engine: Engine, session: Session, login_id: str, mark: str, asker: Asker | None
) -> Operation[IssuedRecoveryCode]: ...
def desk_end_sessions(
    engine: Engine, session: Session, login_id: str, mark: str, asker: Asker | None
) -> Operation[EndedSessions]: ...
def create_person(
    engine: Engine, person: NewPerson, asker: Asker | None
) -> Operation[CreatedPerson]: ...
def disable_person(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[PersonStatusChange]: ...
def enable_person(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[PersonStatusChange]: ...
def export_person(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[PersonExport | None]: ...
def erase_person(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[ErasedPerson]: ...
def readmit_number(
    engine: Engine, login_id: str, asker: Asker | None
) -> Operation[bool]: ...
def desk_import_roster(
    engine: Engine,
    session: Session,
    roster: RosterBatch | bytes,
    how: tuple[bool, bool],
    reading: Reading,
    asker: Asker | None,
) -> Operation[ImportReport]: ...
def desk_settle_hold(
    engine: Engine,
    session: Session,
    source: str,
    organization: str,
    confirm: bool,
    asker: Asker | None,
) -> Operation[SettledHold | None]: ...
def staff_holds(engine: Engine, session: Session) -> Operation[tuple[RosterHold, ...]]: ...
def staff_statistics(
    engine: Engine, session: Session, organization: str
) -> Operation[StaffStatistics]: ...
def roster_holds(engine: Engine) -> Operation[tuple[RosterHold, ...]]: ...
def set_hooks(engine: Engine, hooks: Hooks) -> None: ...
def attach_no_more() -> None: ...
def more_statistics(
    engine: Engine, session: Session, organization: str, language: str
) -> Operation[tuple[StatisticLine, ...]]: ...
def settle_holds(
    engine: Engine, confirm: bool, source: str | None, organization: str | None
) -> Operation[tuple[int, int]]: ...
def forked() -> None: ...
def default_policy() -> dict[str, dict[str, Any]]: ...
def panicking() -> Operation[None]: ...
def scenario_names() -> list[str]: ...
def run_scenario(name: str, new_door: Callable[[], Door]) -> bool: ...
