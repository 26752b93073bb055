"""Several processes before one store: forks, and processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

import narthex
from narthex import Portal, Refused
from narthex._visit import Visit
from narthex.testing import ADA, HOME, claim
from narthex.wsgi import PortalMiddleware, visit_of

NEW_PASSWORD = "nine lives of a library cat"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"redb://{tmp_path}/store/portal.redb"


@pytest.fixture
def school(url: str) -> Iterator[Portal]:
    with Portal.open(url) as opened:
        person = narthex.RosterPerson(
            source_id="1", login_id=ADA.login_id, given_name=ADA.given_name,
            family_name=ADA.family_name, birthdate=ADA.birthdate,
            memberships=(narthex.Membership("north-high", "student"),),
        )  # fmt: skip
        organization = narthex.Organization("north-high", "North High")
        opened.import_roster(
            narthex.RosterBatch(source="office", organizations=(organization,), people=(person,))
        )
        claim(opened, ADA)
        yield opened


def in_a_fork(work: Callable[[], None]) -> None:
    """Does ``work`` in a fork of this process, as gunicorn's workers do with ``--preload``."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the fork failed"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_p01_a_fork_opens_its_own_and_what_it_acknowledges_counts_here_at_once(
    school: Portal,
) -> None:
    here, elsewhere = (school.log_in(ADA.login_id, ADA.password, asker=HOME) for _ in range(2))
    token = elsewhere.token.expose()
    school.verify_session(token)

    def change() -> None:
        session = school.verify_session(here.token)
        school.change_password(session, current=ADA.password, new=NEW_PASSWORD, asker=HOME)

    in_a_fork(change)
    with pytest.raises(Refused) as refusal:
        school.verify_session(token)
    assert (refusal.value.code, refusal.value.reason) == ("session_ended", "password_changed")
    school.log_in(ADA.login_id, NEW_PASSWORD, asker=HOME)


def test_p01_what_another_process_acknowledges_counts_here_at_once(school: Portal, url: str) -> None:
    here, elsewhere = (school.log_in(ADA.login_id, ADA.password, asker=HOME) for _ in range(2))
    for _ in range(3):
        school.verify_session(elsewhere.token)
    program = """
import sys, narthex
url, cookie, old, new = sys.argv[1:]
portal = narthex.Portal.open(url)
portal.change_password(portal.verify_session(cookie), current=old, new=new,
    asker=narthex.Asker(source="192.0.2.1"))
"""
    arguments = [url, here.token.expose(), ADA.password, NEW_PASSWORD]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
    with pytest.raises(Refused, match="session_ended"):
        school.verify_session(elsewhere.token)
    with pytest.raises(Refused, match="token_replaced"):
        school.verify_session(here.token)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_of_a_portal_that_is_not_shared_says_what_to_do(tmp_path: Path) -> None:
    for url, told in (("memory:", "redb:///"), (f"redb://{tmp_path}/a/b.redb", "shared=True")):
        with Portal.open(url, shared=False) as alone:

            def refused(alone: Portal = alone, told: str = told) -> None:
                with pytest.raises(narthex.CannotOpen, match=told):
                    alone.roster_status()

            in_a_fork(refused)
            assert alone.roster_status().active == 0, "the parent goes on"


def test_who_opens_for_itself_alone_is_told_who_has_it(school: Portal, url: str) -> None:
    with pytest.raises(narthex.CannotOpen, match="held by another process"):
        Portal.open(url, shared=False)
    with Portal.open(url) as beside:
        assert beside.shared and beside.roster_status().claimed == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_in_the_middle_of_many_log_ins_neither_hangs_nor_loses(school: Portal) -> None:


    stop = threading.Event()

    def log_in_and_out() -> None:
        while not stop.is_set():
            school.log_out(school.log_in(ADA.login_id, ADA.password, asker=HOME).session)

    threads = [threading.Thread(target=log_in_and_out) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            in_a_fork(lambda: school.log_out(school.log_in(ADA.login_id, ADA.password, asker=HOME).token))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_was_begun_before_a_fork_is_refused_in_the_child_and_goes_on_in_the_parent(
    school: Portal,
) -> None:
    session = school.log_in(ADA.login_id, ADA.password, asker=HOME)
    notices = school.subscribe(session.session)
    operation = school._engine.profile(session.session)

    def ask() -> None:
        for begun in (operation.run, notices.next, notices.poll):
            with pytest.raises(narthex.CannotOpen, match="before the process was forked"):
                begun()
        assert school.profile(school.verify_session(session.token)).login_id == ADA.login_id

    in_a_fork(ask)
    assert operation.run().login_id == ADA.login_id
    school.log_out(session.token)
    assert notices.next() == narthex.Notice("ended", "log_out")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_visit_of_before_a_fork_is_refused_in_the_child(url: str, school: Portal) -> None:
    with Portal.open(url, base_url="http://127.0.0.1:8000/portal") as mounted:
        found: list[Visit] = []

        def page(environ: Any, start_response: Any) -> list[bytes]:
            found.append(visit_of(environ))
            start_response("200 OK", [])
            return [b""]

        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        list(PortalMiddleware(page, mounted)(environ, lambda *_: lambda _: None))
        (visit,) = found

        def ask() -> None:
            for begun in (visit.header, visit.profile):
                with pytest.raises(narthex.CannotOpen, match="before the process was forked"):
                    begun()

        in_a_fork(ask)
        assert "login" in visit.header()
