"""The rules through the Python API: what a program is told, and what it is not."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import importlib.metadata
import inspect
import pickle
import re
import threading
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, get_args

import pytest

import narthex
import narthex.asgi
from narthex import (
    App,
    Asker,
    AttemptPolicy,
    InvalidArgument,
    Membership,
    NamedNetwork,
    NewPerson,
    Policy,
    Portal,
    QuestionPolicy,
    Refused,
    RosterBatch,
    RosterPerson,
    SessionPolicy,
)
from narthex._narthex import default_policy, panicking
from narthex._values import Role
from narthex.testing import ADA, BEN, HOME, MORNING, TestPortal, claim, cookies, log_in, portal


def test_a_prepared_person_claims_logs_in_and_is_known(school: TestPortal) -> None:
    ticket = school.begin_claim(
        given_name="Ada", family_name="Byron", birthdate=ADA.birthdate, login_id="s-1024",
        asker=HOME,
    )
    assert (ticket.given_name, ticket.organization, ticket.step) == ("Ada", "north-high", "identified")
    assert "At least 15 characters" in [one.text for one in ticket.requirements]
    claimed = school.finish_claim(ticket, password=ADA.password, answers=dict(ADA.answers))
    assert claimed.login_id == "S-1024"
    login = school.log_in("S-1024", ADA.password, asker=HOME)
    session = school.verify_session(login.token.expose())
    profile = school.profile(session)
    assert profile == login.profile
    assert profile.name == "Ada Byron" and profile.is_member("north-high")
    assert session.started_at == MORNING
    assert session.expires_at == MORNING + timedelta(hours=4)


def test_a_session_can_be_verified_again_without_its_token(school: TestPortal) -> None:
    here, there = log_in(school), log_in(school)
    again = school.verify_session(here.session)
    assert again.account == here.session.account
    assert asyncio.run(school.averify_session(again)).account == here.session.account
    school.change_password(
        school.verify_session(here.token), current=ADA.password, new="nine lives of a library cat",
        asker=HOME,
    )
    for session, code in ((again, "token_replaced"), (there.session, "session_ended")):
        with pytest.raises(Refused) as refused:
            school.verify_session(session)
        assert refused.value.code == code
    late = log_in(school, dataclasses.replace(ADA, password="nine lives of a library cat")).session
    school.clock.advance(timedelta(hours=4))
    with pytest.raises(Refused) as refused:
        school.verify_session(late)
    assert refused.value.reason == "inactivity"


def test_p03_p04_a_password_change_keeps_this_session_and_ends_the_others(
    school: TestPortal,
) -> None:
    here, elsewhere = log_in(school), log_in(school)
    new = "nine lives of a library cat"
    changed = school.change_password(here.session, current=ADA.password, new=new, asker=HOME)
    assert school.verify_session(changed.token).account == here.session.account
    for old, code in ((here, "token_replaced"), (elsewhere, "session_ended")):
        with pytest.raises(Refused) as refusal:
            school.verify_session(old.token)
        assert refusal.value.code == code
    assert refusal.value.reason == "password_changed"
    with pytest.raises(Refused, match="login_failed"):
        school.log_in(ADA.login_id, ADA.password, asker=HOME)
    school.log_in(ADA.login_id, new, asker=HOME)


def test_s12_four_hours_of_inactivity_end_a_session_and_not_a_millisecond_less(
    school: TestPortal,
) -> None:
    token = log_in(school).token
    school.clock.advance(timedelta(hours=4) - timedelta(milliseconds=1))
    school.record_activity(school.verify_session(token))
    school.clock.advance(timedelta(hours=4) - timedelta(milliseconds=1))
    school.verify_session(token)
    school.clock.advance(timedelta(milliseconds=1))
    with pytest.raises(Refused) as refusal:
        school.verify_session(token)
    assert (refusal.value.code, refusal.value.reason) == ("session_ended", "inactivity")
    assert "logged out" in refusal.value.text.lower() or refusal.value.text


def test_en01_wrong_unknown_and_unclaimed_are_told_alike(school: TestPortal) -> None:
    claim(school, ADA)
    told = []
    for login_id in (ADA.login_id, BEN.login_id, "S-9999"):
        with pytest.raises(Refused) as refusal:
            school.log_in(login_id, "not the password at all", asker=HOME)
        told.append((str(refusal.value), refusal.value.__dict__))
    assert told[0] == told[1] == told[2]


def test_th05_every_spelling_of_a_number_is_one_identity(school: TestPortal) -> None:
    claim(school, ADA)
    for spelling in ("S-1024", "s-1024", " S-1024 ", "\uff33-1024"):
        with pytest.raises(Refused):
            school.log_in(spelling, "not the password at all", asker=HOME)
    known = school.person("s-1024")
    assert known is not None and known.log_in_failures == 4


def test_pw03_pw05_passwords_are_normalized_and_otherwise_untouched(school: TestPortal) -> None:
    ticket = school.begin_claim(
        given_name="Ada", family_name="Byron", birthdate="2012-12-10", login_id="S-1024",
        asker=HOME,
    )
    password = "caf\u00e9 " + "x" * 80 + " End "
    school.finish_claim(ticket, password=password, answers=dict(ADA.answers))
    school.log_in("S-1024", "cafe\u0301 " + "x" * 80 + " End ", asker=HOME)
    for wrong in (password.strip(), password[:-1], password + "c", password.lower(), password[:72]):
        with pytest.raises(Refused, match="login_failed"):
            school.log_in("S-1024", wrong, asker=HOME)


def test_pw20_staff_take_a_claim_back_and_never_set_a_password(school: TestPortal) -> None:
    assert not [name for name in dir(Portal) if "set_password" in name]
    login = log_in(school)
    assert school.reset_claim(ADA.login_id).outcome == "reset"
    with pytest.raises(Refused) as refusal:
        school.verify_session(login.token)
    assert refusal.value.reason == "staff_reset"
    assert school.reset_claim("S-9999") == narthex.ResetClaim("unknown")
    assert school.reset_claim(BEN.login_id) == narthex.ResetClaim("not_claimed")


@pytest.mark.parametrize("day", ["2009-02-30", "2011-13-01", "10.12.2012", "", "2012-12-10T00:00"])
def test_cl07_days_that_do_not_exist_name_the_argument(school: TestPortal, day: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        school.begin_claim(given_name="A", family_name="B", birthdate=day, login_id="S-1", asker=HOME)
    assert error.value.argument == "birthdate"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_cl07_a_time_zone_does_not_move_a_birthdate(
    school: TestPortal, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        claim(school, ADA)
        late = datetime(2011, 4, 2, 23, 59, tzinfo=timezone(timedelta(hours=-11)))
        school.begin_claim(
            given_name="Ben", family_name="Okafor", birthdate=late, login_id=BEN.login_id,
            asker=HOME,
        )
    finally:
        monkeypatch.undo()
        time.tzset()


def test_cl01_az05_nobody_acts_for_a_session_but_who_has_it(school: TestPortal) -> None:
    ada, ben = log_in(school, ADA), log_in(school, BEN)
    assert school.profile(ada.session).login_id == "S-1024"
    with pytest.raises(TypeError, match="session"):
        school.profile(ben.session.account)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="not_permitted"):
        school.statistics(ada.session, "south-high")


BAD_TEXT: list[tuple[Any, type[Exception]]] = [
    (7, TypeError),
    (None, TypeError),
    (b"S-1024", TypeError),
    ("S-\ud800", InvalidArgument),
    ("S\x001024", InvalidArgument),
    ("S" * 10_000_000, InvalidArgument),
    ("", InvalidArgument),
]


@pytest.mark.parametrize(("bad", "kind"), BAD_TEXT, ids=[repr(bad)[:20] for bad, _ in BAD_TEXT])
def test_what_is_no_text_names_its_argument(
    school: TestPortal, bad: Any, kind: type[Exception]
) -> None:
    session = log_in(school).session
    facts = {"given_name": "A", "family_name": "B", "birthdate": "2012-12-10", "login_id": "S-1"}
    calls: list[tuple[str, Callable[[], object]]] = [
        ("login_id", lambda: school.log_in(bad, ADA.password, asker=HOME)),
        ("password", lambda: school.log_in(ADA.login_id, bad, asker=HOME)),
        ("current", lambda: school.change_password(session, current=bad, new="x" * 20, asker=HOME)),
        ("new", lambda: school.change_password(session, current=ADA.password, new=bad, asker=HOME)),
        ("organization", lambda: school.set_default_organization(session, bad)),
        ("login_id", lambda: school.person(bad)),
        *((name, lambda n=name: school.begin_claim(asker=HOME, **{**facts, n: bad})) for name in facts),
    ]
    for name, call in calls:
        # Who has a code may have no birthdate.
        wrong = InvalidArgument if (name, bad) == ("birthdate", None) else kind
        with pytest.raises(wrong, match=name) as error:
            call()
        if isinstance(error.value, InvalidArgument):
            assert error.value.argument == name
    assert school.roster_status().active == 2, "and it goes on"


def opened(**options: Any) -> None:
    Portal.open("memory:", **options).close()


def ruled(group: str, **rules: Any) -> None:
    policies = {"session": SessionPolicy, "questions": QuestionPolicy, "attempts": AttemptPolicy}
    opened(policy=Policy(**{group: policies[group](**rules)}))


def row(**parts: Any) -> RosterPerson:
    return RosterPerson(**{"source_id": "1", "login_id": "S-1", "given_name": "A", "family_name": "B"} | parts)


NO_LENGTH = timedelta()
BELOW_ZERO = timedelta(seconds=-1)
BAD_ARGUMENTS: list[tuple[str, type[Exception], Callable[[TestPortal], object]]] = [
    ("limit", InvalidArgument, lambda school: school.audit_after(None, -1)),
    ("limit", InvalidArgument, lambda school: school.audit_after(None, 2**32)),
    ("limit", TypeError, lambda school: school.audit_after(None, True)),
    ("cursor", TypeError, lambda school: school.audit_after(7)),  # type: ignore[arg-type]
    ("hash_workers", InvalidArgument, lambda _: opened(hash_workers=-1)),
    ("hash_workers", TypeError, lambda _: opened(hash_workers="2")),
    ("idle_for", InvalidArgument, lambda s: s.record_activity(log_in(s).session, BELOW_ZERO)),
    ("idle_for", TypeError, lambda s: s.record_activity(log_in(s).session, 3)),  # type: ignore[arg-type]
    ("asker", TypeError, lambda s: s.log_in("S-1", "x", asker="192.0.2.1")),  # type: ignore[arg-type]
    ("asker", TypeError, lambda s: s.log_in("S-1", "x", asker=None)),  # type: ignore[arg-type]
    ("asker.source", TypeError, lambda s: s.log_in("S-1", "x", asker=Asker(source=7))),  # type: ignore[arg-type]
    ("answers", TypeError, lambda s: s.set_questions(log_in(s).session, "ab")),  # type: ignore[arg-type]
    ("answers", TypeError, lambda s: s.set_questions(log_in(s).session, ["ab"])),  # type: ignore[list-item]
    ("answers", InvalidArgument, lambda s: s.set_questions(log_in(s).session, [("a",)])),  # type: ignore[list-item]
    ("roster", TypeError, lambda school: school.import_roster(b"a,b")),  # type: ignore[arg-type]
    ("roster", TypeError, lambda school: school.import_roster(7)),  # type: ignore[arg-type]
    ("roster.people", TypeError, lambda s: s.import_roster(RosterBatch(source="a", people="abc"))),  # type: ignore[arg-type]
    ("roster.people[0]", TypeError, lambda s: s.import_roster(RosterBatch(source="a", people=["abc"]))),  # type: ignore[list-item]
    ("roster.people[0].login_id", TypeError, lambda s: s.import_roster(RosterBatch(source="a", people=[row(login_id=7)]))),
    ("roster.people[0].birthdate", TypeError, lambda s: s.import_roster(RosterBatch(source="a", people=[row(birthdate=7)]))),
    ("roster.people[0].memberships[0].organization", TypeError, lambda s: s.import_roster(RosterBatch(source="a", people=[row(memberships=[Membership(7, "student")])]))),  # type: ignore[arg-type]
    ("roster.people[1].birthdate", InvalidArgument, lambda s: s.import_roster(RosterBatch(source="a", people=[row(default_organization="a"), row(birthdate="x", default_organization="a")]))),
    ("person", TypeError, lambda school: school.create_person("Ada")),  # type: ignore[arg-type]
    ("person.role", TypeError, lambda s: s.create_person(NewPerson(login_id="S-1", given_name="A", family_name="B", organization="north-high", role=7))),  # type: ignore[arg-type]
    ("portal", InvalidArgument, lambda _: cookies(Portal.open("memory:"))),
    ("site_name", InvalidArgument, lambda _: opened(site_name="North High")),
    ("cookie_suffix", InvalidArgument, lambda _: opened(cookie_suffix="two")),
    ("trusted_proxies", InvalidArgument, lambda _: opened(trusted_proxies=["127.0.0.1"])),
    ("trusted_proxies", TypeError, lambda _: opened(trusted_proxies="127.0.0.1", base_url="http://127.0.0.1")),
    ("help[0]", TypeError, lambda _: opened(help=["office"], base_url="http://127.0.0.1")),
    ("help", TypeError, lambda _: opened(help=None, base_url="http://127.0.0.1")),
    ("help", TypeError, lambda _: opened(help=iter(()), base_url="http://127.0.0.1")),
    ("look_every", TypeError, lambda s: asyncio.run(s.until_ended(log_in(s).session, 60))),  # type: ignore[arg-type]
    ("look_every", InvalidArgument, lambda s: asyncio.run(s.until_ended(log_in(s).session, NO_LENGTH))),
    ("trusted_proxies[0]", TypeError, lambda _: opened(trusted_proxies=[1], base_url="http://127.0.0.1")),
    ("trusted_proxies", InvalidArgument, lambda _: opened(trusted_proxies=["nginx"], base_url="http://127.0.0.1")),
    ("trusted_proxies", TypeError, lambda _: opened(trusted_proxies=None)),
    ("base_url", TypeError, lambda _: opened(base_url=5)),
    ("site_name", TypeError, lambda _: opened(site_name=5, base_url="http://127.0.0.1")),
    ("shared", TypeError, lambda _: opened(shared="no")),
    ("keys", TypeError, lambda _: opened(keys=5)),
    ("hooks", TypeError, lambda _: opened(hooks={})),
    ("hooks", TypeError, lambda _: opened(hooks=[5])),
    ("portal", TypeError, lambda _: narthex.asgi.PortalApp("memory:")),  # type: ignore[arg-type]
    ("session", TypeError, lambda s: s.profile(log_in(s).token)),  # type: ignore[arg-type]
    ("session", TypeError, lambda s: s.subscribe(log_in(s).token.expose())),  # type: ignore[arg-type]
    ("timeout", TypeError, lambda s: s.subscribe(log_in(s).session).next(0.5)),  # type: ignore[arg-type]
    ("answers", TypeError, lambda s: s.set_questions(log_in(s).session, None)),  # type: ignore[arg-type]
    ("birthdate", InvalidArgument, lambda s: s.begin_claim(given_name="A", family_name="B", login_id="S-1", asker=HOME)),
    ("policy", TypeError, lambda _: opened(policy={})),
    ("policy.session", TypeError, lambda _: opened(policy=Policy(session=5))),  # type: ignore[arg-type]
    ("policy.apps", TypeError, lambda _: opened(policy=Policy(apps="/diary/"))),  # type: ignore[arg-type]
    ("policy.apps[0]", TypeError, lambda _: opened(policy=Policy(apps=("/diary/",)))),  # type: ignore[arg-type]
    ("policy.apps[1]", InvalidArgument, lambda _: opened(policy=Policy(apps=(App("/a/"), App("b"))))),
    ("policy.attempts.networks[0]", InvalidArgument, lambda _: ruled("attempts", networks=[NamedNetwork("north", 5)])),
    ("policy.attempts.networks[0].people", InvalidArgument, lambda _: ruled("attempts", networks=(NamedNetwork("10.0.0.0/8", -1),))),
    ("policy.session.families_max", TypeError, lambda _: ruled("session", families_max=1.5)),
    ("policy.session.families_max", InvalidArgument, lambda _: ruled("session", families_max=-1)),
    ("policy.session.families_max", InvalidArgument, lambda _: ruled("session", families_max=0)),
    ("policy.session.fresh_for", InvalidArgument, lambda _: ruled("session", fresh_for=BELOW_ZERO)),
    ("policy.session.organization_timeouts[0]", InvalidArgument, lambda _: ruled("session", organization_timeouts=(("a",),))),
    ("policy.session.organization_timeouts", InvalidArgument, lambda _: ruled("session", organization_timeouts=(("a", NO_LENGTH),))),
    ("policy.session.inactivity_timeout", InvalidArgument, lambda _: ruled("session", inactivity_timeout=NO_LENGTH)),
    ("policy.questions.required", InvalidArgument, lambda _: ruled("questions", required=6)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "call"), BAD_ARGUMENTS, ids=[f"{name}-{place}" for place, (name, *_) in enumerate(BAD_ARGUMENTS)]
)
def test_what_is_wrong_names_its_argument(
    school: TestPortal,
    name: str,
    kind: type[Exception],
    call: Callable[[TestPortal], object],
) -> None:
    with pytest.raises(kind, match=f"^{re.escape(name)}[: ]") as error:
        call(school)
    if isinstance(error.value, InvalidArgument):
        assert error.value.argument == name


@pytest.mark.parametrize("bad", ["", "x", "A" * 64, "A" * 63, "A" * 5000, "\u00e9" * 64])
def test_a_cookie_that_no_portal_made_is_nobody(school: TestPortal, bad: str) -> None:
    with pytest.raises(Refused, match="not_logged_in"):
        school.verify_session(bad)


def test_dp05_secrets_and_proofs_do_not_print_pickle_or_copy(school: TestPortal) -> None:
    login = log_in(school)
    browser = narthex.BrowserSecret.generate()
    ticket = school.begin_claim(
        given_name="Ben", family_name="Okafor", birthdate=BEN.birthdate, login_id=BEN.login_id,
        browser=browser,
        asker=HOME,
    )  # fmt: skip
    exposed = (login.token.expose(), browser.expose())
    for secret in (login, login.token, login.session, browser, ticket, school):
        for text in (repr(secret), str(secret), f"{secret}"):
            assert not any(part in text for part in exposed)
        for escape in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                escape(secret)
    assert "hidden" in repr(login.token) and "hidden" in repr(browser)


def test_lg03_no_birthdate_is_printed() -> None:
    person = narthex.RosterPerson(
        source_id="1", login_id="S-1", given_name="A", family_name="B", birthdate=date(2012, 12, 10)
    )
    assert "2012" not in repr(person)


def test_policy_has_the_defaults_of_the_engine() -> None:
    policy = Policy()
    for group, defaults in default_policy().items():
        for name, default in defaults.items():
            ours = getattr(getattr(policy, group), name)
            if isinstance(default, dict):
                ours = {key: getattr(ours, key) for key in default}
            assert ours == default, f"{group}.{name}"


def test_every_default_is_compared() -> None:
    # Lists, which are empty unless the host says something.
    own = {"apps", "context_words", "networks", "organization_profiles", "organization_timeouts"}
    listed = default_policy()
    for group in dataclasses.fields(Policy):
        rules = getattr(Policy(), group.name)
        if not dataclasses.is_dataclass(rules):
            assert group.name in own and not rules, group.name
            continue
        names = {field.name for field in dataclasses.fields(rules)} - own
        assert names <= listed[group.name].keys(), group.name


def test_roles_are_those_of_the_engine() -> None:
    source = (Path(__file__).parents[3] / "core/src/model/organization.rs").read_text()
    body = source.partition("pub enum Role {\n")[2].partition("\n}")[0]
    known = tuple(name.lower() for name in re.findall(r"^    (\w+),", body, re.MULTILINE))
    assert known == narthex.ROLES == get_args(Role)


def test_policy_has_every_rule_of_the_engine() -> None:
    source = (Path(__file__).parents[3] / "core/src/policy.rs").read_text()
    groups = {
        name: set(re.findall(r"^    pub (\w+):", body, re.MULTILINE))
        for name, body in re.findall(r"^pub struct (\w+) \{\n(.*?)^\}", source, re.DOTALL | re.MULTILINE)
    }
    # Nobody empties an outbox in a process of the host's: messages wait for the next log-in.
    groups["Policy"].remove("messages")
    del groups["MessagePolicy"], groups["InvalidPolicy"]
    assert len(groups) > 10
    for name, rules in groups.items():
        ours = {field.name for field in dataclasses.fields(getattr(narthex, name))}
        assert ours == rules, name


def test_hooks_have_every_kind_of_the_engine() -> None:
    source = (Path(__file__).parents[3] / "core/src/hook.rs").read_text()
    body = source.partition("pub struct Hooks {\n")[2].partition("\n}")[0]
    kinds = re.findall(r"^    pub (\w+):", body, re.MULTILINE)
    assert kinds == [field.name for field in dataclasses.fields(narthex.hook.Hooks)]


def test_whatever_is_slow_can_be_awaited_in_the_same_words() -> None:
    # Plain everywhere: they neither hash nor touch the disk, or open and close.
    plain = {
        "claim_code_required", "close", "family_tag", "hooks", "location", "open", "policy",
        "questions", "questions_required", "resume_tag", "set_hooks", "shared", "site", "staff_desk",
        "subscribe", "until_ended", "verify_session",
    }  # fmt: skip
    for kind in (Portal, narthex.StaffDesk):
        names = {name for name in dir(kind) if not name.startswith("_")} - plain
        awaited = {name for name in names if inspect.iscoroutinefunction(getattr(kind, name))}
        called = names - awaited
        awaited.discard("averify_session")
        assert {f"a{name}" for name in called} == awaited
        for name in called:
            one, other = (inspect.signature(getattr(kind, form)) for form in (name, f"a{name}"))
            assert one == other, name


def test_a_policy_that_is_set_holds() -> None:
    policy = Policy(session=SessionPolicy(inactivity_timeout=timedelta(minutes=5)))
    with portal(policy=policy) as school:
        assert log_in(school).session.inactivity_timeout == timedelta(minutes=5)
    with pytest.raises(InvalidArgument, match="apps"):
        portal(policy=Policy(apps=(narthex.App("diary"),)))


def test_refusal_codes_are_the_closed_list_of_the_engine() -> None:
    source = Path(__file__).parents[3] / "core/src/error.rs"
    listed = source.read_text().split("pub const CODES")[1].split("];")[0]
    codes = tuple(line.strip(' ",') for line in listed.splitlines()[1:] if line.strip(' ",'))
    assert codes == Refused.CODES


def test_what_is_unacceptable_says_what_is_missing(school: TestPortal) -> None:
    session = log_in(school).session
    with pytest.raises(Refused) as refusal:
        school.change_password(session, current=ADA.password, new="short", asker=HOME)
    assert refusal.value.code == "password_unacceptable"
    assert [issue.code for issue in refusal.value.issues] == ["minimum_length"]
    assert refusal.value.issues[0].text == "At least 15 characters"


def test_awaited_forms_say_the_same(school: TestPortal) -> None:
    async def journey() -> None:
        ticket = await school.abegin_claim(
            given_name="Ada", family_name="Byron", birthdate=ADA.birthdate, login_id="S-1024",
            asker=HOME,
        )
        await school.afinish_claim(ticket, password=ADA.password, answers=ADA.answers)
        with pytest.raises(Refused, match="login_failed"):
            await school.alog_in(ADA.login_id, "not the password at all", asker=HOME)
        many = await asyncio.gather(
            *(school.alog_in(ADA.login_id, ADA.password, asker=HOME) for _ in range(20))
        )
        session = await school.averify_session(many[0].token)
        assert (await school.aprofile(session)).login_id == "S-1024"
        changed = await school.achange_password(
            session, current=ADA.password, new="nine lives of a library cat",
            asker=HOME,
        )
        for other in many[1:]:
            with pytest.raises(Refused, match="session_ended"):
                await school.averify_session(other.token)
        await school.alog_out(changed.session)
        given_up = asyncio.ensure_future(_log_in(school))
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up

    async def _log_in(school: Portal) -> None:
        await school.alog_in(ADA.login_id, "x" * 20, asker=HOME)

    asyncio.run(journey())


def test_an_operation_is_done_once(school: TestPortal) -> None:
    operation = school._engine.roster_status()
    operation.run()
    with pytest.raises(RuntimeError, match="already"):
        operation.run()


def test_py01_a_panic_is_an_exception_and_the_interpreter_goes_on() -> None:
    with pytest.raises(narthex.InternalError, match="on purpose"):
        panicking().run()

    async def awaited() -> None:
        await panicking()

    with pytest.raises(narthex.InternalError, match="on purpose"):
        asyncio.run(awaited())


def test_py01_eight_threads_that_log_in_do_not_stop_a_ninth_that_checks(tmp_path: Path) -> None:
    # On a file and with real hashes: what a server does.
    url = f"redb://{tmp_path}/store/portal.redb"
    with Portal.open(url, shared=False, hash_workers=1) as school:
        _fill(school)
        token = log_in(school).token
        pause, checks = threading.Event(), 0
        errors: list[BaseException] = []

        def log_in_often() -> None:
            try:
                for _ in range(3):
                    school.log_in(ADA.login_id, ADA.password, asker=HOME)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=log_in_often) for _ in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for _ in range(50):
                school.verify_session(token)
            checks += 50
            pause.wait(0.001)
        assert not errors
        assert checks > 500, "the ninth thread went on"


def _fill(school: Portal) -> None:
    person = narthex.RosterPerson(
        source_id="1", login_id=ADA.login_id, given_name=ADA.given_name,
        family_name=ADA.family_name, birthdate=ADA.birthdate,
        memberships=(narthex.Membership("north-high", "student"),),
    )  # fmt: skip
    organization = narthex.Organization("north-high", "North High")
    batch = narthex.RosterBatch(source="office", organizations=(organization,), people=(person,))
    assert school.import_roster(batch).added == 1


def test_a_closed_portal_says_so(school: TestPortal) -> None:
    school.close()
    with pytest.raises(narthex.CannotOpen, match="closed"):
        school.verify_session("A" * 64)


@pytest.mark.parametrize("url", ["", "portal.redb", "redb:portal.redb", "mysql://db"])
def test_a_url_that_is_not_taken_says_what_is(url: str) -> None:
    with pytest.raises(narthex.CannotOpen, match="redb:///"):
        Portal.open(url)


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:49152", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:49152", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_wb14_an_address_counts_once_however_it_is_written(
    school: TestPortal, written: str, counted: str
) -> None:
    claim(school)
    with pytest.raises(Refused):
        school.log_in(ADA.login_id, "not the password at all", asker=narthex.Asker(source=written))
    tries = [one for one in school.audit_after(limit=512) if one.kind == "attempt_reserved"]
    assert counted in [one.source for one in tries]


def test_a_roster_in_files_is_read(school: TestPortal) -> None:
    rosters = Path(__file__).parents[3] / "examples/rosters"
    package = rosters / "oneroster-v1p2-98-users/package.zip"
    stopped = school.import_roster(package)
    assert "source_needed" in [one.code for one in stopped.findings] and stopped.added == 0
    assert not stopped.usable, "nothing was changed"
    report = school.import_roster(package, source="sample")
    assert report.usable and report.added == 98
    again = school.import_roster(package, source="sample", dry_run=True)
    assert again.unchanged == 98
    with pytest.raises(InvalidArgument, match="roster"):
        school.import_roster("/nowhere/at/all")


def test_the_version_is_that_of_the_package() -> None:
    assert narthex.__version__ == importlib.metadata.version("narthex")


def test_who_has_no_birthdate_on_record_claims_by_the_code_alone(school: TestPortal) -> None:
    person = row(memberships=[Membership("north-high", "student")])
    school.import_roster(RosterBatch(source="office", people=[person]))
    issued = school.issue_claim_code("S-1").issued
    assert issued is not None and not issued.needs_birthdate
    facts: dict[str, Any] = {"given_name": "A", "family_name": "B", "login_id": "S-1", "asker": HOME}
    with pytest.raises(InvalidArgument, match="birthdate"):
        school.begin_claim(**facts)
    assert school.begin_claim(claim_code=issued.code, **facts).login_id == "S-1"


def test_a_person_is_called_as_they_chose(school: TestPortal) -> None:
    session = log_in(school).session
    assert school.profile(session).name == "Ada Byron"
    school.change_details(session, preferred_name="Countess", asker=HOME)
    profile = school.profile(session)
    assert (profile.called, profile.name) == ("Countess", "Countess Byron")


def test_the_cookie_of_a_test_client_is_a_session(school: TestPortal) -> None:
    assert school.site is not None
    name, value = next(iter(cookies(school).items()))
    assert name == school.site.session_cookie
    assert school.verify_session(token=value).account == log_in(school).session.account
