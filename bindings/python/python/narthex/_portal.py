"""The portal: the engine under the names of the Rust API, called or awaited."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import os
import weakref
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from types import NoneType, TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from . import _narthex
from ._desk import StaffDesk
from ._errors import InvalidArgument, Refused
from ._judge import judge
from ._narthex import (
    BrowserSecret,
    ClaimTicket,
    Engine,
    RecoveryTicket,
    Session,
    SessionToken,
)
from ._narthex import forked as _forked
from ._notices import Notices
from ._office import Office
from ._policy import Policy
from ._site import Site
from ._values import (
    Asker,
    Claimed,
    Contact,
    Family,
    Location,
    LoggedIn,
    Organization,
    Profile,
    Question,
    Recovered,
    RecoveryCodes,
    Requirement,
    Resume,
    RosterHold,
    StaffStatistics,
    StatisticLine,
    Statistics,
)
from .hook import Hooks

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._narthex import ManualClock

# What was opened before a fork belongs to the parent: a child opens its own at the next use.
os.register_at_fork(after_in_child=_forked)

_open_portals: weakref.WeakSet[Portal] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    _narthex.attach_no_more()
    for portal in list(_open_portals):
        portal.close()


Answers = Mapping[str, str] | Sequence[tuple[str, str]]
"""Answers by question."""


def _pairs(answers: Answers) -> list[tuple[str, str]]:
    said: object = answers
    if not isinstance(said, Iterable):
        raise TypeError("answers must be a mapping, or pairs of question and answer")
    pairs = list(answers.items() if isinstance(answers, Mapping) else answers)
    # A text of two letters could be taken apart, too.
    if not all(isinstance(pair, (tuple, list)) for pair in pairs):
        raise TypeError("answers must be a mapping, or pairs of question and answer")
    if not all(len(pair) == 2 for pair in pairs):
        raise InvalidArgument("answers", "has what is no pair of question and answer")
    return [(question, answer) for question, answer in pairs]


def _told(
    preferred_name: str | None, email: str | None, phone: str | None, language: str | None
) -> list[tuple[str, str]]:
    told = {"preferred_name": preferred_name, "email": email, "phone": phone, "language": language}
    return [(name, typed) for name, typed in told.items() if typed is not None]


class VerifySession(Protocol):
    """What :attr:`Portal.verify_session` is."""

    def __call__(self, token: SessionToken | str | Session) -> Session: ...


class Portal(Office):
    """A portal that is open in this process, and again in every process that is forked from it.

    Whatever hashes or touches the disk lets other threads go on meanwhile, and has a form to be
    awaited: ``log_in`` and ``alog_in``. ``verify_session`` is a plain call.
    """

    __slots__ = ("__weakref__", "_engine", "_hooks", "policy", "site", "verify_session")

    policy: Policy
    site: Site | None
    verify_session: VerifySession
    """The live session of a cookie. Raises :class:`Refused`: ``session_ended`` with its reason,
    ``token_replaced``, or ``not_logged_in``."""

    def __init__(
        self, engine: Engine, policy: Policy, site: Site | None, hooks: Hooks | None = None
    ) -> None:
        self._engine = engine
        self._hooks = hooks or Hooks()
        self.policy = policy
        self.site = site
        self.verify_session = engine.verify_session
        _open_portals.add(self)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        keys: str | os.PathLike[str] | None = None,
        policy: Policy | None = None,
        shared: bool = True,
        hash_workers: int | None = None,
        hooks: Hooks | None = None,
        base_url: str | None = None,
        site_name: str | None = None,
        cookie_suffix: str = "",
        trusted_proxies: Sequence[str] = (),
        help: Sequence[Contact] = (),
        _clock: ManualClock | None = None,
    ) -> Self:
        """Opens the store at ``url``: ``redb:///path``, or ``memory:`` for a trial.

        ``keys``: the key file; by default in a folder of its own beside the store's.
        ``shared``: whether other processes may open the same store so. Alone
        (``shared=False``) checks of sessions are answered from memory.
        ``hooks``: what the portal asks besides, from the first request on: :mod:`narthex.hook`.
        ``base_url``: where the pages live; needed to serve them. The rest is for the pages, too.
        """
        policy, hooks, site = _judged(
            keys=keys,
            policy=policy,
            shared=shared,
            hooks=hooks,
            base_url=base_url,
            site_name=site_name,
            cookie_suffix=cookie_suffix,
            trusted_proxies=trusted_proxies,
            help=help,
        )
        engine = Engine(
            url,
            keys=keys,
            policy=policy,
            shared=shared,
            hash_workers=hash_workers,
            hooks=hooks,
            site=site,
            clock=_clock,
        )
        return cls(engine, policy, site, hooks)

    @property
    def hooks(self) -> Hooks:
        """The hooks that are installed."""
        return self._hooks

    def set_hooks(self, hooks: Hooks) -> None:
        """Puts ``hooks`` in the place of those before, in this process: what is asked from now on asks
        these. From one thread at a time: a fork has those of the last who was done."""
        _narthex.set_hooks(self._engine, hooks)
        self._hooks = hooks

    def close(self) -> None:
        """Closes the store."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return "Portal()"

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle or copy a Portal")

    # Claim

    def begin_claim(
        self,
        *,
        given_name: str,
        family_name: str,
        birthdate: date | str | None = None,
        login_id: str,
        claim_code: str | None = None,
        browser: BrowserSecret | None = None,
        asker: Asker,
    ) -> ClaimTicket:
        """First step: names, birthdate and number (and the code of a letter) open a ticket, bound to
        ``browser``. Without ``birthdate``: for who has a code, and none on record."""
        facts = (given_name, family_name, birthdate, login_id, claim_code)
        return self._engine.begin_claim(facts, browser, asker).run()

    async def abegin_claim(
        self,
        *,
        given_name: str,
        family_name: str,
        birthdate: date | str | None = None,
        login_id: str,
        claim_code: str | None = None,
        browser: BrowserSecret | None = None,
        asker: Asker,
    ) -> ClaimTicket:
        """As :meth:`begin_claim`."""
        facts = (given_name, family_name, birthdate, login_id, claim_code)
        return await self._engine.begin_claim(facts, browser, asker)

    def claim_ticket(self, id: str, browser: BrowserSecret) -> ClaimTicket:
        """The claim of a ticket, for the browser that began it."""
        return self._engine.claim_ticket(id, browser).run()

    async def aclaim_ticket(self, id: str, browser: BrowserSecret) -> ClaimTicket:
        """As :meth:`claim_ticket`."""
        return await self._engine.claim_ticket(id, browser)

    def set_claim_password(self, ticket: ClaimTicket, password: str) -> ClaimTicket:
        """Second step: a password that meets ``ticket.requirements``."""
        return self._engine.set_claim_password(ticket, password).run()

    async def aset_claim_password(self, ticket: ClaimTicket, password: str) -> ClaimTicket:
        """As :meth:`set_claim_password`."""
        return await self._engine.set_claim_password(ticket, password)

    def finish_claim(
        self,
        ticket: ClaimTicket,
        *,
        answers: Answers,
        password: str | None = None,
        asker: Asker | None = None,
    ) -> Claimed:
        """Last step: answers by question. With ``password``, the second and the last step."""
        if password is not None:
            ticket = self.set_claim_password(ticket, password)
        return self._engine.finish_claim(ticket, _pairs(answers), asker).run()

    async def afinish_claim(
        self,
        ticket: ClaimTicket,
        *,
        answers: Answers,
        password: str | None = None,
        asker: Asker | None = None,
    ) -> Claimed:
        """As :meth:`finish_claim`."""
        if password is not None:
            ticket = await self.aset_claim_password(ticket, password)
        return await self._engine.finish_claim(ticket, _pairs(answers), asker)

    def abandon_claim(self, ticket: ClaimTicket) -> None:
        """ "Not you?": forgets the claim."""
        self._engine.abandon_claim(ticket).run()

    async def aabandon_claim(self, ticket: ClaimTicket) -> None:
        """As :meth:`abandon_claim`."""
        await self._engine.abandon_claim(ticket)

    @property
    def claim_code_required(self) -> bool:
        """Whether a claim needs the code of a letter."""
        return _narthex.claim_code_required(self._engine)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The security questions to choose from."""
        return tuple(Question(*one) for one in self._engine.questions())

    @property
    def questions_required(self) -> int:
        """How many of them a claim asks."""
        return self._engine.questions_required()

    # Sessions

    def log_in(
        self,
        login_id: str,
        password: str,
        *,
        shared_computer: bool = False,
        presented: SessionToken | str | None = None,
        asker: Asker,
    ) -> LoggedIn:
        """Number and password begin a session. ``presented``: what the browser's cookie held
        before, which ends now."""
        return self._engine.log_in(
            login_id,
            password,
            shared_computer=shared_computer,
            presented=presented,
            asker=asker,
        ).run()

    async def alog_in(
        self,
        login_id: str,
        password: str,
        *,
        shared_computer: bool = False,
        presented: SessionToken | str | None = None,
        asker: Asker,
    ) -> LoggedIn:
        """As :meth:`log_in`."""
        return await self._engine.log_in(
            login_id,
            password,
            shared_computer=shared_computer,
            presented=presented,
            asker=asker,
        )

    async def averify_session(self, token: SessionToken | str | Session) -> Session:
        """As :attr:`verify_session`, for an event loop that must never wait for a disk."""
        return await self._engine.verify_session_slowly(token)

    def record_activity(self, session: Session, idle_for: timedelta = timedelta()) -> None:
        """The person was active ``idle_for`` ago."""
        self._engine.record_activity(session, idle_for).run()

    async def arecord_activity(self, session: Session, idle_for: timedelta = timedelta()) -> None:
        """As :meth:`record_activity`."""
        await self._engine.record_activity(session, idle_for)

    def log_out(self, session: Session | SessionToken | str, asker: Asker | None = None) -> None:
        """Ends this browser's session."""
        self._engine.log_out(session, asker).run()

    async def alog_out(
        self, session: Session | SessionToken | str, asker: Asker | None = None
    ) -> None:
        """As :meth:`log_out`."""
        await self._engine.log_out(session, asker)

    def change_password(
        self, session: Session, *, current: str, new: str, asker: Asker
    ) -> LoggedIn:
        """A new password. This session goes on under a new token; all others have ended."""
        return self._engine.change_password(session, current, new, asker).run()

    async def achange_password(
        self, session: Session, *, current: str, new: str, asker: Asker
    ) -> LoggedIn:
        """As :meth:`change_password`."""
        return await self._engine.change_password(session, current, new, asker)

    def password_requirements(self, session: Session) -> tuple[Requirement, ...]:
        """The stated requirements for this person's next password."""
        return self._engine.password_requirements(session).run()

    async def apassword_requirements(self, session: Session) -> tuple[Requirement, ...]:
        """As :meth:`password_requirements`."""
        return await self._engine.password_requirements(session)

    def families(self, session: Session) -> tuple[Family, ...]:
        """Where the person is logged in now, the latest activity first."""
        return _narthex.families(self._engine, session).run()

    async def afamilies(self, session: Session) -> tuple[Family, ...]:
        """As :meth:`families`."""
        return await _narthex.families(self._engine, session)

    def end_family(self, session: Session, handle: str, asker: Asker | None = None) -> None:
        """Logs out in another browser. Needs a fresh log-in, or :meth:`reauthenticate`."""
        _narthex.end_family(self._engine, session, handle, asker).run()

    async def aend_family(
        self, session: Session, handle: str, asker: Asker | None = None
    ) -> None:
        """As :meth:`end_family`."""
        await _narthex.end_family(self._engine, session, handle, asker)

    def end_other_families(self, session: Session, asker: Asker | None = None) -> LoggedIn:
        """Logs out in all other browsers; this one goes on under a new token. Needs a fresh
        log-in, or :meth:`reauthenticate`."""
        return _narthex.end_other_families(self._engine, session, asker).run()

    async def aend_other_families(
        self, session: Session, asker: Asker | None = None
    ) -> LoggedIn:
        """As :meth:`end_other_families`."""
        return await _narthex.end_other_families(self._engine, session, asker)

    def subscribe(self, session: Session) -> Notices:
        """What happens to the session's family from now on, as far as this process does it."""
        return Notices(self._engine.subscribe(session))

    async def until_ended(
        self, session: Session, look_every: timedelta = timedelta(minutes=1)
    ) -> Refused:
        """Waits until ``session`` is live no longer, and answers why: for what stays open, as a websocket
        does. An end or another password in this process is heard at once; what another process does, and
        four hours without activity, within ``look_every``. ``token_replaced``: the person goes on in the
        same browser under another cookie, and its pages open anew what they had open."""
        judge("look_every", timedelta, look_every)
        if not look_every:
            raise InvalidArgument("look_every", "is no time at all")
        notices: Notices | None = self.subscribe(session)
        while True:
            try:
                await self.averify_session(session)
            except Refused as refused:
                return refused
            if notices is None:
                await asyncio.sleep(look_every.total_seconds())
                continue
            # Not `wait_for`: before Python 3.12 it may lose that this task was cancelled.
            hearing = asyncio.ensure_future(notices.anext())
            try:
                await asyncio.wait({hearing}, timeout=look_every.total_seconds())
                if hearing.done() and hearing.result() is None:
                    # Newer listeners of the family took the place: then only looking is left.
                    notices = None
            finally:
                hearing.cancel()

    def family_tag(self, session: Session) -> str:
        """The public name of the session's family: says nothing about the token."""
        return self._engine.family_tag(session)

    # Recovery, and what asks for a fresh log-in

    def begin_recovery(
        self,
        login_id: str,
        code: str,
        *,
        browser: BrowserSecret | None = None,
        asker: Asker,
    ) -> RecoveryTicket:
        """First step: number and code open a ticket, bound to ``browser``."""
        return _narthex.begin_recovery(self._engine, login_id, code, browser, asker).run()

    async def abegin_recovery(
        self,
        login_id: str,
        code: str,
        *,
        browser: BrowserSecret | None = None,
        asker: Asker,
    ) -> RecoveryTicket:
        """As :meth:`begin_recovery`."""
        return await _narthex.begin_recovery(self._engine, login_id, code, browser, asker)

    def recovery_ticket(self, id: str, browser: BrowserSecret) -> RecoveryTicket:
        """The recovery of a ticket, for the browser that began it."""
        return _narthex.recovery_ticket(self._engine, id, browser).run()

    async def arecovery_ticket(self, id: str, browser: BrowserSecret) -> RecoveryTicket:
        """As :meth:`recovery_ticket`."""
        return await _narthex.recovery_ticket(self._engine, id, browser)

    def answer_recovery_questions(
        self, ticket: RecoveryTicket, answers: Answers, asker: Asker
    ) -> RecoveryTicket:
        """Second step, if ``ticket.questions`` asks: the answers given before."""
        pairs = _pairs(answers)
        return _narthex.answer_recovery_questions(self._engine, ticket, pairs, asker).run()

    async def aanswer_recovery_questions(
        self, ticket: RecoveryTicket, answers: Answers, asker: Asker
    ) -> RecoveryTicket:
        """As :meth:`answer_recovery_questions`."""
        pairs = _pairs(answers)
        return await _narthex.answer_recovery_questions(self._engine, ticket, pairs, asker)

    def finish_recovery(
        self, ticket: RecoveryTicket, password: str, asker: Asker | None = None
    ) -> Recovered:
        """Last step: a new password. Every session ends, all codes are dead."""
        return _narthex.finish_recovery(self._engine, ticket, password, asker).run()

    async def afinish_recovery(
        self, ticket: RecoveryTicket, password: str, asker: Asker | None = None
    ) -> Recovered:
        """As :meth:`finish_recovery`."""
        return await _narthex.finish_recovery(self._engine, ticket, password, asker)

    def reauthenticate(
        self, session: Session, current: str, asker: Asker
    ) -> LoggedIn:
        """The current password once more; the session goes on under a new token."""
        return _narthex.reauthenticate(self._engine, session, current, asker).run()

    async def areauthenticate(
        self, session: Session, current: str, asker: Asker
    ) -> LoggedIn:
        """As :meth:`reauthenticate`."""
        return await _narthex.reauthenticate(self._engine, session, current, asker)

    def questions_set(self, session: Session) -> tuple[str, ...]:
        """Which questions the person has answered; never the answers."""
        return _narthex.questions_set(self._engine, session).run()

    async def aquestions_set(self, session: Session) -> tuple[str, ...]:
        """As :meth:`questions_set`."""
        return await _narthex.questions_set(self._engine, session)

    def set_questions(
        self, session: Session, answers: Answers, asker: Asker | None = None
    ) -> None:
        """Other questions and answers. Needs a fresh log-in, or :meth:`reauthenticate`."""
        _narthex.set_questions(self._engine, session, _pairs(answers), asker).run()

    async def aset_questions(
        self, session: Session, answers: Answers, asker: Asker | None = None
    ) -> None:
        """As :meth:`set_questions`."""
        await _narthex.set_questions(self._engine, session, _pairs(answers), asker)

    def renew_recovery_codes(
        self, session: Session, asker: Asker | None = None
    ) -> RecoveryCodes:
        """A new set of codes for the person to keep, shown once; the old set is dead. Needs a
        fresh log-in, or :meth:`reauthenticate`."""
        return _narthex.renew_recovery_codes(self._engine, session, asker).run()

    async def arenew_recovery_codes(
        self, session: Session, asker: Asker | None = None
    ) -> RecoveryCodes:
        """As :meth:`renew_recovery_codes`."""
        return await _narthex.renew_recovery_codes(self._engine, session, asker)

    def recovery_codes_left(self, session: Session) -> int:
        """How many saved codes the person still has."""
        return _narthex.recovery_codes_left(self._engine, session).run()

    async def arecovery_codes_left(self, session: Session) -> int:
        """As :meth:`recovery_codes_left`."""
        return await _narthex.recovery_codes_left(self._engine, session)

    # Where one comes back to

    def resume(
        self, session: Session, return_to: str | None = None, tag: str | None = None
    ) -> Resume:
        """Where the log-in that began ``session`` leads."""
        return Resume(*self._engine.resume(session, return_to, tag).run())

    async def aresume(
        self, session: Session, return_to: str | None = None, tag: str | None = None
    ) -> Resume:
        """As :meth:`resume`."""
        return Resume(*await self._engine.resume(session, return_to, tag))

    def location(self, text: str) -> Location | None:
        """A screen one can come back to; ``None`` for anything else, other origins above all."""
        found = self._engine.location(text)
        return None if found is None else Location(*found)

    def resume_tag(self, who: Session | str, location: str) -> str:
        """Proves at the next log-in that ``location`` was this person's. ``who``: the session, or
        the ``account`` of the refusal that said that it ended."""
        return self._engine.resume_tag(who, location)

    # People and organizations

    def profile(self, session: Session) -> Profile:
        """Who is logged in, read afresh."""
        return self._engine.profile(session).run()

    async def aprofile(self, session: Session) -> Profile:
        """As :meth:`profile`."""
        return await self._engine.profile(session)

    def set_default_organization(
        self, session: Session, organization: str, asker: Asker | None = None
    ) -> None:
        """Where ``/`` leads to from now on."""
        self._engine.set_default_organization(session, organization, asker).run()

    async def aset_default_organization(
        self, session: Session, organization: str, asker: Asker | None = None
    ) -> None:
        """As :meth:`set_default_organization`."""
        await self._engine.set_default_organization(session, organization, asker)

    def change_details(
        self,
        session: Session,
        *,
        preferred_name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        language: str | None = None,
        asker: Asker | None = None,
    ) -> None:
        """What the roster does not own (S17). ``None`` leaves a detail as it is, ``""`` takes it
        away. Another mail address or phone needs a fresh log-in, or :meth:`reauthenticate`."""
        told = _told(preferred_name, email, phone, language)
        _narthex.change_details(self._engine, session, told, asker).run()

    async def achange_details(
        self,
        session: Session,
        *,
        preferred_name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        language: str | None = None,
        asker: Asker | None = None,
    ) -> None:
        """As :meth:`change_details`."""
        told = _told(preferred_name, email, phone, language)
        await _narthex.change_details(self._engine, session, told, asker)

    def organizations(self) -> tuple[Organization, ...]:
        """All of them, with the humans to write to."""
        return self._engine.organizations().run()

    async def aorganizations(self) -> tuple[Organization, ...]:
        """As :meth:`organizations`."""
        return await self._engine.organizations()

    def statistics(self, session: Session, organization: str) -> Statistics:
        """What members may know of their organization."""
        return self._engine.statistics(session, organization).run()

    async def astatistics(self, session: Session, organization: str) -> Statistics:
        """As :meth:`statistics`."""
        return await self._engine.statistics(session, organization)

    def more_statistics(
        self, session: Session, organization: str, language: str = "en"
    ) -> tuple[StatisticLine, ...]:
        """What hooks add to :meth:`statistics`, for who reads ``language``."""
        return _narthex.more_statistics(self._engine, session, organization, language).run()

    async def amore_statistics(
        self, session: Session, organization: str, language: str = "en"
    ) -> tuple[StatisticLine, ...]:
        """As :meth:`more_statistics`."""
        return await _narthex.more_statistics(self._engine, session, organization, language)

    # Staff

    def staff_desk(self, session: Session, asker: Asker | None = None) -> StaffDesk:
        """The desk of a person of staff, who helps people of their organizations. Its methods need a
        fresh log-in, or :meth:`reauthenticate`."""
        return StaffDesk(self._engine, session, asker)

    def staff_holds(self, session: Session) -> tuple[RosterHold, ...]:
        """Imports that wait for a human, in the organizations in which the person is staff:
        :meth:`StaffDesk.settle_hold`."""
        return _narthex.staff_holds(self._engine, session).run()

    async def astaff_holds(self, session: Session) -> tuple[RosterHold, ...]:
        """As :meth:`staff_holds`."""
        return await _narthex.staff_holds(self._engine, session)

    def staff_statistics(self, session: Session, organization: str) -> StaffStatistics:
        """Exact counts of an organization, for its staff only."""
        return _narthex.staff_statistics(self._engine, session, organization).run()

    async def astaff_statistics(self, session: Session, organization: str) -> StaffStatistics:
        """As :meth:`staff_statistics`."""
        return await _narthex.staff_statistics(self._engine, session, organization)

    @property
    def shared(self) -> bool:
        """Whether other processes may have the same store open."""
        return self._engine.is_shared()


