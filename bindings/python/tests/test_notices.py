"""What happens to the family of a session, as an application hears of it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from narthex import CannotOpen, Notice, Notices, Portal, Session, Visit
from narthex.asgi import PortalMiddleware, visit_of
from narthex.testing import ADA, HOME, TestPortal, log_in, portal

NEW_PASSWORD = "nine lives of a library cat"
ENDED = Notice("ended", "log_out")


@pytest.fixture
def school() -> Iterator[TestPortal]:
    with portal() as opened:
        yield opened


def watched(school: TestPortal) -> tuple[Notices, str]:
    session = log_in(school, ADA)
    return school.subscribe(session.session), session.token.expose()


def test_s09_notices_say_what_happens_to_the_family_in_its_order(school: TestPortal) -> None:
    session = log_in(school, ADA).session
    notices = school.subscribe(session)
    changed = school.change_password(session, current=ADA.password, new=NEW_PASSWORD, asker=HOME)
    school.log_out(changed.token)
    assert list(notices) == [Notice("password_changed"), ENDED]
    assert notices.next() is None
    assert notices.poll() == []


def test_who_waits_on_a_thread_is_woken_and_a_time_limit_takes_nothing(school: TestPortal) -> None:
    notices, token = watched(school)
    with pytest.raises(TimeoutError):
        notices.next(timedelta(milliseconds=20))
    threading.Timer(0.1, school.log_out, (token,)).start()
    assert notices.next(timedelta(seconds=20)) == ENDED


def test_waiting_that_is_given_up_loses_no_notice(school: TestPortal) -> None:
    notices, token = watched(school)

    async def hear() -> list[Notice | None]:
        for _ in range(3):
            with pytest.raises((TimeoutError, asyncio.TimeoutError)):
                await asyncio.wait_for(notices.anext(), 0.02)
        waiting = asyncio.create_task(notices.anext())
        await asyncio.sleep(0.02)
        waiting.cancel()
        await school.alog_out(token)
        return [await asyncio.wait_for(notices.anext(), 5), await notices.anext()]

    assert asyncio.run(hear()) == [ENDED, None]


def test_waiting_that_is_given_up_is_not_waited_for_by_who_looks(school: TestPortal) -> None:
    notices, token = watched(school)

    async def hear() -> list[Notice]:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await asyncio.wait_for(notices.anext(), 0.02)
        await asyncio.sleep(0.1)
        # Nobody looks at what was given up any more, or this would find it taken.
        await school.alog_out(token)
        return notices.poll()

    assert asyncio.run(hear()) == [ENDED]


def test_two_that_wait_are_told_one_notice_each(school: TestPortal) -> None:
    session = log_in(school, ADA).session
    notices = school.subscribe(session)

    async def hear() -> list[Notice | None]:
        two = asyncio.gather(notices.anext(), notices.anext())
        await asyncio.sleep(0.05)
        changed = await school.achange_password(
            session, current=ADA.password, new=NEW_PASSWORD, asker=HOME
        )
        await school.alog_out(changed.token)
        return list(await asyncio.wait_for(two, 10))

    heard = asyncio.run(hear())
    assert sorted(map(str, heard)) == sorted(map(str, [Notice("password_changed"), ENDED]))


def test_notices_are_iterated_asynchronously_until_the_end(school: TestPortal) -> None:
    notices, token = watched(school)

    async def hear() -> list[Notice]:
        asyncio.get_running_loop().call_later(0.05, school.log_out, token)
        return [notice async for notice in notices]

    assert asyncio.run(hear()) == [ENDED]


def test_a_portal_that_is_closed_ends_the_waiting_and_lets_go_of_its_store(tmp_path: Path) -> None:
    url = f"redb://{tmp_path}/store/portal.redb"
    school = portal(url, shared=False)
    session = log_in(school, ADA).session
    notices, awaited = school.subscribe(session), school.subscribe(session)
    heard: list[Notice | None] = []
    waiting = threading.Thread(target=lambda: heard.append(notices.next()))
    waiting.start()

    async def hear() -> Notice | None:
        asyncio.get_running_loop().call_later(0.1, school.close)
        return await asyncio.wait_for(awaited.anext(), 10)

    assert asyncio.run(hear()) is None
    waiting.join(10)
    assert heard == [None]
    Portal.open(url, shared=False).close()


def test_who_listens_with_many_is_let_go_and_told_of_the_end_alone(school: TestPortal) -> None:
    session = log_in(school, ADA)
    first, *newer = (school.subscribe(session.session) for _ in range(17))
    assert first.next(timedelta(seconds=10)) is None
    school.log_out(session.token)
    assert all(list(one) == [ENDED] for one in newer)


@pytest.mark.parametrize("listeners", [0, 16])
def test_who_keeps_something_open_is_told_that_the_session_has_ended(
    school: TestPortal, listeners: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = log_in(school, ADA)
    looked = 0
    look = TestPortal.averify_session

    async def count(self: TestPortal, token: Session) -> Session:
        nonlocal looked
        looked += 1
        return await look(self, token)

    monkeypatch.setattr(TestPortal, "averify_session", count)

    async def hear(what: Callable[[], object]) -> str | None:
        waiting = asyncio.create_task(school.until_ended(session.session, timedelta(seconds=0.2)))
        await asyncio.sleep(0.05)
        newer = [school.subscribe(session.session) for _ in range(listeners)]
        await asyncio.sleep(0.5)
        assert not waiting.done() and len(newer) == listeners
        what()
        return (await asyncio.wait_for(waiting, 10)).reason

    # Nobody tells of inactivity: it has to be looked at.
    school.record_activity(session.session)
    assert asyncio.run(hear(lambda: school.clock.advance(timedelta(hours=4)))) == "inactivity"
    session = log_in(school, ADA)
    assert asyncio.run(hear(lambda: school.log_out(session.token))) == "log_out"
    assert looked < 20, "nobody looks all the time"
    # It had ended before anybody listened.
    assert asyncio.run(school.until_ended(session.session)).reason == "log_out"


def test_who_waits_for_the_end_of_a_session_hears_that_the_portal_was_closed(school: TestPortal) -> None:
    session = log_in(school, ADA).session

    async def hear() -> None:
        asyncio.get_running_loop().call_later(0.05, school.close)
        await asyncio.wait_for(school.until_ended(session), 10)

    with pytest.raises(CannotOpen, match="closed"):
        asyncio.run(hear())


def test_a_visit_that_is_kept_does_not_keep_the_waiting(tmp_path: Path) -> None:
    with portal(f"redb://{tmp_path}/store/portal.redb") as school:
        token = log_in(school, ADA).token.expose()
        visits: list[Visit] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            visits.append(visit_of(scope))

        async def hear() -> None:
            headers = [(b"host", b"127.0.0.1:8000"), (b"cookie", b"narthex=" + token.encode())]
            scope = {"type": "http", "method": "GET", "path": "/page", "headers": headers}
            await PortalMiddleware(app, school)(scope, school, school)  # type: ignore[arg-type]
            session = visits[0].require()
            asyncio.get_running_loop().call_later(0.05, school.close)
            await asyncio.wait_for(school.until_ended(session), 10)

        with pytest.raises(CannotOpen, match="closed"):
            asyncio.run(hear())


@pytest.mark.parametrize("turns", range(6))
def test_who_is_cancelled_while_it_waits_for_the_end_ends(
    school: TestPortal, turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = log_in(school, ADA).session

    async def hear() -> bool:
        let_go: asyncio.Future[Notice | None] = asyncio.get_running_loop().create_future()

        async def heard(notices: Notices) -> Notice | None:
            return await let_go

        monkeypatch.setattr(Notices, "anext", heard)
        waiting = asyncio.create_task(school.until_ended(session))
        await asyncio.sleep(0.05)
        let_go.set_result(None)
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=5)
        return waiting.cancelled()

    assert asyncio.run(hear())


def test_who_waits_can_be_interrupted() -> None:
    # Whoever runs these tests in the background may have turned interrupts off.
    script = (
        "import signal\n"
        "from narthex.testing import *\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "school = portal()\n"
        "notices = school.subscribe(log_in(school).session)\n"
        "try:\n"
        "    print('waiting', flush=True)\n"
        "    notices.next()\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdout=pipe, stderr=pipe, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        try:
            said, error = child.communicate(timeout=20)
        finally:
            child.kill()
    assert said == "interrupted\n", error
