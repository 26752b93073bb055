"""What the office does for one person: prepare, disable, give out, erase."""

from __future__ import annotations

from . import _narthex
from ._judge import judged
from ._narthex import Engine
from ._values import (
    Asker,
    CreatedPerson,
    ErasedPerson,
    NewPerson,
    PersonExport,
    PersonStatusChange,
)


class People:
    """The part of :class:`Portal` for one person who is in no roster, or wants to go. It asks nobody's
    session: it is for who runs the machine."""

    __slots__ = ()

    _engine: Engine

    def _creating(
        self, person: NewPerson, asker: Asker | None
    ) -> _narthex.Operation[CreatedPerson]:
        with judged("person", NewPerson, person):
            return _narthex.create_person(self._engine, person, asker)

    def create_person(self, person: NewPerson, asker: Asker | None = None) -> CreatedPerson:
        """Prepares a person by hand, with the code to claim by, in one commit. Imports leave them
        alone."""
        return self._creating(person, asker).run()

    async def acreate_person(self, person: NewPerson, asker: Asker | None = None) -> CreatedPerson:
        """As :meth:`create_person`."""
        return await self._creating(person, asker)

    def disable_person(self, login_id: str, asker: Asker | None = None) -> PersonStatusChange:
        """From now on the person neither claims, nor logs in, nor recovers; every session has ended.
        No import takes it back."""
        return _narthex.disable_person(self._engine, login_id, asker).run()

    async def adisable_person(
        self, login_id: str, asker: Asker | None = None
    ) -> PersonStatusChange:
        """As :meth:`disable_person`."""
        return await _narthex.disable_person(self._engine, login_id, asker)

    def enable_person(self, login_id: str, asker: Asker | None = None) -> PersonStatusChange:
        """Takes :meth:`disable_person` back: the same password is good again, no session is."""
        return _narthex.enable_person(self._engine, login_id, asker).run()

    async def aenable_person(self, login_id: str, asker: Asker | None = None) -> PersonStatusChange:
        """As :meth:`enable_person`."""
        return await _narthex.enable_person(self._engine, login_id, asker)

    def export_person(self, login_id: str, asker: Asker | None = None) -> PersonExport | None:
        """Everything that is stored about a person, with no secret in it; ``None``: the roster has no
        such number. As JSON: ``json.dumps(dataclasses.asdict(export), default=str)``."""
        return _narthex.export_person(self._engine, login_id, asker).run()

    async def aexport_person(
        self, login_id: str, asker: Asker | None = None
    ) -> PersonExport | None:
        """As :meth:`export_person`."""
        return await _narthex.export_person(self._engine, login_id, asker)

    def erase_person(self, login_id: str, asker: Asker | None = None) -> ErasedPerson:
        """Removes everything that tells of a person, under this and former numbers. Backups made before
        still have it. Where it breaks off, the person is disabled already, and the same again goes on."""
        return _narthex.erase_person(self._engine, login_id, asker).run()

    async def aerase_person(self, login_id: str, asker: Asker | None = None) -> ErasedPerson:
        """As :meth:`erase_person`."""
        return await _narthex.erase_person(self._engine, login_id, asker)

    def readmit_number(self, login_id: str, asker: Asker | None = None) -> bool:
        """Lets a number name somebody again that was an erased person's. ``False``: nobody who had it
        was erased."""
        return _narthex.readmit_number(self._engine, login_id, asker).run()

    async def areadmit_number(self, login_id: str, asker: Asker | None = None) -> bool:
        """As :meth:`readmit_number`."""
        return await _narthex.readmit_number(self._engine, login_id, asker)
