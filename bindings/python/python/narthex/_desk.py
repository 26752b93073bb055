"""The staff desk: people of staff help others of their organizations, in a fresh session."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from . import _narthex
from ._values import (
    Asker,
    DeskReport,
    EndedSessions,
    EvidenceReport,
    IssueClaimCode,
    IssuedRecoveryCode,
)

if TYPE_CHECKING:
    from ._narthex import Engine, Session


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