def _judged(
    *,
    keys: object,
    policy: Policy | None,
    shared: object,
    hooks: Hooks | None,
    **of_pages: Any,
) -> tuple[Policy, Hooks, Site | None]:
    """What ``Portal.open`` was told, each of the type it says."""
    policy = Policy() if policy is None else policy
    judge("policy", Policy, policy)
    said: object = hooks
    if not isinstance(said, (Hooks, NoneType)):
        raise TypeError(f"hooks must be narthex.hook.Hooks, not {type(said).__name__}")
    judge("shared", bool, shared)
    if not isinstance(keys, (str, os.PathLike, NoneType)):
        raise TypeError(f"keys must be a path, not {type(keys).__name__}")
    return policy, hooks or Hooks(), Site.told(**of_pages)


# As it is written here: who wraps it later takes the same arguments.
OPEN = inspect.signature(Portal.open)


def judge_options(url: str, **options: Any) -> None:
    """Raises what ``Portal.open`` with the same arguments raises before it touches the disk."""
    bound = OPEN.bind(url, **options)
    bound.apply_defaults()
    said = bound.arguments
    url, workers, _clock = (said.pop(name) for name in ("url", "hash_workers", "_clock"))
    policy, hooks, site = _judged(**said)
    Engine.judge(url, policy=policy, hash_workers=workers, hooks=hooks, site=site)
