"""Django: users, log-in and log-out, permissions, sessions, checks, commands."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django
import pytest
from browser import _Forms
from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="for tests",
        ALLOWED_HOSTS=["127.0.0.1"],
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "narthex.django",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "narthex.django.middleware.PortalMiddleware",
        ],
        AUTHENTICATION_BACKENDS=[
            "django.contrib.auth.backends.ModelBackend",
            "narthex.django.backends.PortalBackend",
        ],
        LOGIN_URL="/portal/login",
        ROOT_URLCONF="test_django",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        USE_TZ=True,
        NARTHEX={
            "store": "memory:",
            "base_url": "http://127.0.0.1:8000/portal",
            "apps": ["/diary/"],
        },
    )
    django.setup()

from asgiref.sync import async_to_sync
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path

from narthex import (
    App,
    InvalidArgument,
    Membership,
    Organization,
    Policy,
    Portal,
    RosterBatch,
    RosterPerson,
    asgi,
)
from narthex import wsgi as narthex_wsgi
from narthex.django import set_portal
from narthex.django._portal import narthex_settings, policy_of
from narthex.django.checks import check_settings
from narthex.django.middleware import PortalMiddleware
from narthex.django.models import PortalAccount
from narthex.testing import ADA, BEN, HOME, Someone, TestPortal, claim, cookies, log_in, portal

HOST = "127.0.0.1:8000"
PAGE: dict[str, Any] = {"HTTP_HOST": HOST, "HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_USER": "?1"}


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.user.get_username()}|{request.user.is_authenticated}")


@login_required
def diary(request: HttpRequest) -> HttpResponse:
    template = Template("{% load narthex %}{% narthex_header %}{{ request.user.get_full_name }}")
    return HttpResponse(template.render(RequestContext(request)))


@permission_required("auth.add_user")
def grown_ups(request: HttpRequest) -> HttpResponse:
    raise AssertionError("nobody of the portal's has this permission")


def own(request: HttpRequest, page: str = "") -> HttpResponse:
    request.narthex.require()  # type: ignore[attr-defined]
    return HttpResponse("own")


def kept(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hers", headers={"Cache-Control": request.GET["by"]})


def basket(request: HttpRequest) -> HttpResponse:
    basket = request.session.setdefault("basket", [])
    basket.append("book")
    request.session["basket"] = basket
    return HttpResponse(str(len(basket)))


async def basket_awaited(request: HttpRequest) -> HttpResponse:
    basket = [*await request.session.aget("basket", []), "book"]
    await request.session.aset("basket", basket)
    return HttpResponse(str(len(basket)))


def other_basket(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    return basket(request)


def note(request: HttpRequest) -> HttpResponse:
    told = [str(message) for message in messages.get_messages(request)]
    messages.info(request, f"{request.user.get_username()} was here")
    return HttpResponse(str(told))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("diary/", diary),
    path("diary/grown-ups", grown_ups),
    path("diary/own", own),
    path("diary/own/<str:page>", own),
    path("who/", who),
    path("kept/", kept),
    path("basket/", basket),
    path("basket/awaited", basket_awaited),
    path("basket/other", other_basket),
    path("note/", note),
]


@pytest.fixture(scope="module")
def database() -> None:
    call_command("migrate", verbosity=0)


@pytest.fixture
def school(database: None) -> Iterator[TestPortal]:
    policy = Policy(apps=(App("/diary/"),))
    with portal(base_url=f"http://{HOST}/portal", policy=policy) as opened:
        set_portal(opened)
        yield opened
        set_portal(None)
        get_user_model()._default_manager.all().delete()


def known(school: TestPortal, someone: Someone = ADA) -> Client:
    client = Client()
    client.cookies["narthex"] = log_in(school, someone).token.expose()
    return client


def test_login_required_leads_to_the_portal_and_back(school: TestPortal) -> None:
    led = Client().get("/diary/", **PAGE)
    assert (led.status_code, led["location"]) == (302, "/portal/login?next=/diary/")
    page = Client().get(led["location"], **PAGE)
    assert page.status_code == 200
    assert b'name="return_to" value="/diary/"' in page.content
    led = Client().get("/diary/own", **PAGE)
    assert led.status_code == 303
    assert led["location"].startswith("/portal/login?return_to=/diary/own")


def test_a_path_may_have_every_letter(school: TestPortal) -> None:
    client = known(school)
    for letters, sent in [("é", "%C3%A9"), ("日", "%E6%97%A5"), ("a b", "a%20b")]:
        assert client.get(f"/diary/{letters}", **PAGE).status_code == 404, letters
        led = Client().get(f"/diary/own/{letters}", **PAGE)
        assert led.status_code == 303
        assert led["location"].endswith(f"/portal/login?return_to=/diary/own/{sent.replace('%', '%25')}")
    assert Client().get("/portal/日", **PAGE).status_code == 404


def test_the_user_of_the_request_is_the_projects_own(school: TestPortal) -> None:
    assert Client().get("/who/", **PAGE).content == b"|False"
    client = known(school)
    response = client.get("/who/", **PAGE)
    assert response.content == b"S-1024|True"
    assert response["cache-control"] == "no-store"
    user: Any = get_user_model()._default_manager.get(username="S-1024")
    assert (user.first_name, user.last_name) == ("Ada", "Byron")
    assert not user.has_usable_password()
    page = client.get("/diary/", **PAGE)
    assert b"Ada Byron" in page.content and b"<narthex-header" in page.content
    client.get("/who/", **PAGE)
    assert get_user_model()._default_manager.count() == 1


def test_a_user_that_the_project_made_inactive_is_nobody(school: TestPortal) -> None:
    client = known(school)
    client.get("/who/", **PAGE)
    assert client.get("/diary/grown-ups", **PAGE).status_code == 403, "and not led around for ever"
    get_user_model()._default_manager.update(is_active=False)
    assert client.get("/who/", **PAGE).content == b"|False"
    # Not to the log-in, which leads who has a session straight back.
    assert client.get("/diary/", **PAGE).status_code == 403


def test_a_number_makes_nobody_a_user_of_the_project(school: TestPortal) -> None:
    people: Any = get_user_model()._default_manager
    own = people.create_user("S-1024", password="toor toor toor")
    assert known(school).get("/who/", **PAGE).content == b"|False", "whoever has a password"
    own.set_unusable_password()
    own.save()
    assert known(school).get("/who/", **PAGE).content == b"|False", "nor whoever logs in elsewhere"
    own.is_staff = True
    own.save()
    assert known(school).get("/who/", **PAGE).content == b"|False", "nor staff"
    own.refresh_from_db()
    assert own.first_name == "", "and nothing of theirs is changed"
    assert people.count() == 1
    assert not PortalAccount.objects.exists()


def test_a_project_may_hand_its_users_on(school: TestPortal) -> None:
    people: Any = get_user_model()._default_manager
    people.create_user("S-1024", password="toor toor toor")
    people.create_superuser("S-1025", password="toor toor toor")
    told = {**settings.NARTHEX, "adopt_users": True}
    with override_settings(NARTHEX=told):
        set_portal(school)
        assert known(school).get("/who/", **PAGE).content == b"S-1024|True"
        assert people.count() == 2
        assert known(school, BEN).get("/who/", **PAGE).content == b"|False", "never superusers"
    set_portal(school)


def test_a_number_that_is_given_out_again_hands_no_user_on(school: TestPortal) -> None:
    client = known(school)
    client.get("/who/", **PAGE)
    ada: Any = get_user_model()._default_manager.get(username="S-1024")
    # As if another person had come to the number: another account of the portal's.
    PortalAccount.objects.filter(user=ada).update(account="0" * 32)
    who = client.get("/who/", **PAGE).content.decode()
    account = school.profile(log_in(school).session).account
    assert who == f"S-1024-{account[:8]}|True"
    assert client.get("/who/", **PAGE).content.decode() == who


def test_p01_who_was_logged_out_elsewhere_is_nobody_at_once(school: TestPortal) -> None:
    client = known(school)
    assert client.get("/who/", **PAGE).content == b"S-1024|True"
    school.reset_claim(ADA.login_id)
    assert client.get("/who/", **PAGE).content == b"|False"


def test_superusers_keep_their_own_log_in(school: TestPortal) -> None:
    people: Any = get_user_model()._default_manager
    people.create_superuser("root", password="toor toor toor")
    client = Client()
    assert client.login(username="root", password="toor toor toor")
    assert client.get("/who/", **PAGE).content == b"root|True"
    client.cookies["narthex"] = log_in(school).token.expose()
    assert client.get("/who/", **PAGE).content == b"S-1024|True"
    assert client.get("/admin/", **PAGE).status_code == 200, "and the admin stays theirs"


def test_tests_of_a_project_log_in_whom_they_like(school: TestPortal) -> None:
    people: Any = get_user_model()._default_manager
    user = people.create_user("root", password="toor toor toor")
    client = Client()
    client.force_login(user)
    assert client.get("/who/", **PAGE).content == b"root|True"
    # What is no text of Latin-1 is no reason to fail: the clients of tests say such things.
    odd = {"HTTP_X_NONE": None, "HTTP_X_NAME": "\u0141ukasz"}
    assert client.get("/who/", **PAGE, **odd).content == b"root|True"  # type: ignore[arg-type]


def test_what_is_left_in_djangos_session_goes_with_the_person(school: TestPortal) -> None:
    client = known(school, ADA)
    client.get("/basket/", **PAGE)
    assert client.get("/basket/", **PAGE).content == b"2"
    client.cookies["narthex"] = log_in(school, BEN).token.expose()
    assert client.get("/basket/", **PAGE).content == b"1", "another person finds nothing"
    del client.cookies["narthex"]
    assert client.get("/basket/", **PAGE).content == b"1", "nobody finds nothing"


def test_s14_what_whoever_asks_says_of_the_mount_is_not_believed(school: TestPortal) -> None:
    client = known(school)
    assert client.get("/diary/own", **PAGE).status_code == 200
    assert client.get("/diary/own", SCRIPT_NAME="/x", **PAGE).status_code == 404
    assert client.get("/who/", SCRIPT_NAME="/x", **PAGE).status_code == 200


def test_what_is_kept_outlives_a_request_that_was_on_its_way(school: TestPortal) -> None:
    client = known(school)
    client.get("/basket/", **PAGE)
    before = client.cookies["narthex"].value
    session = school.verify_session(before)
    changed = school.change_password(
        session, current=ADA.password, new="a stapler for every season", asker=HOME
    )
    late = client.get("/basket/", **PAGE)
    assert b"book" not in late.content and late.content not in (b"1", b"2"), "shown to nobody"
    assert "sessionid" not in late.cookies, "and kept"
    client.cookies["narthex"] = changed.token.expose()
    assert client.get("/basket/", **PAGE).content == b"2"


@pytest.mark.parametrize("page", ["/basket/", "/basket/awaited", "/basket/other"])
@pytest.mark.parametrize("awaited", [False, True])
def test_a_session_that_a_page_begins_is_the_persons_at_once(
    school: TestPortal, page: str, awaited: bool
) -> None:
    client: Any = AsyncClient() if awaited else Client()

    def count(someone: Someone | None, page: str = "/basket/") -> bytes:
        client.cookies.pop("narthex", None)
        if someone is not None:
            client.cookies["narthex"] = log_in(school, someone).token.expose()
        get = async_to_sync(client.get) if awaited else client.get
        content: bytes = get(page, headers={"host": HOST, "accept": "text/html"}).content
        return content

    # One request each: a second one of the same person would bind what the first had left.
    for follows in (BEN, None):
        assert count(ADA, page) == b"1"
        assert count(follows) == b"1", "who comes next finds nothing"


def test_what_nobody_left_in_djangos_session_goes_when_a_person_comes(school: TestPortal) -> None:
    client = Client()
    client.get("/basket/", **PAGE)
    assert client.get("/basket/", **PAGE).content == b"2"
    client.cookies["narthex"] = log_in(school).token.expose()
    assert client.get("/basket/", **PAGE).content == b"1"


def test_what_other_middleware_puts_into_djangos_session_is_the_persons(school: TestPortal) -> None:
    with override_settings(MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage"):
        client = known(school)
        assert client.get("/note/", **PAGE).content == b"[]"
        assert client.get("/note/", **PAGE).content == b"['S-1024 was here']"
        client.cookies["narthex"] = log_in(school, BEN).token.expose()
        assert client.get("/note/", **PAGE).content == b"[]"


def test_a_person_alone_begins_no_session_of_djangos(school: TestPortal) -> None:
    client = known(school)
    client.get("/who/", **PAGE)
    assert settings.SESSION_COOKIE_NAME not in client.cookies


def test_signals_tell_of_log_in_and_log_out(school: TestPortal) -> None:
    claim(school, ADA)
    told: list[tuple[str, str]] = []

    def heard_in(sender: Any, user: Any, **more: Any) -> None:
        told.append(("in", user.get_username()))

    def heard_out(sender: Any, user: Any, **more: Any) -> None:
        told.append(("out", user.get_username()))

    user_logged_in.connect(heard_in)
    user_logged_out.connect(heard_out)
    client = Client()
    send: dict[str, Any] = {**PAGE, "HTTP_ORIGIN": f"http://{HOST}", "HTTP_SEC_FETCH_SITE": "same-origin"}

    def form(page: str, action: str) -> dict[str, str]:
        reader = _Forms()
        reader.feed(client.get(page, **PAGE).content.decode())
        return next(fields for target, fields in reader.forms if target.endswith(action))

    kind = "application/x-www-form-urlencoded"
    wrong = {**form("/portal/login", "/login"), "login_id": "S-1024", "password": "x" * 20}
    client.post("/portal/login", urlencode(wrong), content_type=kind, **send)
    assert told == []
    right = {**form("/portal/login", "/login"), "login_id": "S-1024", "password": ADA.password}
    response = client.post("/portal/login", urlencode(right), content_type=kind, **send)
    assert response.status_code == 303
    assert told == [("in", "S-1024")]
    leave = urlencode(form("/portal/account", "/logout"))
    response = client.post("/portal/logout", leave, content_type=kind, **send)
    assert response.status_code == 303
    assert told == [("in", "S-1024"), ("out", "S-1024")]
    user_logged_in.disconnect(heard_in)
    user_logged_out.disconnect(heard_out)


def test_checks_say_what_to_do() -> None:
    assert [message.id for message in check_settings(None)] == ["narthex.W002"]
    middleware = settings.MIDDLEWARE
    for changed, id in (
        ({"MIDDLEWARE": middleware[:-1]}, "narthex.E002"),
        ({"MIDDLEWARE": [middleware[-1], *middleware[:-1]]}, "narthex.E003"),
        ({"AUTHENTICATION_BACKENDS": settings.AUTHENTICATION_BACKENDS[:1]}, "narthex.E004"),
        ({"AUTHENTICATION_BACKENDS": settings.AUTHENTICATION_BACKENDS[::-1]}, "narthex.W003"),
        ({"LOGIN_URL": "/accounts/login/"}, "narthex.W001"),
    ):
        with override_settings(**changed):
            assert id in [message.id for message in check_settings(None)]


NEEDED = {"store": "memory:", "base_url": "http://127.0.0.1:8000/portal"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"typo": 1}, "typo"),
        ({"django_users": "/admin/"}, "django_users"),
        ({"apps": "/diary/"}, '"apps"'),
        ({"apps": ["diary"]}, "apps"),
        ({"apps": ["/diary/"], "policy": Policy()}, "not both"),
        ({"policy": {}}, "no narthex.Policy"),
        ({"policy": Policy(session=5)}, "policy.session"),  # type: ignore[arg-type]
        ({"base_url": "nonsense"}, "nonsense"),
        ({"store": "portal.redb"}, "redb:///"),
        ({"options": ["shared"]}, "options"),
        ({"options": {"shard": True}}, "shard"),
        ({"options": {"policy": Policy()}}, "policy"),
        ({"options": {"trusted_proxies": "127.0.0.1"}}, "trusted_proxies"),
        ({"options": {"trusted_proxies": ["nginx"]}}, "trusted_proxies"),
        ({"options": {"url": "memory:"}}, "keys of NARTHEX"),
        ({"options": {"shared": "no"}}, "shared must be bool"),
        ({"options": {"keys": 5}}, "keys must be a path"),
        ({"options": {"hooks": {}}}, "hooks must be"),
        ({"options": {"cookie_suffix": "a b"}}, "cookie suffix"),
        ({"options": {"_clock": 5}}, "_clock"),
        ({"create_users": "no"}, "create_users"),
        ({"adopt_users": "no"}, "adopt_users"),
        ({"django_users": [5]}, "django_users"),
        ({"django_users": ["admin"]}, "django_users"),
    ],
    ids=str,
)
def test_settings_that_are_wrong_are_told_before_anything_is_opened(
    wrong: dict[str, Any], told: str
) -> None:
    with override_settings(NARTHEX=NEEDED | wrong):
        (message,) = check_settings(None)
        assert message.id == "narthex.E001"
        assert told in message.msg


def test_nothing_is_opened_to_judge_settings(tmp_path: Path) -> None:
    store = f"redb://{tmp_path}/store/portal.redb"
    with override_settings(NARTHEX=NEEDED | {"store": store}):
        assert check_settings(None) == []
    assert list(tmp_path.iterdir()) == []
    with override_settings(NARTHEX={"store": store}):
        assert [message.id for message in check_settings(None)] == ["narthex.E001"]


def test_apps_of_the_settings_may_say_their_organization() -> None:
    fixed = App("/north/", organization="north-high")
    with override_settings(NARTHEX=NEEDED | {"apps": ["/diary/", fixed]}):
        assert policy_of(narthex_settings()).apps == (App("/diary/"), fixed)


def test_the_header_needs_a_request_and_no_context_processor(school: TestPortal) -> None:
    request = RequestFactory().get("/page")
    bare = [{"BACKEND": settings.TEMPLATES[0]["BACKEND"], "APP_DIRS": True}]
    with override_settings(TEMPLATES=bare):
        template = Template("{% load narthex %}{% narthex_header %}")

        def page(request: HttpRequest) -> HttpResponse:
            return HttpResponse(template.render(RequestContext(request)))

        with pytest.raises(TemplateSyntaxError, match="render"):
            template.render(Context())
        with pytest.raises(TemplateSyntaxError, match="PortalMiddleware"):
            page(request)
        assert "<narthex-header" in PortalMiddleware(page)(request).content.decode()


def test_commands(school: TestPortal) -> None:
    roster = Path(__file__).parents[3] / "examples/rosters/oneroster-v1p2-98-users/package.zip"
    told = io.StringIO()
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("narthex_import_roster", str(roster), stdout=told)
    call_command("narthex_import_roster", str(roster), source="sample", stdout=told)
    assert "98 were added" in told.getvalue()
    with pytest.raises(CommandError, match="cannot open"):
        call_command("narthex_import_roster", "/nowhere", stdout=told)
    call_command("narthex_doctor", stdout=told)
    assert "?   the base URL is plain http" in told.getvalue()
    with override_settings(AUTHENTICATION_BACKENDS=settings.AUTHENTICATION_BACKENDS[:1]):
        with pytest.raises(CommandError, match="1 of these need you"):
            call_command("narthex_doctor", stdout=told)
    assert "NOT the portal's people have no backend: add narthex" in told.getvalue()


def test_wb07_a_persons_page_is_kept_by_no_cache_whatever_it_says(school: TestPortal) -> None:
    client = known(school)
    for said, told in (("public, max-age=60", "no-store"), ("private", "private")):
        page = client.get(f"/kept/?{urlencode({'by': said})}", **PAGE)
        assert page["cache-control"] == told
        assert Client().get(f"/kept/?{urlencode({'by': said})}", **PAGE)["cache-control"] == said


def test_what_an_import_held_back_is_shown_and_settled(school: TestPortal, tmp_path: Path) -> None:
    people = [
        RosterPerson(
            source_id=f"h{number}", login_id=f"H-{number}", given_name="Ida", family_name="Quarrel",
            memberships=(Membership("west-high", "student"),),
        )
        for number in range(40)
    ]
    west = (Organization("west-high", "West High"),)
    listed = RosterBatch(source="west", organizations=west, people=tuple(people), complete=True)
    assert school.import_roster(listed).added == 40
    left = dataclasses.replace(listed, people=listed.people[:5])
    assert school.import_roster(left).held == 35
    told = io.StringIO()
    call_command("narthex_roster_holds", source="elsewhere", stdout=told)
    assert told.getvalue() == ""
    call_command("narthex_roster_holds", stdout=told)
    assert "west, west-high: 35 of 40 people were missing" in told.getvalue()
    call_command("narthex_roster_holds", confirm=True, source="west", stdout=told)
    assert "35 made inactive, 0 stay" in told.getvalue()
    assert school.roster_holds() == ()


def test_commands_say_in_a_line_why_a_store_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "portal.redb").write_text("no store")
    set_portal(None)
    with override_settings(NARTHEX=NEEDED | {"store": f"redb://{tmp_path}/portal.redb"}):
        for command in (["narthex_roster_holds"], ["narthex_import_roster", "roster.zip"]):
            with pytest.raises(CommandError, match="portal.redb"):
                call_command(*command)


def test_settings_are_judged_where_a_project_wraps_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrapped(*arguments: Any, **options: Any) -> Portal:
        return Portal.open(*arguments, **options)

    monkeypatch.setattr(Portal, "open", wrapped)
    with override_settings(NARTHEX=NEEDED | {"options": {"shard": True}}):
        (message,) = check_settings(None)
        assert "shard" in message.msg
    with override_settings(NARTHEX=NEEDED):
        assert [message.id for message in check_settings(None)] == ["narthex.W002"]


def test_a_mount_that_django_adds_itself_is_not_led_around() -> None:
    class Another(ASGIHandler):
        pass

    with portal() as school:
        fronts: list[tuple[Callable[..., object], object]] = [
            (asgi.PortalMiddleware, ASGIHandler()),
            (asgi.PortalMiddleware, Another()),
            (narthex_wsgi.PortalMiddleware, WSGIHandler()),
        ]
        for front, handler in fronts:
            front(handler, school, protect=["/page/"])
            with override_settings(FORCE_SCRIPT_NAME="/api"):
                with pytest.raises(InvalidArgument, match="/api"):
                    front(handler, school, protect=["/page/"])



def test_the_test_client_takes_the_cookie(school: TestPortal) -> None:
    client = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
    assert client.get("/diary/").status_code == 302
    client.cookies.load(cookies(school))
    page = client.get("/diary/")
    assert page.status_code == 200 and ADA.given_name in page.text
