"""Hooks in plain Python refuse more and never allow more; whatever goes wrong in one is a no."""

from __future__ import annotations

import asyncio
import copy
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from doors import asgi
from test_processes import in_a_fork

import narthex
from narthex import InvalidArgument, Portal, Refused
from narthex.asgi import PortalApp
from narthex.hook import (
    Abstain,
    AuditEvent,
    Breaks,
    Candidate,
    ExtraRequirement,
    Hooks,
    Meets,
    Opinion,
    PasswordVerdict,
    Question,
    Refuse,
    StatisticLine,
    Statistics,
)
from narthex.testing import ADA, BEN, HOME, MORNING, TestPortal, claim, log_in, portal

NEW = "seven tigers of lace"
OTHER = "seven leagues of lint"
TOGETHER_MAX_S = 30


class Mascot:
    """A rule that answers as it is told."""

    name = "mascot"

    def __init__(self, answer: Callable[[Candidate], Any] | None = None) -> None:
        self.answer = answer
        self.kept: list[Candidate] = []

    def requirements(self) -> Sequence[ExtraRequirement]:
        texts = {"en": "No school mascot", "es": "Ninguna mascota"}
        return [ExtraRequirement("no_mascot", texts)]

    def check(self, candidate: Candidate) -> PasswordVerdict:
        self.kept.append(candidate)
        if self.answer is not None:
            answer: PasswordVerdict = self.answer(candidate)
            return answer
        return Breaks(["no_mascot"]) if "tiger" in candidate.text() else Meets()


class Gate:
    """A second opinion on log-ins and claims, that says what ``answer`` says."""

    name = "gate"

    def __init__(self, answer: Callable[[Question], Any] = lambda _: Abstain()) -> None:
        self.answer = answer
        self.asked: list[Question] = []

    def log_in(self, question: Question) -> Opinion:
        self.asked.append(question)
        answer: Opinion = self.answer(question)
        return answer

    claim = log_in


class Ear:
    name = "ear"

    def __init__(self, heard: Callable[[AuditEvent], None] | None = None) -> None:
        self.events: list[AuditEvent] = []
        self.heard = heard

    def observe(self, event: AuditEvent) -> None:
        self.events.append(event)
        if self.heard is not None:
            self.heard(event)


class Library:
    name = "library"

    def __init__(self, lines: Callable[[], Any] | None = None) -> None:
        self.answer = lines

    def lines(self, told: Statistics, language: str) -> Sequence[StatisticLine]:
        if self.answer is not None:
            answer: Sequence[StatisticLine] = self.answer()
            return answer
        return [StatisticLine(f"Books lent ({language})", told.organization)]


def fails(_: object) -> Any:
    raise ValueError("seven tigers of lace, S-1024")


def leaves(_: object) -> Any:
    raise SystemExit(0)


def in_time(work: Callable[[], None]) -> None:
    """Does it in a process that is ended if somebody waits for ever, with the interpreter or without."""

    def limited() -> None:
        signal.alarm(TOGETHER_MAX_S)
        work()

    in_a_fork(limited)


