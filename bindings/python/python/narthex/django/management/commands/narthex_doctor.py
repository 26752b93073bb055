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
        for mark, line in _look():
            wrong += mark == WRONG
            self.stdout.write(f"{mark} {line}")
        if wrong:
            raise CommandError(f"{wrong} of these need you")


FINE, LOOK, WRONG = "ok ", "?  ", "NOT"


def _look() -> Iterator[tuple[str, str]]:
    messages = check_settings(None)
    for message in messages:
        yield (WRONG if message.is_serious() else LOOK), f"{message.msg}: {message.hint}"
    if not messages:
        yield FINE, "settings and middleware"
    try:
        told = narthex_settings()
        portal = get_portal()
        status = portal.roster_status()
    except (ImproperlyConfigured, NarthexError) as error:
        yield WRONG, str(error)
        return
    yield FINE, f"the store {told['store']} answers"
    if portal.shared:
        yield FINE, "several processes may have it open side by side"
    else:
        yield LOOK, 'one process alone has it open: gunicorn with workers needs shared=True in NARTHEX["options"]'
    if status.active > 0:
        listed = f"{status.active} people may log in or claim, {status.claimed} of them have claimed"
        yield FINE, listed
    else:
        yield WRONG, "nobody may claim yet: bring them in with manage.py narthex_import_roster"
    if told["base_url"].startswith("https://"):
        yield FINE, "the base URL is https"
    else:
        yield LOOK, "the base URL is plain http, for this machine only: others need https in base_url"
