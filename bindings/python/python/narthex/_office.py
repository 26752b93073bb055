"""What the office does on the machine itself: rosters, codes, letters, the audit."""

from __future__ import annotations

import os
from datetime import date
from typing import Literal

from . import _narthex
from ._errors import InvalidArgument
from ._judge import judged
from ._people import People
from ._site import Reading
from ._values import (
    Asker,
    AuditLine,
    EvidenceReport,
    ImportReport,
    IssueClaimCode,
    IssuedClaimCode,
    IssuedRecoveryCode,
    PersonReport,
    ResetClaim,
    RosterBatch,
    RosterHold,
    RosterStatus,
    Season,
)


def confirms(decision: str) -> bool:
    """Whether people whom an import holds have left. Raises :class:`InvalidArgument` for another word."""
    if decision not in ("confirm", "discard"):
        raise InvalidArgument("decision", 'is neither "confirm" nor "discard"')
    return decision == "confirm"


class Office(People):
    """The part of :class:`Portal` that asks nobody's session: for who runs the machine. What people
    of staff do in a session is :meth:`Portal.staff_desk`'s."""

    __slots__ = ()

    def _importing(
        self,
        roster: RosterBatch | str | os.PathLike[str],
        dry_run: bool,
        accept_new_ids: bool,
        reading: Reading,
    ) -> _narthex.Operation[ImportReport]:
        if isinstance(roster, RosterBatch):
            reading.needs_a_file()
            with judged("roster", RosterBatch, roster):
                return self._engine.import_batch(roster, dry_run, accept_new_ids)
        said: object = roster
        if not isinstance(said, (str, os.PathLike)):
            kind = type(said).__name__
            raise TypeError(f"roster must be a path or narthex.RosterBatch, not {kind}")
        return self._engine.import_roster(roster, dry_run, accept_new_ids, reading)

    def import_roster(
        self,
        roster: RosterBatch | str | os.PathLike[str],
        *,
        dry_run: bool = False,
        accept_new_ids: bool = False,
        format: Literal["oneroster", "sds", "csv"] | None = None,
        date_order: Literal["ymd", "mdy", "dmy"] | None = None,
        number_column: str | None = None,
        number_width: int | None = None,
        source: str | None = None,
        organization: str | None = None,
        delta: bool = False,
    ) -> ImportReport:
        """Brings a roster into the store: values, or a OneRoster or School Data Sync folder or zip, or
        one plain CSV file, which the other arguments say how to read.

        ``number_width``: numbers of fewer digits get zeros in front, which a spreadsheet ate.
        ``source``: whose file it is; it must be said where another source is known. ``organization``:
        where everybody of a CSV file belongs, which then is a source of its own. ``delta``: the file
        lists only what changed. ``accept_new_ids``: go on with a complete file that lists nobody whom
        its source listed before."""
        reading = Reading(
            format=format,
            date_order=date_order,
            number_column=number_column,
            number_width=number_width,
            source=source,
            organization=organization,
            delta=delta,
        )
        return self._importing(roster, dry_run, accept_new_ids, reading).run()

    async def aimport_roster(
        self,
        roster: RosterBatch | str | os.PathLike[str],
        *,
        dry_run: bool = False,
        accept_new_ids: bool = False,
        format: Literal["oneroster", "sds", "csv"] | None = None,
        date_order: Literal["ymd", "mdy", "dmy"] | None = None,
        number_column: str | None = None,
        number_width: int | None = None,
        source: str | None = None,
        organization: str | None = None,
        delta: bool = False,
    ) -> ImportReport:
        """As :meth:`import_roster`."""
        reading = Reading(
            format=format,
            date_order=date_order,
            number_column=number_column,
            number_width=number_width,
            source=source,
            organization=organization,
            delta=delta,
        )
        return await self._importing(roster, dry_run, accept_new_ids, reading)

    def roster_holds(self) -> tuple[RosterHold, ...]:
        """Imports that wait for a human."""
        return _narthex.roster_holds(self._engine).run()

    async def aroster_holds(self) -> tuple[RosterHold, ...]:
        """As :meth:`roster_holds`."""
        return await _narthex.roster_holds(self._engine)

    def _settling(
        self, decision: str, source: str | None, organization: str | None
    ) -> _narthex.Operation[tuple[int, int]]:
        return _narthex.settle_holds(self._engine, confirms(decision), source, organization)

    def settle_holds(
        self,
        decision: Literal["confirm", "discard"],
        *,
        source: str | None = None,
        organization: str | None = None,
    ) -> tuple[int, int]:
        """What imports held back: the people have left (``"confirm"``) or stay. How many were made
        inactive, and how many stayed."""
        return self._settling(decision, source, organization).run()

    async def asettle_holds(
        self,
        decision: Literal["confirm", "discard"],
        *,
        source: str | None = None,
        organization: str | None = None,
    ) -> tuple[int, int]:
        """As :meth:`settle_holds`."""
        return await self._settling(decision, source, organization)

    def roster_status(self) -> RosterStatus:
        """What the store holds of rosters."""
        return self._engine.roster_status().run()

    async def aroster_status(self) -> RosterStatus:
        """As :meth:`roster_status`."""
        return await self._engine.roster_status()

    def person(self, login_id: str) -> PersonReport | None:
        """What staff may know of the person with this number."""
        return self._engine.person(login_id).run()

    async def aperson(self, login_id: str) -> PersonReport | None:
        """As :meth:`person`."""
        return await self._engine.person(login_id)

    def check_evidence(
        self, *, given_name: str, family_name: str, birthdate: date | str, login_id: str
    ) -> EvidenceReport:
        """Which of the facts that a person typed agree with the roster; never what the roster says.
        Charges no budget: for staff only."""
        facts = (given_name, family_name, birthdate, login_id, None)
        return _narthex.check_evidence(self._engine, facts).run()

    async def acheck_evidence(
        self, *, given_name: str, family_name: str, birthdate: date | str, login_id: str
    ) -> EvidenceReport:
        """As :meth:`check_evidence`."""
        facts = (given_name, family_name, birthdate, login_id, None)
        return await _narthex.check_evidence(self._engine, facts)

    def issue_claim_code(self, login_id: str, asker: Asker | None = None) -> IssueClaimCode:
        """A claim code for a letter (CL-06). An older one is dead."""
        return _narthex.issue_claim_code(self._engine, login_id, asker).run()

    async def aissue_claim_code(self, login_id: str, asker: Asker | None = None) -> IssueClaimCode:
        """As :meth:`issue_claim_code`."""
        return await _narthex.issue_claim_code(self._engine, login_id, asker)

    def issue_claim_codes(
        self, organization: str, asker: Asker | None = None
    ) -> tuple[IssuedClaimCode, ...]:
        """A claim code for everybody of ``organization`` who has not claimed yet, in order of last
        name. One commit a person: who stops it halfway has issued half of them."""
        return _narthex.issue_claim_codes(self._engine, organization, asker).run()

    async def aissue_claim_codes(
        self, organization: str, asker: Asker | None = None
    ) -> tuple[IssuedClaimCode, ...]:
        """As :meth:`issue_claim_codes`."""
        return await _narthex.issue_claim_codes(self._engine, organization, asker)

    def reset_claim(self, login_id: str, asker: Asker | None = None) -> ResetClaim:
        """Takes a claim back: every session ends, the password is dead, a new claim can begin. The
        code for it comes along; without a birthdate on record there is no other way."""
        return _narthex.reset_claim(self._engine, login_id, asker).run()

    async def areset_claim(self, login_id: str, asker: Asker | None = None) -> ResetClaim:
        """As :meth:`reset_claim`."""
        return await _narthex.reset_claim(self._engine, login_id, asker)

    def issue_recovery_code(self, login_id: str, asker: Asker | None = None) -> IssuedRecoveryCode:
        """A code for who forgot the password, to be handed over on paper."""
        return _narthex.issue_recovery_code(self._engine, login_id, asker).run()

    async def aissue_recovery_code(
        self, login_id: str, asker: Asker | None = None
    ) -> IssuedRecoveryCode:
        """As :meth:`issue_recovery_code`."""
        return await _narthex.issue_recovery_code(self._engine, login_id, asker)

    def claim_season(self, organization: str) -> Season:
        """How often claims in ``organization`` were nearly right in the last thirty to forty days."""
        return _narthex.claim_season(self._engine, organization).run()

    async def aclaim_season(self, organization: str) -> Season:
        """As :meth:`claim_season`."""
        return await _narthex.claim_season(self._engine, organization)

    def audit_after(self, cursor: str | None = None, limit: int = 100) -> tuple[AuditLine, ...]:
        """At most ``limit`` (512) audit events after ``cursor``, in the order they happened."""
        return _narthex.audit_after(self._engine, cursor, limit).run()

    async def aaudit_after(
        self, cursor: str | None = None, limit: int = 100
    ) -> tuple[AuditLine, ...]:
        """As :meth:`audit_after`."""
        return await _narthex.audit_after(self._engine, cursor, limit)

    def maintain(self) -> None:
        """One round of the housekeeping that otherwise happens once a minute."""
        self._engine.maintain().run()

    async def amaintain(self) -> None:
        """As :meth:`maintain`."""
        await self._engine.maintain()
