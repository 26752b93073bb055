"""What the engine tells: frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ._narthex import Session, SessionToken

Role = Literal["student", "teacher", "administrator", "guardian", "other"]
OrganizationKind = Literal["school", "district", "other"]

ROLES: tuple[Role, ...] = ("student", "teacher", "administrator", "guardian", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks: what budgets and the audit need to know of a request."""

    source: str
    """The address it came from, of which budgets count an IPv4 address or an IPv6 /64; empty for the
    command line."""
    request_id: str = ""
    client_label: str = ""
    """A short description of the browser."""
    known_browser: str | None = field(default=None, repr=False)
    """What the browser's cookie for known browsers holds: ``LoggedIn.known_browser``."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A person belongs to an organization in a role."""

    organization: str
    role: Role


@dataclass(frozen=True, slots=True)
class Details:
    """What the person owns themselves."""

    preferred_name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What pages may know of who is logged in. Read it afresh for every use."""

    account: str
    login_id: str
    given_name: str
    family_name: str
    memberships: tuple[Membership, ...]
    default_organization: str | None
    details: Details = Details()

    def is_member(self, organization: str) -> bool:
        """Whether the person belongs to ``organization`` in any role."""
        return any(one.organization == organization for one in self.memberships)

    @property
    def called(self) -> str:
        """How the person is called: as they chose, else First Name."""
        return self.details.preferred_name or self.given_name

    @property
    def name(self) -> str:
        """How the person is called, and the last name: as the portal's header says it."""
        return f"{self.called} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Notice:
    """What has just happened to the family of a session."""

    kind: Literal["password_changed", "ended"]
    """``"password_changed"``: it goes on under a new token, and its pages move to the landing page."""
    reason: str | None = None
    """Why it ended: ``"password_changed"``, ``"inactivity"``, ``"log_out"``, ..."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session that began, or goes on under a new token."""

    token: SessionToken
    """For the cookie: ``token.expose()``."""
    session: Session
    profile: Profile
    known_browser: str | None = field(default=None, repr=False)
    """For a cookie of its own, kept for months: this browser has logged in before. Never a proof."""

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a LoggedIn: it holds a secret")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that was finished: the way on is the log-in."""

    account: str
    login_id: str
    given_name: str
    default_organization: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """A recovery that was finished: the way on is the log-in."""

    account: str
    login_id: str
    given_name: str


@dataclass(frozen=True, slots=True)
class IssuedRecoveryCode:
    """What asking for a recovery code brought."""

    outcome: Literal["unknown", "nothing_to_recover", "stale", "issued"]
    """``"stale"``, at the desk: something was done for the person after the mark was given."""
    code: str | None = field(default=None, repr=False)
    """For the person, on paper. Shown once."""
    expires_at: datetime | None = None

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a IssuedRecoveryCode: it holds a secret")


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """A set of codes for the person to keep. Shown once."""

    codes: tuple[str, ...] = field(repr=False)

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy RecoveryCodes: each holds a secret")


@dataclass(frozen=True, slots=True)
class Family:
    """A browser that a person is logged in with."""

    handle: str
    """Names it to the person; says nothing about its token."""
    current: bool
    """Whether it is the one that asks."""
    client_label: str
    started_at: datetime
    last_seen: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One event. No secret, no name, no birthdate is in any of them."""

    cursor: str
    """Goes on after this one: ``Portal.audit_after(line.cursor)``."""
    kind: str | None
    """``"logged_in"``, ``"password_changed"``, ...; ``None`` for one that is not understood."""
    at: datetime | None
    account: str | None
    source: str | None
    request_id: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who, what, when, from where. No secret, no name, no birthdate is in any of them."""

    at: datetime
    kind: str
    """``"logged_in"``, ``"password_changed"``, ..."""
    account: str | None
    source: str
    """The network the request came from; empty for the command line."""
    request_id: str
    detail: str
    """A code or counts."""


