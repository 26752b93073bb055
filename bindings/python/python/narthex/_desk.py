"""The staff desk: people of staff help others of their organizations, in a fresh session."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from . import _narthex
from ._judge import judged
from ._office import confirms
from ._site import Reading
from ._values import (
    Asker,
    DeskReport,
    EndedSessions,
    EvidenceReport,
    ImportReport,
    IssueClaimCode,
    IssuedRecoveryCode,
    RosterBatch,
    SettledHold,
)

if TYPE_CHECKING:
    from ._narthex import Engine, Operation, Session


class StaffDesk:
    """What one person of staff may do: ``Portal.staff_desk(session)``.

    Every method raises :class:`Refused`: ``reauthentication_needed`` when the password was not typed
    a short while ago, ``not_permitted`` to who is not staff or may only look. A person of another
    organization is answered as a number that the roster does not have (AZ-01). Each look and each
    act is an audit event. What must not happen twice because a page was sent twice asks for the
    ``mark`` of what was found: ``desk.issue_claim_code(number, desk.find(number).mark)``.
    """

    __slots__ = ("_asker", "_engine", "_session")

    def __init__(self, engine: Engine, session: Session, asker: Asker | None) -> None:
        self._engine = engine
        self._session = session
        self._asker = asker

    def __repr__(self) -> str:
        return "StaffDesk()"

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a StaffDesk: it rests on a session")

    def find(self, login_id: str) -> DeskReport | None:
        """What is known of the person with this number; ``None``: the roster has no such number."""
        return _narthex.desk_find(self._engine, self._session, login_id, self._asker).run()

    async def afind(self, login_id: str) -> DeskReport | None:
        """As :meth:`find`."""
        return await _narthex.desk_find(self._engine, self._session, login_id, self._asker)

    def check(
        self, *, given_name: str, family_name: str, birthdate: date | str, login_id: str
    ) -> EvidenceReport | None:
        """Which of the facts that a person typed agree with the roster, never what the roster says;
        ``None``: it has no such number."""
        facts = (given_name, family_name, birthdate, login_id, None)
        return _narthex.desk_check(self._engine, self._session, facts, self._asker).run()

    async def acheck(
        self, *, given_name: str, family_name: str, birthdate: date | str, login_id: str
    ) -> EvidenceReport | None:
        """As :meth:`check`."""
        facts = (given_name, family_name, birthdate, login_id, None)
        return await _narthex.desk_check(self._engine, self._session, facts, self._asker)

    def clear_tries(self, login_id: str) -> bool:
        """Forgets the failed tries at claims, log-ins and recoveries of a person, so that nothing
        waits. ``False``: the roster has no such number."""
        return _narthex.desk_clear_tries(self._engine, self._session, login_id, self._asker).run()

    async def aclear_tries(self, login_id: str) -> bool:
        """As :meth:`clear_tries`."""
        return await _narthex.desk_clear_tries(self._engine, self._session, login_id, self._asker)

    def issue_claim_code(self, login_id: str, mark: str) -> IssueClaimCode:
        """A claim code for a person who has not claimed yet. An older one is dead."""
        issued = _narthex.desk_issue_claim_code(self._engine, self._session, login_id, mark, self._asker)
        return issued.run()

    async def aissue_claim_code(self, login_id: str, mark: str) -> IssueClaimCode:
        """As :meth:`issue_claim_code`."""
        return await _narthex.desk_issue_claim_code(
            self._engine, self._session, login_id, mark, self._asker
        )

    def issue_recovery_code(self, login_id: str, mark: str) -> IssuedRecoveryCode:
        """A code for a person who forgot the password. An older one from staff is dead."""
        issued = _narthex.desk_issue_recovery_code(
            self._engine, self._session, login_id, mark, self._asker
        )
        return issued.run()

    async def aissue_recovery_code(self, login_id: str, mark: str) -> IssuedRecoveryCode:
        """As :meth:`issue_recovery_code`."""
        return await _narthex.desk_issue_recovery_code(
            self._engine, self._session, login_id, mark, self._asker
        )

    def end_sessions(self, login_id: str, mark: str) -> EndedSessions:
        """Logs a person out everywhere."""
        return _narthex.desk_end_sessions(self._engine, self._session, login_id, mark, self._asker).run()

    async def aend_sessions(self, login_id: str, mark: str) -> EndedSessions:
        """As :meth:`end_sessions`."""
        return await _narthex.desk_end_sessions(
            self._engine, self._session, login_id, mark, self._asker
        )

    # Lists of people

    def _importing(
        self,
        roster: RosterBatch | bytes,
        how: tuple[bool, bool],
        date_order: Literal["ymd", "mdy", "dmy"] | None,
        number_column: str | None,
        organization: str | None,
        delta: bool,
    ) -> Operation[ImportReport]:
        if not isinstance(roster, (RosterBatch, bytes)):
            raise TypeError("roster must be RosterBatch, or the bytes of a file (never its path)")
        reading = Reading(
            date_order=date_order,
            number_column=number_column,
            organization=organization,
            delta=delta,
        )
        asked = (self._engine, self._session, roster, how, reading, self._asker)
        if not isinstance(roster, RosterBatch):
            return _narthex.desk_import_roster(*asked)
        reading.needs_a_file()
        with judged("roster", RosterBatch, roster):
            return _narthex.desk_import_roster(*asked)

    def preview_roster(
        self,
        roster: RosterBatch | bytes,
        *,
        accept_new_ids: bool = False,
        date_order: Literal["ymd", "mdy", "dmy"] | None = None,
        number_column: str | None = None,
        organization: str | None = None,
        delta: bool = False,
    ) -> ImportReport:
        """What :meth:`import_roster` would do now. Changes nothing."""
        how = (True, accept_new_ids)
        importing = self._importing(roster, how, date_order, number_column, organization, delta)
        return importing.run()

    async def apreview_roster(
        self,
        roster: RosterBatch | bytes,
        *,
        accept_new_ids: bool = False,
        date_order: Literal["ymd", "mdy", "dmy"] | None = None,
        number_column: str | None = None,
        organization: str | None = None,
        delta: bool = False,
    ) -> ImportReport:
        """As :meth:`preview_roster`."""
        how = (True, accept_new_ids)
        importing = self._importing(roster, how, date_order, number_column, organization, delta)
        return await importing

    def import_roster(
        self,
        roster: RosterBatch | bytes,
        *,
        accept_new_ids: bool = False,
        date_order: Literal["ymd", "mdy", "dmy"] | None = None,
        number_column: str | None = None,
        organization: str | None = None,
        delta: bool = False,
    ) -> ImportReport:
        """Brings in what a list says of the organizations in which the person is staff: values, or the
        bytes of a file that was uploaded (a zip of OneRoster or School Data Sync, or one CSV file; at
        most 16 MiB). Who belongs to another organization too is left as they are; a finding says so.

        ``delta``: the file lists only what changed. ``organization``: where everybody of a CSV file
        belongs. ``accept_new_ids``: go on with a complete file that lists nobody whom its source listed
        before."""
        how = (False, accept_new_ids)
        importing = self._importing(roster, how, date_order, number_column, organization, delta)
        return importing.run()

    async def aimport_roster(
        self,
        roster: RosterBatch | bytes,
        *,
        accept_new_ids: bool = False,
        date_order: Literal["ymd", "mdy", "dmy"] | None = None,
        number_column: str | None = None,
        organization: str | None = None,
        delta: bool = False,
    ) -> ImportReport:
        """As :meth:`import_roster`."""
        how = (False, accept_new_ids)
        importing = self._importing(roster, how, date_order, number_column, organization, delta)
        return await importing

    def _settling(
        self, source: str, organization: str, decision: str
    ) -> Operation[SettledHold | None]:
        asked = (self._engine, self._session, source, organization, confirms(decision), self._asker)
        return _narthex.desk_settle_hold(*asked)

    def settle_hold(
        self, source: str, organization: str, decision: Literal["confirm", "discard"]
    ) -> SettledHold | None:
        """People whom an import holds (:meth:`Portal.staff_holds`) have left (``"confirm"``) or stay.
        ``None``: nothing is held there, or who asks is not staff there."""
        return self._settling(source, organization, decision).run()

    async def asettle_hold(
        self, source: str, organization: str, decision: Literal["confirm", "discard"]
    ) -> SettledHold | None:
        """As :meth:`settle_hold`."""
        return await self._settling(source, organization, decision)