forking = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def refusal(work: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        work()
    return refused.value


# Password rules


def test_a_password_must_meet_what_a_rule_states(school: TestPortal) -> None:
    login = log_in(school)
    hooks = Hooks(password_rules=[Mascot()])
    school.set_hooks(hooks)
    assert school.hooks is hooks
    stated = school.password_requirements(login.session)
    assert narthex.Requirement("mascot.no_mascot", "No school mascot") in stated

    def change(new: str) -> narthex.LoggedIn:
        return school.change_password(login.session, current=ADA.password, new=new, asker=HOME)

    refused = refusal(lambda: change(NEW))
    issue = narthex.Issue("password", "mascot.no_mascot", "No school mascot")
    assert (refused.code, refused.issues) == ("password_unacceptable", (issue,))
    school.verify_session(login.token)
    assert change(OTHER).session.account == login.session.account
    school.set_hooks(Hooks())
    assert school.hooks == Hooks()


@pytest.mark.parametrize(
    "answer",
    [
        fails, leaves,
        lambda _: None, lambda _: True, lambda _: Meets, lambda _: "meets", lambda _: [],
        lambda _: Breaks([]), lambda _: Breaks(iter(())),  # type: ignore[arg-type]
        lambda _: Breaks(["foreign"]), lambda _: Breaks("no_mascot"),
        lambda _: Breaks(["no_mascot", "foreign"]), lambda _: Breaks([1]),  # type: ignore[list-item]
        lambda candidate: candidate.text(7),
    ],
)  # fmt: skip
def test_a_rule_without_a_verdict_takes_no_password(
    school: TestPortal, answer: Callable[[Candidate], Any]
) -> None:
    login = log_in(school)
    school.set_hooks(Hooks(password_rules=[Mascot(answer)]))
    refused = refusal(
        lambda: school.change_password(
            login.session, current=ADA.password, new=OTHER, asker=HOME
        )
    )
    assert [one.code for one in refused.issues] == ["unchecked"]
    assert log_in(school).session.account == login.session.account


def test_dp05_a_candidate_is_hidden_and_gone_when_the_rule_has_answered(
    school: TestPortal,
) -> None:
    escapes: list[Callable[[object], object]] = [pickle.dumps, copy.copy, copy.deepcopy]

    def look(candidate: Candidate) -> PasswordVerdict:
        assert candidate.text() == OTHER and OTHER not in f"{candidate} {candidate!r}"
        for escape in escapes:
            with pytest.raises(TypeError):
                escape(candidate)
        return Meets()

    rule = Mascot(look)
    login = log_in(school)
    school.set_hooks(Hooks(password_rules=[rule]))
    school.change_password(login.session, current=ADA.password, new=OTHER, asker=HOME)
    (kept,) = rule.kept
    with pytest.raises(RuntimeError, match="not kept"):
        kept.text()
    # A rule can be tried without a portal.
    assert Mascot().check(Candidate(NEW)) == Breaks(["no_mascot"])


# Opinions


def test_an_opinion_refuses_like_a_wrong_password_and_the_audit_says_why(
    school: TestPortal,
) -> None:
    claim(school)
    wrong = refusal(lambda: school.log_in(ADA.login_id, "not the password at all", asker=HOME))
    gate = Gate(lambda _: Refuse("not_today"))
    school.set_hooks(Hooks(log_in_opinions=[gate], claim_opinions=[gate]))
    asker = narthex.Asker(source="192.0.2.9", client_label="Firefox")
    for login_id in ("s-1024", "S-9999"):
        refused = refusal(lambda: school.log_in(login_id, ADA.password, asker=asker))
        assert (refused.code, refused.text) == (wrong.code, wrong.text)
    assert gate.asked == [
        Question("S-1024", "192.0.2.9", "Firefox", MORNING),
        Question("S-9999", "192.0.2.9", "Firefox", MORNING),
    ]
    assert refusal(lambda: claim(school, BEN)).code == "claim_not_matched"
    told = [one.detail for one in school.audit_after(limit=512) if one.kind == "hook_refused"]
    assert len(told) == 3 and all("gate not_today" in (one or "") for one in told)
    gate.answer = lambda _: Abstain()
    assert refusal(lambda: school.log_in("S-1024", "wrong", asker=HOME)).code == "login_failed"
    log_in(school)
    log_in(school, BEN)


@pytest.mark.parametrize(
    "answer",
    [
        fails, leaves, lambda _: None, lambda _: True, lambda _: Abstain, lambda _: "abstain",
        lambda _: Refuse("Not A Code"), lambda _: Refuse(None),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_an_opinion_that_is_none_refuses(
    school: TestPortal, answer: Callable[[Question], Any]
) -> None:
    claim(school)
    gate = Gate(answer)
    school.set_hooks(Hooks(log_in_opinions=[Gate(), Silent(gate)], claim_opinions=[gate]))
    with pytest.raises(Refused, match="login_failed"):
        log_in(school)
    with pytest.raises(Refused, match="claim_not_matched"):
        claim(school, BEN)
    told = [one.detail for one in school.audit_after(limit=512) if one.kind == "hook_refused"]
    assert [one.rpartition(" ")[2] for one in told if one] == ["fault", "fault"]


class Silent:
    """The same under another name: names of one kind differ."""

    name = "silent"

    def __init__(self, gate: Gate) -> None:
        self.log_in = gate.log_in


def test_lg03_the_log_says_which_hook_failed_and_nothing_of_what_it_was_asked(
    school: TestPortal, caplog: pytest.LogCaptureFixture
) -> None:
    login = log_in(school)
    school.set_hooks(Hooks(password_rules=[Mascot(fails)], log_in_opinions=[Gate(fails)]))
    with pytest.raises(Refused):
        school.change_password(login.session, current=ADA.password, new=NEW, asker=HOME)
    with pytest.raises(Refused):
        log_in(school)
    assert [one.name for one in caplog.records] == ["narthex.hook"] * 2
    for name in ("mascot", "gate"):
        assert f"the hook {name} did not answer: ValueError at {__file__}:" in caplog.text
    assert "tigers" not in caplog.text and "1024" not in caplog.text


def test_ctrl_c_in_a_hook_is_a_fault_and_reaches_who_waits(school: TestPortal) -> None:
    claim(school)

    def interrupted(_: Question) -> Any:
        raise KeyboardInterrupt

    school.set_hooks(Hooks(log_in_opinions=[Gate(interrupted)]))
    # What runs in the background has Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            try:
                log_in(school)
            finally:
                time.sleep(0)
    finally:
        signal.signal(signal.SIGINT, before)
    school.set_hooks(Hooks())
    log_in(school)


# Sinks and statistics


def test_a_sink_hears_what_was_committed_and_cannot_fail_it(school: TestPortal) -> None:
    ear = Ear(fails)
    school.set_hooks(Hooks(event_sinks=[ear]))
    login = log_in(school)
    heard = [event.kind for event in ear.events]
    assert heard.index("claimed") < heard.index("logged_in")
    kept = {(one.kind, one.at, one.account, one.detail) for one in school.audit_after(limit=512)}
    for event in ear.events:
        assert (event.kind, event.at, event.account, event.detail) in kept
    assert ear.events[-1].account == login.session.account


def test_a_sink_that_would_never_run_is_told_of(
    school: TestPortal, caplog: pytest.LogCaptureFixture
) -> None:
    class Lazy:
        name = "lazy"

        def observe(self, event: Any) -> Any:
            yield event

    school.set_hooks(Hooks(event_sinks=[Lazy()]))
    claim(school)
    assert "the hook lazy did not answer: TypeError" in caplog.text


@pytest.mark.parametrize(
    "lines",
    [
        lambda: fails(None), lambda: None, lambda: [("Books", "9")],
        lambda: [StatisticLine("Books", "9")] * 9, lambda: [StatisticLine("Books\n", "9")],
        lambda: [StatisticLine("Books", 9)],  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_a_statistic_adds_lines_and_a_fault_leaves_them_out(
    school: TestPortal, lines: Callable[[], Any]
) -> None:
    session = log_in(school).session
    broken = Library(lines)
    broken.name = "broken"
    school.set_hooks(Hooks(landing_statistics=[broken, Library()]))
    told = school.more_statistics(session, "north-high", "es")
    assert told == (StatisticLine("Books lent (es)", "north-high"),)
    with pytest.raises(Refused, match="not_permitted"):
        school.more_statistics(session, "south-high")


def test_the_landing_page_has_the_lines(school: TestPortal) -> None:
    sent = {
        "host": "127.0.0.1:8000", "accept": "text/html",
        "cookie": f"narthex={log_in(school).token.expose()}",
    }  # fmt: skip
    school.set_hooks(Hooks(landing_statistics=[Library()]))
    app = PortalApp(school)
    page = asyncio.run(asgi(app, "GET", "/portal/o/north-high/", sent, b"", "192.0.2.7"))
    assert page.status == 200 and b"Books lent (en)" in page.body


# What cannot be a hook


class Async:
    name = "slow"

    async def log_in(self, question: Question) -> Opinion:
        return Abstain()


class Nameless:
    def log_in(self, question: Question) -> Opinion:
        return Abstain()


def named(name: str) -> Gate:
    gate = Gate()
    gate.name = name
    return gate


def stating(*stated: ExtraRequirement) -> Mascot:
    rule = Mascot()
    rule.requirements = lambda: stated  # type: ignore[method-assign]
    return rule


@pytest.mark.parametrize(
    ("kind", "hooks", "says"),
    [
        ("log_in_opinions", [Async()], "async log_in"),
        ("log_in_opinions", [Nameless()], "no name"),
        ("log_in_opinions", [Ear()], "no method log_in"),
        ("log_in_opinions", [named("Not A Code")], "a code is"),
        ("log_in_opinions", [named("one"), named("one")], "called one"),
        ("event_sinks", [Gate()], "no method observe"),
        ("password_rules", [stating()], "0 requirements"),
        ("password_rules", [stating(ExtraRequirement("no", {}))], "text of a requirement"),
        ("password_rules", [stating(ExtraRequirement("No", {"en": "No"}))], "a code is"),
        ("claim_opinions", [named(f"gate_{n}") for n in range(17)], "remove some"),
    ],
)
def test_what_cannot_be_a_hook_is_told_and_those_before_stay(
    school: TestPortal, kind: str, hooks: list[Any], says: str
) -> None:
    claim(school)
    school.set_hooks(Hooks(log_in_opinions=[Gate(lambda _: Refuse("not_today"))]))
    with pytest.raises(InvalidArgument, match=says) as error:
        school.set_hooks(Hooks(**{kind: hooks}))
    assert error.value.argument.startswith("hooks")
    with pytest.raises(Refused, match="login_failed"):
        log_in(school)
    with pytest.raises(InvalidArgument, match=says):
        portal(hooks=Hooks(**{kind: hooks}))


# Threads, event loops, forks


@forking
def test_hooks_are_there_from_the_first_request_on_and_in_a_fork(tmp_path: Path) -> None:
    url = f"redb://{tmp_path}/store/portal.redb"
    ear, gate = Ear(), Gate()
    with portal(url, hooks=Hooks(event_sinks=[ear], log_in_opinions=[gate])) as school:
        assert "roster_imported" in {event.kind for event in ear.events}
        claim(school)
        gate.answer = lambda _: Refuse("not_today")

        def knock() -> None:
            with pytest.raises(Refused, match="login_failed"):
                log_in(school)

        knock()
        in_a_fork(knock)


@forking
def test_py01_hooks_on_many_threads_and_in_an_event_loop_stop_nobody(tmp_path: Path) -> None:
    threads: set[str] = set()

    def noted(_: object) -> Any:
        threads.add(threading.current_thread().name)
        time.sleep(0.001)
        return Abstain()

    def all_at_once() -> None:
        hooks = Hooks(log_in_opinions=[Gate(noted)], event_sinks=[Ear(noted)])
        with portal(f"redb://{tmp_path}/store/portal.redb", hooks=hooks) as school:

            def knock(number: int) -> None:
                with pytest.raises(Refused, match="login_failed"):
                    school.log_in(f"S-{number}", "not the password at all", asker=HOME)

            async def aknock(number: int) -> None:
                with pytest.raises(Refused, match="login_failed"):
                    await school.alog_in(f"S-{number}", "not the password at all", asker=HOME)

            async def journey() -> None:
                # On the loop's own thread, which waits for it.
                knock(9000)
                await asyncio.gather(*(aknock(9001 + number) for number in range(20)))

            with ThreadPoolExecutor(8) as pool:
                waiting = [pool.submit(knock, 9100 + number) for number in range(40)]
                asyncio.run(journey())
                for one in waiting:
                    one.result()
        assert len(threads) >= 4

    in_time(all_at_once)


@forking
def test_a_hook_that_asks_the_portal_is_refused_and_nobody_waits_for_ever() -> None:
    said: list[str] = []

    def asks(ask: Callable[[], object]) -> Callable[[object], Any]:
        def answer(_: object) -> Any:
            try:
                ask()
            except RuntimeError as error:
                said.append(str(error))
                raise
            return Abstain()

        return answer

    def each_way() -> None:
        school = portal()
        token = log_in(school).token

        async def again() -> None:
            await school.alog_in(ADA.login_id, ADA.password, asker=HOME)

        for ask in (
            lambda: school.verify_session(token),
            lambda: log_in(school),
            lambda: asyncio.run(again()),
        ):
            ear, gate = Ear(asks(ask)), Gate(asks(ask))
            school.set_hooks(Hooks(log_in_opinions=[gate], event_sinks=[ear]))
            with pytest.raises(Refused, match="login_failed"):
                school.log_in(ADA.login_id, ADA.password, asker=HOME)
            with pytest.raises(Refused, match="login_failed"):
                asyncio.run(again())
        assert said and all(one.startswith("a hook cannot ask the portal") for one in said)
        school.set_hooks(Hooks())
        log_in(school)

    in_time(each_way)


ENDS_WITHIN_A_HOOK = """
import asyncio, contextlib, sys, threading, time
from narthex import NarthexError
from narthex.hook import Abstain, Hooks
from narthex.testing import HOME, portal

class Slow:
    name = "slow"
    def log_in(self, question):
        time.sleep(0.002)
        return Abstain()
    def observe(self, event):
        time.sleep(0.002)

def knock_for_ever():
    while True:
        with contextlib.suppress(NarthexError):
            school.log_in("S-9", "not the password at all", asker=HOME)

async def knock():
    for number in range(30):
        asked = asyncio.ensure_future(school.alog_in(f"S-{number}", "not the one", asker=HOME))
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.sleep(0.05)

hooks = Hooks(log_in_opinions=[Slow()], event_sinks=[Slow()])
school = portal(sys.argv[1], hooks=hooks)
for _ in range(4):
    threading.Thread(target=knock_for_ever, daemon=True).start()
asyncio.run(knock())
"""


def test_py01_an_interpreter_that_ends_while_hooks_are_asked_ends_well(tmp_path: Path) -> None:
    for turn in range(3):
        url = f"redb://{tmp_path}/{turn}/portal.redb"
        command = [sys.executable, "-c", ENDS_WITHIN_A_HOOK, url]
        ended = subprocess.run(command, capture_output=True, timeout=TOGETHER_MAX_S, check=False)
        assert (ended.returncode, ended.stderr) == (0, b"")


@forking
def test_a_hook_that_closes_its_portal_as_it_goes_does_not_wait_for_itself() -> None:
    class Keeper(Gate):
        held: Portal

        def __del__(self) -> None:
            self.held.close()
            gone.append(True)

    gone: list[bool] = []

    def close() -> None:
        opened, keeper = portal(), Keeper()
        keeper.held = opened
        opened.set_hooks(Hooks(log_in_opinions=[keeper]))
        opened._hooks = Hooks()
        del keeper
        opened.close()
        assert gone

    in_time(close)