@dataclass(frozen=True, slots=True)
class Location:
    """A screen of the portal, or of an application that the policy names."""

    path: str
    """Path, query and fragment."""
    organization: str | None
    """The organization it lies in, where it names one."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a log-in leads."""

    location: str | None
    """Back to the screen that was left; ``None``: to the landing page."""
    organization: str | None
    """Of that page."""
    membership_lost: bool
    """The person no longer belongs to the organization of the location that was asked for."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One stated requirement for a new password."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A security question to choose."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A human to write to when the portal cannot help."""

    name: str
    role: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    """A school, a district, ..."""

    id: str
    name: str
    kind: OrganizationKind = "school"
    parent: str | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleCount:
    """People of one role. Counts below ten are told as ``"fewer than 10"``."""

    role: Role
    listed: str
    claimed: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """What members may know of their organization."""

    organization: str
    people: tuple[RoleCount, ...]
    log_ins_today: str


@dataclass(frozen=True, slots=True)
class StatisticLine:
    """A line on the landing page."""

    label: str
    """What is counted, in the reader's language."""
    value: str
    """The count, or a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPerson:
    """A person whose account is prepared."""

    source_id: str
    """The source's own key: what tells two people apart for ever."""
    login_id: str
    given_name: str
    family_name: str
    birthdate: date | str | None = None
    memberships: Sequence[Membership] = ()
    default_organization: str | None = None
    """Where the person lands; ``None``: the first membership's."""
    preferred_given_name: str | None = None
    preferred_family_name: str | None = None
    enabled: bool = True

    def __repr__(self) -> str:
        return f"RosterPerson(source_id={self.source_id!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterBatch:
    """What one source lists."""

    source: str
    organizations: Sequence[Organization] = ()
    people: Sequence[RosterPerson] = ()
    complete: bool = False
    """Whether who is missing has left."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the reader of a roster should know."""

    severity: Literal["note", "warning", "error"]
    code: str
    message: str
    file: str
    line: int
    column: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class OrganizationReport:
    """What an import did with the people who land in one organization."""

    organization: str
    added: int
    changed: int
    unchanged: int
    left_out: int
    deactivated: int
    held: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or in a dry run would do."""

    usable: bool
    """``False``: the files could not be used, and nothing was changed; see the findings."""
    added: int
    changed: int
    unchanged: int
    deactivated: int
    held: int
    """No longer listed, left as they are because there are too many of them."""
    without_birthdate: int
    left_out: int
    """Rows of people that could not be read or taken; the findings say why."""
    findings: tuple[Finding, ...]
    organizations: tuple[OrganizationReport, ...] = ()
    """The same by organization, where something was listed or missing."""


@dataclass(frozen=True, slots=True)
class RosterStatus:
    """What the store holds of rosters."""

    active: int
    claimed: int
    inactive: int
    shared: int
    """Numbers that two people have: nobody's until a human decides."""
    without_birthdate: int
    organizations: int
    holds: int
    """Imports that wait for a human: see ``Portal.roster_holds``."""


@dataclass(frozen=True, slots=True)
class RosterHold:
    """An import that would have made too many people of an organization inactive, and waits for a
    human."""

    source: str
    organization: str
    held_at: datetime
    missing: int
    """People who were missing in the file."""
    listed: int
    """People the source had listed there before."""


@dataclass(frozen=True, slots=True)
class SettledHold:
    """A hold that was settled."""

    hold: RosterHold
    deactivated: int
    """People made inactive now."""
    stayed: int
    """People who were held and stay."""


@dataclass(frozen=True, slots=True)
class StaffRoleCount:
    """People of one role: for who may look at every single one, exact."""

    role: Role
    listed: int
    claimed: int


@dataclass(frozen=True, slots=True)
class StaffStatistics:
    """What staff may know of one organization in numbers. The last of each row is the one that is
    running."""

    organization: str
    people: tuple[StaffRoleCount, ...]
    """By role; roles nobody has are left out."""
    claims: tuple[tuple[datetime, int], ...]
    """Accounts claimed on each of the last 28 days, by UTC."""
    log_ins: tuple[tuple[datetime, int], ...]
    """Log-ins on each of the last 28 days, by UTC."""
    active: tuple[tuple[datetime, int], ...]
    """Browsers in which somebody was active, in each quarter of an hour of the last six hours."""


