"""The rules an operator sets. Every default is a decision: see ``docs/defaults.md``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from ._values import Role

PasswordProfile = Literal["nist", "classic"]

ClaimProof = Literal["facts", "facts_and_code"]
"""Names, number and birthdate; or these and the code of a letter (CL-06)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """How long sessions live."""

    inactivity_timeout: timedelta = timedelta(hours=4)
    shared_computer_timeout: timedelta = timedelta(minutes=20)
    organization_timeouts: Sequence[tuple[str, timedelta]] = ()
    absolute_timeout: timedelta = timedelta(hours=24)
    fresh_for: timedelta = timedelta(minutes=15)
    families_max: int = 50
    activity_write_interval: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordPolicy:
    """What a new password must be."""

    profile: PasswordProfile = "nist"
    organization_profiles: Sequence[tuple[str, PasswordProfile]] = ()
    context_words: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPolicy:
    """How an account is claimed."""

    proof: ClaimProof = "facts"
    """What a claim must prove. Facts alone are weak: classmates know a birthdate."""
    step_timeout: timedelta = timedelta(minutes=10)
    code_lifetime: timedelta = timedelta(days=21)
    """How long a claim code can be used."""
    keep_birthdate: bool = False
    """Whether the digest of the birthdate stays when the account has been claimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPolicy:
    """Security questions: how many a claim asks, 0 to 5."""

    required: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPolicy:
    """How an account is recovered by who forgot the password."""

    issued_code_lifetime: timedelta = timedelta(hours=24)
    step_timeout: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePolicy:
    """Failures of one identity, and how long it then waits."""

    free_failures: int
    first_wait: timedelta
    longest_wait: timedelta


LANE_OPEN = LanePolicy(
    free_failures=2**32 - 1, first_wait=timedelta(0), longest_wait=timedelta(0)
)
"""Counts, and never waits: for a secret that nobody guesses, and that must not be shut off."""


@dataclass(frozen=True, slots=True)
class NamedNetwork:
    """A network behind which many people are: a school's own address."""

    cidr: str
    """``"10.0.0.0/8"``, ``"fd00::/8"`` or a single address; no narrower than /64 in IPv6."""
    people: int
    """How many are behind it: its budget grows with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonPolicy:
    """How many near misses at claims an organization bears in thirty days."""

    told_percent: int = 2
    """At this share of the unclaimed the audit says so ..."""
    told_min: int = 20
    """... but not before so many."""
    code_percent: int = 5
    """At this share claims from outside the named networks need a code ..."""
    code_min: int = 50
    """... but not before so many."""
    source_max: int = 4
    """What one network adds at most."""
    source_code_at: int = 8
    """At so many of one network, at most two of them for one person, claims from it need a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPolicy:
    """How often may be guessed."""

    window: timedelta = timedelta(hours=1)
    source_attempts_max: int = 200
    whole_attempts_max: int = 20_000
    log_in: LanePolicy = LanePolicy(
        free_failures=10,
        first_wait=timedelta(seconds=30),
        longest_wait=timedelta(hours=1),
    )
    claim: LanePolicy = LanePolicy(
        free_failures=10,
        first_wait=timedelta(hours=1),
        longest_wait=timedelta(hours=24),
    )
    recovery: LanePolicy = LANE_OPEN
    recovery_answers: LanePolicy = LanePolicy(
        free_failures=5,
        first_wait=timedelta(hours=24),
        longest_wait=timedelta(hours=24),
    )
    networks: Sequence[NamedNetwork] = ()
    known_browser_lifetime: timedelta = timedelta(days=90)
    """So long a browser is known after a log-in."""
    season: SeasonPolicy = field(default_factory=SeasonPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPolicy:
    """When an import holds back."""

    deactivation_percent_max: int = 20
    deactivation_count_min: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPolicy:
    """Who is staff: they help people of the organizations in which they have such a role."""

    roles: Sequence[Role] = ("administrator",)
    """``()`` closes the desk: then only the methods of the office help."""
    districts: bool = True
    """Whether such a role in a district counts in the organizations below it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How long records of the past are kept."""

    ended_families: timedelta = timedelta(days=7)
    events: timedelta = timedelta(days=365)
    messages: timedelta = timedelta(days=90)
    """Messages to people that nobody looked at."""


@dataclass(frozen=True, slots=True)
class App:
    """A prefix under which the host serves pages that people may come back to."""

    prefix: str
    organization: str | None = None
    """The organization of every page there; ``None``: the person's default."""
    from_path: bool = False
    """The first segment after the prefix names the organization: ``/diary/{organization}/...``"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Every rule that an operator may set."""

    session: SessionPolicy = field(default_factory=SessionPolicy)
    password: PasswordPolicy = field(default_factory=PasswordPolicy)
    claim: ClaimPolicy = field(default_factory=ClaimPolicy)
    questions: QuestionPolicy = field(default_factory=QuestionPolicy)
    recovery: RecoveryPolicy = field(default_factory=RecoveryPolicy)
    attempts: AttemptPolicy = field(default_factory=AttemptPolicy)
    roster: RosterPolicy = field(default_factory=RosterPolicy)
    staff: StaffPolicy = field(default_factory=StaffPolicy)
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
    apps: Sequence[App] = ()
