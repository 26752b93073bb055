"""One person: prepared by hand, disabled, given out, erased."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from datetime import date

import pytest

import narthex
from narthex import InvalidArgument, Membership, NewPerson, Refused, RosterBatch, RosterPerson
from narthex.testing import ADA, BEN, HOME, MORNING, TestPortal, claim, log_in

PASSWORD = "a stapler for every season"


def new(login_id: str = "A-1", **more: str | date) -> NewPerson:
    told: dict[str, str | date] = {
        "given_name": "Clara", "family_name": "Kern", "organization": "north-high",
        "role": "administrator", "birthdate": date(1980, 5, 6), **more,
    }  # fmt: skip
    return NewPerson(login_id=login_id, **told)  # type: ignore[arg-type]


def test_a_person_who_is_in_no_roster_claims_by_the_code_and_imports_leave_them_alone(
    school: TestPortal,
) -> None:
    created = school.create_person(new("a-1"))
    assert created.outcome == "created" and not created.organization_made
    assert created.issued is not None and created.issued.login_id == "A-1"
    ticket = school.begin_claim(
        given_name="Clara", family_name="Kern", birthdate="1980-05-06", login_id="A-1",
        claim_code=created.issued.code, asker=HOME,
    )  # fmt: skip
    school.finish_claim(ticket, password=PASSWORD, answers=dict(ADA.answers))
    session = school.log_in("A-1", PASSWORD, asker=HOME).session
    assert school.profile(session).memberships == (Membership("north-high", "administrator"),)

    other = RosterPerson(
        source_id="9", login_id="A-1", given_name="Somebody", family_name="Else",
        memberships=(Membership("north-high", "student"),),
    )  # fmt: skip
    report = school.import_roster(RosterBatch(source="office", people=(other,)))
    assert (report.added, report.changed, report.left_out) == (0, 0, 1)
    assert "number_reused" in {one.code for one in report.findings}
    assert school.profile(session).given_name == "Clara"
    assert [one.kind for one in school.audit_after(limit=512)].count("person_created") == 1


def test_a_number_that_is_taken_and_an_organization_that_is_not_there_create_nobody(
    school: TestPortal,
) -> None:
    assert school.create_person(new(ADA.login_id)) == narthex.CreatedPerson("taken")
    nowhere = new(organization="nowhere")
    assert school.create_person(nowhere) == narthex.CreatedPerson("no_organization")
    assert school.person("A-1") is None
    made = school.create_person(dataclasses.replace(nowhere, organization_name="Now Here"))
    assert made.outcome == "created" and made.organization_made
    assert "Now Here" in {one.name for one in school.organizations()}


@pytest.mark.parametrize(
    ("argument", "typed"),
    [
        ("given_name", ""), ("family_name", "  "), ("role", "king"), ("organization", "a b"),
        ("birthdate", "2012-02-30"), ("organization_name", "..."), ("login_id", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_a_person_names_its_argument(
    school: TestPortal, argument: str, typed: str
) -> None:
    person = dataclasses.replace(new(), **{argument: typed})  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument) as error:
        school.create_person(person)
    assert error.value.argument == argument


def test_se08_a_disabled_person_is_out_and_the_roster_does_not_let_them_in(
    school: TestPortal,
) -> None:
    token = log_in(school).token
    assert school.disable_person(ADA.login_id) == narthex.PersonStatusChange("changed", 1, True)
    assert school.disable_person(ADA.login_id) == narthex.PersonStatusChange("as_before")
    assert school.disable_person("S-9999") == narthex.PersonStatusChange("unknown")
    with pytest.raises(Refused, match="session_ended"):
        school.verify_session(token)
    with pytest.raises(Refused, match="login_failed"):
        school.log_in(ADA.login_id, ADA.password, asker=HOME)
    known = school.person(ADA.login_id)
    assert known is not None and known.disabled_at == MORNING
    assert school.enable_person(ADA.login_id) == narthex.PersonStatusChange("changed", 0, True)
    school.log_in(ADA.login_id, ADA.password, asker=HOME)


def test_everything_that_is_stored_is_given_out_and_no_secret(school: TestPortal) -> None:
    log_in(school)
    assert school.export_person("S-9999") is None
    export = school.export_person("s-1024")
    assert export is not None and repr(export) == "PersonExport(hidden)"
    (entry,), (account,) = export.entries, export.accounts
    assert (entry.login_id, entry.given_name, entry.listing) == ("S-1024", "Ada", "active")
    assert entry.memberships == (Membership("north-high", "student"),)
    assert account.has_password and account.claimed_at == MORNING
    assert set(account.questions) == {"first_toy", "story"}
    (session,) = account.sessions
    assert session.started_at == MORNING and session.ended_at is None
    assert export.rows == (narthex.ExportedRow("north-high", "listed"),)
    assert {"claimed", "logged_in", "person_exported"} <= {one.kind for one in export.events}
    written = json.dumps(dataclasses.asdict(export), default=str)
    for secret in (ADA.password, "2012-12-10", "Sir Knits"):
        assert "Ada" in written and secret not in written


def test_who_was_erased_is_gone_and_no_import_brings_them_back(school: TestPortal) -> None:
    token = log_in(school).token
    erased = school.erase_person(ADA.login_id)
    assert erased.outcome == "erased" and erased.records > 3 and erased.events > 1
    assert school.person(ADA.login_id) is None and school.export_person(ADA.login_id) is None
    with pytest.raises(Refused):
        school.verify_session(token)
    assert school.erase_person(ADA.login_id) == narthex.ErasedPerson("before", erased_at=MORNING)
    assert school.erase_person("S-9999") == narthex.ErasedPerson("unknown")
    assert school.create_person(new(ADA.login_id)).outcome == "erased"

    again = RosterPerson(
        source_id=ADA.login_id, login_id=ADA.login_id, given_name="Ada", family_name="Byron",
        memberships=(Membership("north-high", "student"),),
    )  # fmt: skip
    roster = RosterBatch(source="office", people=(again,))
    assert school.import_roster(roster).added == 0
    assert school.readmit_number(ADA.login_id) and not school.readmit_number(ADA.login_id)
    assert school.import_roster(roster).added == 1


@pytest.mark.parametrize("escape", [pickle.dumps, copy.copy, copy.deepcopy])
def test_dp05_codes_are_not_printed_pickled_or_copied(
    school: TestPortal, escape: Callable[[object], object]
) -> None:
    created = school.create_person(new())
    claim(school, ADA)
    reset, recovery = school.reset_claim(ADA.login_id), school.issue_recovery_code("A-1")
    kept = school.renew_recovery_codes(log_in(school, BEN).session)
    assert len(kept.codes) == 8 and repr(kept) == "RecoveryCodes()"
    letter = school.issue_claim_code("A-1")
    assert created.issued is not None and letter.issued is not None and reset.issued is not None
    for held in (created, created.issued, letter, letter.issued, reset, reset.issued, recovery, kept):
        assert not any(one.code in repr(held) for one in (created.issued, letter.issued))
        with pytest.raises(TypeError, match="secret"):
            escape(held)


def test_one_person_awaited(school: TestPortal) -> None:
    async def journey() -> None:
        assert (await school.acreate_person(new())).outcome == "created"
        assert (await school.adisable_person("A-1")).outcome == "changed"
        assert (await school.aenable_person("A-1")).outcome == "changed"
        export = await school.aexport_person("A-1")
        assert export is not None and export.entries[0].source == "by hand"
        assert (await school.aerase_person("A-1")).outcome == "erased"
        assert await school.areadmit_number("A-1")

    asyncio.run(journey())