@dataclass(frozen=True, slots=True)
class PersonReport:
    """What staff may know of a person: no secret, no birthdate."""

    login_id: str
    given_name: str
    family_name: str
    listing: Literal["active", "inactive", "held"]
    claimed: bool
    status: Literal["active", "disabled", "reset"] | None
    account: str | None
    has_birthdate: bool
    memberships: tuple[Membership, ...]
    default_organization: str
    claim_failures: int
    """Claim attempts by facts that failed."""
    log_in_failures: int
    claim_code_failures: int
    """Claim attempts with a wrong code."""
    claim_code_expires_at: datetime | None
    """Of the claim code that was issued; ``None``: there is no live one."""
    claim_shut_until: datetime | None
    """Until then claims by facts are refused, whatever is typed, from outside the named networks or from
    inside: the later of the two. The other may be open. ``None``: both are."""
    log_in_shut_until: datetime | None
    """The same of log-ins, and of browsers that the account knows, each of which has tries of its own."""
    source: str
    """The roster that lists the person ..."""
    source_id: str
    """... and the name of the person's row in it."""
    disabled_at: datetime | None
    """When the office disabled the person; ``None``: it did not."""


@dataclass(frozen=True, slots=True)
class DeskReport:
    """A person, as staff see them at the desk."""

    person: PersonReport
    sessions: int
    """In how many browsers the person is logged in."""
    may_act: bool
    """Whether the other methods of the desk are open for this person."""
    mark: str
    """What the desk asks for before it does something that must not happen twice."""


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """What logging a person out everywhere did."""

    outcome: Literal["unknown", "stale", "ended"]
    """``"stale"``: nothing, for something was done for the person after the mark was given."""
    count: int
    """How many sessions ended."""


@dataclass(frozen=True, slots=True)
class EvidenceReport:
    """Which facts agree with the roster; never what the roster says."""

    listed: bool
    names_match: bool
    birthdate_matches: bool
    has_birthdate: bool
    """A birthdate is on record."""
    claimable: bool
    """Listed, not held, not disabled, not claimed yet."""
    disabled: bool
    """The office disabled the person."""


@dataclass(frozen=True, slots=True)
class IssuedClaimCode:
    """A claim code that was just issued: for the letter, shown once."""

    login_id: str
    given_name: str
    family_name: str
    organization: str
    """Where the person lands after the first log-in."""
    code: str = field(repr=False)
    expires_at: datetime
    needs_birthdate: bool
    """Whether the claim asks the birthdate too: it is on record."""

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a IssuedClaimCode: it holds a secret")


@dataclass(frozen=True, slots=True)
class IssueClaimCode:
    """What asking for a claim code did."""

    outcome: Literal["unknown", "not_claimable", "stale", "issued"]
    """``"not_claimable"``: claimed already, or not listed as active. ``"stale"``, at the desk: something
    was done for the person after the mark was given."""
    issued: IssuedClaimCode | None = None

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a IssueClaimCode: it holds a secret")


@dataclass(frozen=True, slots=True)
class ResetClaim:
    """What taking a claim back did."""

    outcome: Literal["unknown", "not_claimed", "reset"]
    issued: IssuedClaimCode | None = None
    """With ``"reset"``: the code to claim again with."""

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a ResetClaim: it holds a secret")


