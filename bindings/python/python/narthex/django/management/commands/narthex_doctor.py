"""``manage.py narthex_doctor``: is everything in place?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ...._errors import NarthexError
from ..._portal import get_portal, narthex_settings
from ...checks import check_settings


class Command(BaseCommand):
    """Looks at the settings, the store and the roster, and says what to do."""

    help = "Says whether the portal is ready, and what to do where it is not."

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for fine, line in _look():
            wrong += not fine
            self.stdout.write(f"{'ok ' if fine else 'NOT'} {line}")
        if wrong:
            raise CommandError(f"{wrong} of these need you")


def _look() -> Iterator[tuple[bool, str]]:
    messages = check_settings(None)
    for message in messages:
        yield False, f"{message.msg}: {message.hint}"
    if not messages:
        yield True, "settings and middleware"
    try:
        told = narthex_settings()
        portal = get_portal()
        status = portal.roster_status()
    except (ImproperlyConfigured, NarthexError) as error:
        yield False, str(error)
        return
    yield True, f"the store {told['store']} answers"
    yield portal.shared, "several processes may have it open side by side"
    listed = f"{status.active} people may log in or claim, {status.claimed} of them have claimed"
    yield status.active > 0, listed
    https = told["base_url"].startswith("https://")
    yield https, "the base URL is https" if https else "the base URL is plain http: this machine only"
