"""What the office does on the machine, and people of staff at the desk."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import pickle
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import narthex
from narthex import (
    Asker,
    AttemptPolicy,
    ClaimPolicy,
    InvalidArgument,
    Membership,
    NamedNetwork,
    Policy,
    Portal,
    Refused,
    RosterBatch,
    RosterPerson,
    SeasonPolicy,
    StaffPolicy,
)
from narthex._values import Role
from narthex.testing import ADA, BEN, HOME, MORNING, Someone, TestPortal, claim, log_in, portal

CLERK = Someone("T-1", "Clara", "Kern", date(1980, 5, 6), "a stapler for every season")


def employ(school: Portal) -> None:
    """Adds Clara, who runs North High."""
    people = (row(CLERK, "administrator"),)
    assert school.import_roster(RosterBatch(source="office", people=people)).added == 1


@pytest.fixture
def staffed(school: TestPortal) -> Iterator[TestPortal]:
    employ(school)
    yield school


def test_a_csv_file_of_one_organization(school: TestPortal, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    head = "Student Number,First Name,Last Name,Birthdate\n"
    pia, olga = "P-1,Pia,Lind,2012-01-01\n", "P-2,Olga,Lind,2012-01-02\n"
    file.write_text(head + pia + olga)
    assert school.import_roster(file, format="csv", organization="west-high").added == 2
    known = school.person("P-1")
    assert known is not None and known.memberships == (Membership("west-high", "student"),)

    def again(text: str, delta: bool) -> narthex.ImportReport:
        file.write_text(text)
        return school.import_roster(file, organization="west-high", delta=delta)

    assert again(head + pia, delta=True).deactivated == 0
    # Who could not be read is not gone.
    unread = again(head + pia + olga.replace("P-2", ""), delta=False)
    assert (unread.unchanged, unread.left_out, unread.deactivated) == (1, 1, 0)
    assert again(head + pia, delta=False).deactivated == 1
    with pytest.raises(InvalidArgument, match="none of"):
        school.import_roster(file, format="xlsx")  # type: ignore[arg-type]
    file.write_text(head + "42,Uma,Lind,2012-01-03\n")
    eaten = school.import_roster(file, organization="west-high", number_width=6, delta=True)
    assert eaten.added == 1 and school.person("000042") is not None
    for width in (0, -1, 33, 2**70, "6"):
        with pytest.raises(InvalidArgument) as error:
            school.import_roster(file, number_width=width)  # type: ignore[arg-type]
        assert error.value.argument == "number_width"


def guess(school: Portal, someone: Someone, day: int, **more: str | Asker) -> None:
    """A claim whose birthdate is wrong."""
    with pytest.raises(Refused, match="claim_not_matched"):
        school.begin_claim(
            given_name=someone.given_name, family_name=someone.family_name,
            birthdate=date(2012, 1, day), login_id=someone.login_id,
            **{"asker": HOME, **more},  # type: ignore[arg-type]
        )  # fmt: skip


def begin(school: Portal, someone: Someone, code: str | None = None) -> narthex.ClaimTicket:
    return school.begin_claim(
        given_name=someone.given_name, family_name=someone.family_name,
        birthdate=someone.birthdate, login_id=someone.login_id, claim_code=code,
        asker=HOME,
    )  # fmt: skip


# The office


def test_cl06_a_claim_that_needs_a_letter_is_opened_by_its_code_and_by_nothing_else() -> None:
    policy = Policy(claim=ClaimPolicy(proof="facts_and_code", code_lifetime=timedelta(days=2)))
    with portal(policy=policy) as school:
        assert school.claim_code_required
        told = school.issue_claim_code("s-1024")
        assert told.outcome == "issued" and told.issued is not None
        assert (told.issued.login_id, told.issued.given_name) == ("S-1024", "Ada")
        assert told.issued.organization == "north-high" and told.issued.needs_birthdate
        assert told.issued.expires_at == MORNING + timedelta(days=2)
        assert told.issued.code not in repr(told)
        again = school.issue_claim_code("S-1024").issued
        assert again is not None
        for _ in range(10):
            with pytest.raises(Refused, match="claim_not_matched"):
                begin(school, ADA, told.issued.code)
        known = school.person("S-1024")
        assert known is not None and known.claim_code_failures == 1
        assert begin(school, ADA, again.code).step == "identified"
        assert known.claim_code_expires_at == MORNING + timedelta(days=2)
        school.clock.advance(timedelta(days=2))
        with pytest.raises(Refused, match="claim_not_matched"):
            begin(school, ADA, again.code)


def test_cl06_letters_for_a_whole_school_go_to_who_has_not_claimed(staffed: TestPortal) -> None:
    claim(staffed, CLERK)
    letters = staffed.issue_claim_codes("north-high")
    assert [one.login_id for one in letters] == ["S-1024"]
    assert staffed.issue_claim_codes("nowhere") == ()
    assert staffed.issue_claim_code(CLERK.login_id) == narthex.IssueClaimCode("not_claimable")
    assert staffed.issue_claim_code("S-9999") == narthex.IssueClaimCode("unknown")


def test_a_claim_that_was_taken_back_comes_with_the_code_to_claim_again(
    school: TestPortal,
) -> None:
    account = log_in(school).session.account
    reset = school.reset_claim(ADA.login_id)
    assert reset.outcome == "reset" and reset.issued is not None
    # A claim took the birthdate off the record: the code alone opens it now.
    assert not reset.issued.needs_birthdate
    with pytest.raises(Refused, match="claim_not_matched"):
        begin(school, ADA)
    ticket = begin(school, ADA, reset.issued.code)
    claimed = school.finish_claim(
        ticket, password="nine lives of a library cat", answers=dict(ADA.answers)
    )
    assert claimed.account == account, "the same account as before"


def test_evidence_is_checked_fact_by_fact_and_never_told(school: TestPortal) -> None:
    facts = {"given_name": "Ada", "family_name": "Byron", "login_id": "S-1024"}
    right = school.check_evidence(birthdate=ADA.birthdate, **facts)
    assert right == narthex.EvidenceReport(True, True, True, True, True, False)
    wrong = school.check_evidence(birthdate="2012-12-11", **facts)
    assert (wrong.names_match, wrong.birthdate_matches) == (True, False)
    nobody = school.check_evidence(birthdate=ADA.birthdate, **{**facts, "login_id": "S-9999"})
    assert nobody == narthex.EvidenceReport(False, False, False, False, False, False)
    known = school.person("S-1024")
    assert known is not None and known.claim_failures == 0, "it charges no budget"
    with pytest.raises(InvalidArgument) as error:
        school.check_evidence(birthdate="2012-02-30", **facts)
    assert error.value.argument == "birthdate"


def test_a_season_of_near_misses_asks_for_codes_from_outside_the_named_networks() -> None:
    season = SeasonPolicy(told_min=1, code_min=3, source_max=2)
    networks = (NamedNetwork("192.0.2.0/24", 400),)
    policy = Policy(attempts=AttemptPolicy(season=season, networks=networks))
    with portal(policy=policy) as school:
        assert school.claim_season("north-high") == narthex.Season(0, 0, 1, 1, 3, False)
        for day in range(1, 4):
            guess(school, ADA, day, asker=Asker(source="198.51.100.1"))
        assert school.claim_season("north-high").near_misses == 2, "what one network adds at most"
        guess(school, ADA, 4, asker=Asker(source="192.0.2.7"))
        assert school.claim_season("north-high").near_misses == 2, "from inside they do not count"
        guess(school, ADA, 5, asker=Asker(source="203.0.113.9"))
        assert school.claim_season("north-high") == narthex.Season(3, 5, 1, 1, 3, True)
        assert school.claim_season("south-high").near_misses == 0
        told = {one.detail for one in school.audit_after() if one.kind == "claims_guessed"}
        assert told == {"many north-high", "code_needed north-high"}
        inside = Asker(source="192.0.2.8")
        facts: dict[str, Any] = {"given_name": "Ada", "family_name": "Byron", "login_id": "S-1024"}
        outside = Asker(source="203.0.113.77")
        with pytest.raises(Refused, match="claim_not_matched"):
            school.begin_claim(birthdate=ADA.birthdate, asker=outside, **facts)
        ticket = school.begin_claim(birthdate=ADA.birthdate, asker=inside, **facts)
        assert ticket.step == "identified"


@pytest.mark.parametrize(
    ("policy", "argument"),
    [
        (Policy(claim=ClaimPolicy(proof="word")), "policy.claim.proof"),  # type: ignore[arg-type]
        (Policy(staff=StaffPolicy(roles=("king",))), "policy.staff.roles"),  # type: ignore[arg-type]
        *(
            (Policy(attempts=AttemptPolicy(networks=(NamedNetwork(bad, 1),))), "networks")
            for bad in ("10.0.0.0/33", "school", "", "2001:db8::/80")
        ),
    ],
)
def test_a_policy_that_cannot_be_names_its_part(policy: Policy, argument: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        portal(policy=policy)
    assert argument in error.value.argument


# The desk


def test_az01_staff_help_a_person_of_their_school(staffed: TestPortal) -> None:
    child = log_in(staffed, ADA)
    desk = staffed.staff_desk(log_in(staffed, CLERK).session)
    for _ in range(11):
        with pytest.raises(Refused, match="login_failed"):
            staffed.log_in(ADA.login_id, "not the password at all", asker=HOME)
    found = desk.find("s-1024")
    assert found is not None and found.may_act and found.sessions == 1
    assert found.person.claimed and found.person.log_in_failures >= 10
    assert found.person.log_in_shut_until is not None
    assert (found.person.source, found.person.source_id) == ("office", "S-1024")
    assert desk.clear_tries("S-1024")
    after = desk.find("S-1024")
    assert after is not None and after.person.log_in_failures == 0
    assert after.person.log_in_shut_until is None
    assert desk.issue_claim_code("S-1024", after.mark).outcome == "not_claimable"
    assert desk.end_sessions("S-1024", after.mark) == narthex.EndedSessions("ended", 1)
    # The page from before is sent once more: nothing is done twice.
    assert desk.end_sessions("S-1024", after.mark) == narthex.EndedSessions("stale", 0)
    assert desk.issue_recovery_code("S-1024", after.mark).outcome == "stale"
    with pytest.raises(Refused, match="session_ended"):
        staffed.verify_session(child.token)
    now = desk.find("S-1024")
    assert now is not None
    code = desk.issue_recovery_code("S-1024", now.mark)
    assert code.outcome == "issued" and code.code is not None
    assert code.expires_at == MORNING + timedelta(hours=24)
    ticket = staffed.begin_recovery("S-1024", code.code, asker=HOME)
    assert isinstance(ticket, narthex.Ticket) and ticket.given_name == "Ada"
    facts = {"given_name": "Ada", "family_name": "Byron", "login_id": "S-1024"}
    checked = desk.check(birthdate="2012-12-10", **facts)
    assert checked is not None and checked.names_match and not checked.claimable
    by = [one for one in staffed.audit_after(limit=512) if "by=" in (one.detail or "")]
    assert {one.kind for one in by} >= {"staff_looked", "tries_cleared", "recovery_codes_issued"}


def test_tries_are_shut_from_outside_and_go_on_inside_the_named_networks() -> None:
    networks = (NamedNetwork("192.0.2.0/24", 400),)
    with portal(policy=Policy(attempts=AttemptPolicy(networks=networks))) as school:
        claim(school, ADA)
        outside, inside = Asker(source="198.51.100.1"), Asker(source="192.0.2.7")
        for _ in range(11):
            with pytest.raises(Refused, match="login_failed"):
                school.log_in(ADA.login_id, "not the password at all", asker=outside)
        known = school.person(ADA.login_id)
        assert known is not None and known.log_in_shut_until is not None
        with pytest.raises(Refused, match="login_failed"):
            school.log_in(ADA.login_id, ADA.password, asker=outside)
        school.log_in(ADA.login_id, ADA.password, asker=inside)


def test_az01_a_person_of_another_school_is_as_an_unknown_number(staffed: TestPortal) -> None:
    claim(staffed, BEN)
    desk = staffed.staff_desk(log_in(staffed, CLERK).session)

    def everything(login_id: str) -> list[object]:
        facts = {"given_name": "Ben", "family_name": "Okafor", "birthdate": BEN.birthdate}
        return [
            desk.find(login_id),
            desk.check(login_id=login_id, **facts),  # type: ignore[arg-type]
            desk.clear_tries(login_id),
            desk.issue_claim_code(login_id, ""),
            desk.issue_recovery_code(login_id, ""),
            desk.end_sessions(login_id, ""),
        ]

    assert everything(BEN.login_id) == everything("S-9999")
    assert everything("S-9999")[:3] == [None, None, False]


def test_az01_who_is_not_staff_gets_no_desk_and_nobody_is_who_a_policy_closes_it_to(
    staffed: TestPortal,
) -> None:
    pupil = staffed.staff_desk(log_in(staffed, ADA).session)
    own = staffed.staff_desk(log_in(staffed, CLERK).session)
    with pytest.raises(Refused, match="not_permitted"):
        pupil.find("S-1024")
    seen = own.find(CLERK.login_id)
    assert seen is not None and not seen.may_act
    with pytest.raises(Refused, match="not_permitted"):
        own.issue_recovery_code(CLERK.login_id, seen.mark)
    with portal(policy=Policy(staff=StaffPolicy(roles=()))) as closed:
        employ(closed)
        with pytest.raises(Refused, match="not_permitted"):
            closed.staff_desk(log_in(closed, CLERK).session).find("S-1024")


def test_se13_the_desk_asks_for_a_fresh_log_in(staffed: TestPortal) -> None:
    session = log_in(staffed, CLERK).session
    desk = staffed.staff_desk(session)
    staffed.clock.advance(timedelta(minutes=15))
    with pytest.raises(Refused, match="reauthentication_needed"):
        desk.find("S-1024")
    again = staffed.reauthenticate(session, CLERK.password, asker=HOME)
    assert staffed.staff_desk(again.session).find("S-1024") is not None


def row(someone: Someone, role: Role = "student") -> RosterPerson:
    return RosterPerson(
        source_id=someone.login_id, login_id=someone.login_id, given_name=someone.given_name,
        family_name=someone.family_name, birthdate=someone.birthdate,
        memberships=(Membership(someone.organization, role),),
    )  # fmt: skip


def pupils(count: int, organization: str = "north-high", first: int = 1) -> RosterBatch:
    """A complete list of North High: who is there already, and so many more."""
    more = (
        Someone(f"P-{n}", "Pia", f"Nr{n}", date(2012, 1, 1), "", organization)
        for n in range(first, first + count)
    )
    people = (row(CLERK, "administrator"), row(ADA), *(row(one) for one in more))
    return RosterBatch(source="office", complete=True, people=people)


def test_what_cannot_be_read_names_the_argument(school: TestPortal, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument) as missing:
        school.import_roster(tmp_path / "missing.zip")
    assert missing.value.argument == "roster"
    sample = Path(__file__).parents[3] / "examples/rosters/oneroster-v1p2-98-users"
    with pytest.raises(InvalidArgument) as unused:
        school.import_roster(sample, organization="north-high")
    assert unused.value.argument == "organization"


@pytest.mark.parametrize("said", [{"delta": True}, {"organization": "north-high"}])
def test_values_are_not_read_and_say_so(staffed: TestPortal, said: dict[str, Any]) -> None:
    desk = staffed.staff_desk(log_in(staffed, CLERK).session)
    for bring_in in (staffed.import_roster, desk.preview_roster, desk.import_roster):
        with pytest.raises(InvalidArgument) as error:
            bring_in(pupils(20), **said)
        assert error.value.argument == next(iter(said))


def test_az01_staff_bring_in_a_list_of_their_own_school_once_they_have_looked_at_it(
    staffed: TestPortal,
) -> None:
    desk = staffed.staff_desk(log_in(staffed, CLERK).session)
    looked = desk.preview_roster(pupils(20))
    assert (looked.usable, looked.added, looked.left_out) == (True, 20, 0)
    assert looked.organizations[:1] == (
        narthex.OrganizationReport("north-high", 20, 0, 2, 0, 0, 0),
    )
    assert staffed.person("P-1") is None, "a look changes nothing"
    assert desk.import_roster(pupils(20)).added == 20
    assert staffed.person("P-1") is not None

    other = desk.import_roster(pupils(1, "south-high", first=50))
    assert (other.added, other.left_out) == (0, 1)
    assert staffed.person("P-50") is None, "nobody of another school is added"
    assert {one.value for one in other.findings} == {None}
    by = [one for one in staffed.audit_after(limit=512) if "by=" in (one.detail or "")]
    assert "roster_imported" in {one.kind for one in by}


def test_az01_a_list_is_read_for_nobody_but_staff_in_a_fresh_log_in(staffed: TestPortal) -> None:
    pupil = staffed.staff_desk(log_in(staffed, ADA).session)
    session = log_in(staffed, CLERK).session
    for roster in (pupils(1), b"no list at all"):
        for bring in (pupil.preview_roster, pupil.import_roster):
            with pytest.raises(Refused, match="not_permitted"):
                bring(roster)
    with pytest.raises(Refused, match="not_permitted"):
        staffed.staff_holds(pupil._session)
    staffed.clock.advance(timedelta(minutes=15))
    with pytest.raises(Refused, match="reauthentication_needed"):
        staffed.staff_desk(session).import_roster(pupils(1))
    assert staffed.person("P-1") is None


def test_a_file_that_was_uploaded_is_read_as_its_bytes(staffed: TestPortal) -> None:
    head = Someone("A-1", "Olga", "Lind", date(1980, 5, 6), "a stapler for every season")
    made = staffed.create_person(
        narthex.NewPerson(
            login_id="A-1", given_name="Olga", family_name="Lind", birthdate=head.birthdate,
            organization="east-high", organization_name="East High", role="administrator",
        )  # fmt: skip
    )
    assert made.outcome == "created"
    desk = staffed.staff_desk(log_in(staffed, head).session)
    file = (
        b"Student Number,First Name,Last Name,Birthdate\n"
        b"P-1,Pia,Lind,2012-01-01\nP-2,Olga,Lind,13/13/2012\n"
    )
    looked = desk.preview_roster(file, organization="east-high")
    assert looked.usable and looked.added == 2
    assert desk.import_roster(file, organization="east-high", delta=True).added == 2
    known = staffed.person("P-1")
    assert known is not None and known.memberships == (Membership("east-high", "student"),)
    with pytest.raises(InvalidArgument) as error:
        desk.import_roster(b"PK\x03\x04 no zip")
    assert error.value.argument == "roster"
    with pytest.raises(InvalidArgument, match="too long"):
        desk.preview_roster(bytes((16 << 20) + 1))
    with pytest.raises(TypeError):
        desk.preview_roster("/etc/passwd")  # type: ignore[arg-type]


def test_what_an_import_holds_is_settled_at_the_desk_of_its_school_alone(
    staffed: TestPortal,
) -> None:
    desk = staffed.staff_desk(log_in(staffed, CLERK).session)
    session = desk._session
    desk.import_roster(pupils(20))
    assert desk.import_roster(pupils(10)).held == 10
    (hold,) = staffed.staff_holds(session)
    assert hold == narthex.RosterHold("office", "north-high", MORNING, 10, 22)
    assert staffed.roster_holds() == (hold,)
    assert desk.settle_hold("office", "south-high", "confirm") is None
    with pytest.raises(InvalidArgument) as error:
        desk.settle_hold("office", "north-high", "perhaps")  # type: ignore[arg-type]
    assert error.value.argument == "decision"
    settled = desk.settle_hold("office", "north-high", "discard")
    assert settled == narthex.SettledHold(hold, 0, 10)
    assert staffed.staff_holds(session) == ()
    assert desk.import_roster(pupils(10)).held == 10
    gone = desk.settle_hold("office", "north-high", "confirm")
    assert gone is not None and (gone.deactivated, gone.stayed) == (10, 0)
    left = staffed.person("P-20")
    assert left is not None and left.listing == "inactive"


def test_az01_numbers_of_a_school_are_told_its_staff_and_nobody_else(staffed: TestPortal) -> None:
    pupil = log_in(staffed, ADA).session
    clerk = log_in(staffed, CLERK).session
    told = staffed.staff_statistics(clerk, "north-high")
    assert told.people == (
        narthex.StaffRoleCount("student", 1, 1),
        narthex.StaffRoleCount("administrator", 1, 1),
    )
    assert (len(told.claims), len(told.log_ins), len(told.active)) == (28, 28, 24)
    assert told.claims[-1] == (MORNING.replace(hour=0), 2) and told.log_ins[-1][1] == 2
    for session, organization in ((pupil, "north-high"), (clerk, "south-high")):
        with pytest.raises(Refused, match="not_permitted"):
            staffed.staff_statistics(session, organization)


def test_dp05_a_desk_is_not_carried_away(staffed: TestPortal) -> None:
    desk = staffed.staff_desk(log_in(staffed, CLERK).session)
    for escape in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            escape(desk)


def test_the_office_and_the_desk_awaited(staffed: TestPortal) -> None:
    async def journey() -> None:
        claim(staffed, ADA)
        desk = staffed.staff_desk((await staffed.alog_in(*_claimed(staffed, CLERK), asker=HOME)).session)
        found = await desk.afind("S-1024")
        assert found is not None and found.person == await staffed.aperson("S-1024")
        facts = {"given_name": "Ada", "family_name": "Byron", "login_id": "S-1024"}
        checked = await desk.acheck(birthdate=ADA.birthdate, **facts)
        assert checked == await staffed.acheck_evidence(birthdate=ADA.birthdate, **facts)
        assert await desk.aclear_tries("S-1024")
        mark = found.mark
        assert (await desk.aissue_claim_code("S-1024", mark)).outcome == "not_claimable"
        assert (await desk.aend_sessions("S-1024", "another")).outcome == "stale"
        assert (await desk.aissue_recovery_code("S-1024", mark)).outcome == "issued"
        assert (await staffed.areset_claim("S-1024")).outcome == "reset"
        assert (await staffed.aissue_claim_code("S-1024")).outcome == "issued"
        assert len(await staffed.aissue_claim_codes("north-high")) == 1
        assert (await staffed.aclaim_season("north-high")).unclaimed == 1
        assert (await staffed.aroster_status()).active == 3
        assert await staffed.asettle_holds("confirm") == (0, 0)
        assert len(await staffed.aaudit_after(limit=3)) == 3
        assert (await desk.apreview_roster(pupils(1))).added == 1
        assert (await desk.aimport_roster(pupils(1))).added == 1
        assert await desk.asettle_hold("office", "north-high", "confirm") is None
        assert await staffed.aroster_holds() == ()
        assert await staffed.astaff_holds(desk._session) == ()
        numbers = await staffed.astaff_statistics(desk._session, "north-high")
        assert numbers.organization == "north-high"
        again = await staffed.aimport_roster(RosterBatch(source="office"), dry_run=True)
        assert again.usable
        await staffed.amaintain()

    asyncio.run(journey())


def _claimed(school: Portal, someone: Someone) -> tuple[str, str]:
    claim(school, someone)
    return someone.login_id, someone.password


def test_an_import_counts_each_kind_of_person_by_itself(school: TestPortal) -> None:
    schools = tuple(narthex.Organization(f"{name}-high", name) for name in ("west", "east"))

    def people(west: range, east: range, renamed: range, prepared: bool = True) -> RosterBatch:
        listed = tuple(
            RosterPerson(
                source_id=f"{place}-{number}", login_id=f"{place[0].upper()}-{number}",
                given_name="Kim" if place == "west" and number in renamed else "Pia",
                family_name="Lind", memberships=(Membership(f"{place}-high", "student"),),
                birthdate=None if number in (1, 2) and place == "west" else "2012-01-01",
            )
            for place, numbers in (("west", west), ("east", east))
            for number in numbers
        )  # fmt: skip
        # Who belongs to another source alone is left out.
        theirs = (Membership("north-high", "student"),)
        nobody = tuple(
            dataclasses.replace(
                listed[-1], source_id=f"x{n}", login_id=f"X-{n}", memberships=theirs
            )
            for n in range(9)
        )
        return RosterBatch(
            source="west", organizations=schools, people=listed + nobody * (not prepared), complete=True
        )

    assert school.import_roster(people(range(1, 21), range(1, 41), range(0))).added == 60
    report = school.import_roster(people(range(2, 25), range(1, 24), range(2, 8), prepared=False))
    # West: 1 has left, 2 to 7 are called otherwise, 8 to 20 stay, 21 to 24 are new. East: 17 of 40 missing.
    told = (report.usable, report.added, report.changed, report.unchanged, report.deactivated)
    assert told == (True, 4, 6, 13 + 23, 1)
    assert (report.held, report.without_birthdate, report.left_out) == (17, 1, 9)
    by_name = {one.organization: dataclasses.astuple(one)[1:] for one in report.organizations}
    assert by_name == {
        "west-high": (4, 6, 13, 0, 1, 0),
        "east-high": (0, 0, 23, 0, 0, 17),
        "north-high": (0, 0, 0, 9, 0, 0),
    }
    status = school.roster_status()
    assert (status.active, status.inactive, status.without_birthdate, status.holds) == (2 + 23 + 40, 1, 1, 1)