@dataclass(frozen=True, slots=True)
class Season:
    """How often claims in an organization were nearly right in the last thirty to forty days: guessing
    spread over many people shows here first."""

    near_misses: int
    """From outside the named networks, and followed by no success of the same browser; at most
    ``SeasonPolicy.source_max`` from one network."""
    everywhere: int
    """The same from everywhere, however many from one network."""
    unclaimed: int
    """People listed who have not claimed."""
    told_at: int
    """At so many ``everywhere`` the audit says ``claims_guessed``: many."""
    code_at: int
    """At so many ``near_misses``, claims from outside the named networks need a code."""
    needs_code: bool
    """Whether they do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """A person to prepare by hand."""

    login_id: str
    given_name: str
    family_name: str
    organization: str
    """Where the person belongs, and lands."""
    role: Role
    birthdate: date | str | None = None
    """``None``: claims with the code alone."""
    organization_name: str | None = None
    """What the organization is called, where it is to be made if it is not there."""

    def __repr__(self) -> str:
        return f"NewPerson(login_id={self.login_id!r})"


@dataclass(frozen=True, slots=True)
class CreatedPerson:
    """What preparing a person came to."""

    outcome: Literal["created", "taken", "erased", "no_organization"]
    """``"taken"``: the number is somebody's already. ``"erased"``: it was somebody's who was erased;
    ``Portal.readmit_number`` comes first. ``"no_organization"``: there is none, and no name to make it
    with."""
    issued: IssuedClaimCode | None = None
    """The code to claim by."""
    organization_made: bool = False
    """Whether the organization was made with it."""
    erased_at: datetime | None = None

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a CreatedPerson: it holds a secret")


@dataclass(frozen=True, slots=True)
class PersonStatusChange:
    """What disabling or enabling a person came to."""

    outcome: Literal["unknown", "as_before", "changed"]
    sessions_ended: int = 0
    listed: bool = False
    """Whether the roster lists the person: who is not listed cannot log in, enabled or not. Told with
    ``"changed"``."""


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """What erasing a person came to."""

    outcome: Literal["unknown", "before", "erased"]
    """``"before"``: whoever had the number was erased before."""
    records: int = 0
    """Records removed."""
    events: int = 0
    """Audit events about the person removed."""
    erased_at: datetime | None = None
    """With ``"before"``: when."""


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """A roster entry."""

    login_id: str
    given_name: str
    family_name: str
    preferred_given_name: str | None
    preferred_family_name: str | None
    source: str
    source_id: str
    listing: Literal["active", "inactive", "held"]
    claimed: bool
    disabled_at: datetime | None
    has_birthdate: bool
    """Whether a digest of the birthdate is kept."""
    memberships: tuple[Membership, ...]
    default_organization: str


@dataclass(frozen=True, slots=True)
class ExportedRecoveryCode:
    """A recovery code that was not used; never the code."""

    given_by: Literal["staff", "person"]
    """``"person"``: one of those that the person saved."""
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class ExportedSession:
    """A session, live or ended."""

    handle: str
    client_label: str
    started_at: datetime
    last_seen: datetime
    ended_at: datetime | None
    ended_by: str | None
    """The reason; sessions that ended together with others have none."""


@dataclass(frozen=True, slots=True)
class ExportedAccount:
    """An account."""

    account: str
    status: Literal["active", "disabled", "reset"] | None
    has_password: bool
    claimed_at: datetime | None
    default_organization: str | None
    """The one that the person chose."""
    details: Details
    questions: tuple[str, ...]
    """Those that were chosen; never the answers."""
    recovery_codes: tuple[ExportedRecoveryCode, ...]
    sessions: tuple[ExportedSession, ...]


@dataclass(frozen=True, slots=True)
class ExportedRow:
    """What an import remembers of a row that lists the person."""

    organization: str
    state: Literal["listed", "missing", "held"]


@dataclass(frozen=True, slots=True)
class ExportedTries:
    """Failed tries that are counted."""

    at: str
    """Of what."""
    failed: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What a person was or will be told of their account."""

    kind: str
    at: datetime
    browser: str


@dataclass(frozen=True, slots=True, repr=False)
class PersonExport:
    """Everything that is stored about a person: no password, answer, code or birthdate."""

    entries: tuple[ExportedEntry, ...]
    """The number they have, and those they had."""
    accounts: tuple[ExportedAccount, ...]
    rows: tuple[ExportedRow, ...]
    tries: tuple[ExportedTries, ...]
    known_browsers: tuple[datetime, ...]
    """When each was used for a try last."""
    claim_codes: tuple[datetime, ...]
    """When those were issued that were not used."""
    claims: tuple[datetime, ...]
    """When those began that are under way or were a short while ago."""
    recoveries: tuple[datetime, ...]
    """When those began that are under way or were a short while ago."""
    messages: tuple[Message, ...]
    events: tuple[AuditEvent, ...]
    """What the audit tells of the account, in order."""

    def __repr__(self) -> str:
        return "PersonExport(hidden)"
