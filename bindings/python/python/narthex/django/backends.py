"""The backend of people who log in through the portal."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from .._values import Profile
from ._portal import narthex_settings
from .models import PortalAccount

logger = logging.getLogger("narthex.django")


class PortalBackend(BaseBackend):
    """Finds the project's user of a person, made at the first visit with the number as its user name.

    ``NARTHEX["create_users"]`` (True): make users. ``NARTHEX["adopt_users"]`` (False): a user of
    the project's own, who has the number as user name, becomes the person's at the first visit; staff
    and superusers never do. It never sees a password: people log in on the portal's own page.
    """

    def authenticate(
        self, request: HttpRequest | None, narthex_profile: Profile | None = None, **_other: Any
    ) -> Any:
        """The user of who has a live session; ``None`` for every other kind of credentials."""
        if narthex_profile is None:
            return None
        return user_of(narthex_profile)

    def get_user(self, user_id: Any) -> Any:
        """Nobody is kept in Django's own session: the portal's session is the authority."""
        return None


def user_of(profile: Profile) -> Any:
    """The project's user of this person, with the roster's name; ``None`` where the project does not
    want one made, has made the user inactive, or has a user of its own under this number."""
    user = _linked(profile)
    if user is None:
        try:
            user = _first_visit(profile)
        except IntegrityError:
            # Another request of the same person was first.
            user = _linked(profile)
    if user is None or not user.is_active:
        return None
    _follow_roster(user, profile)
    return user


def _linked(profile: Profile) -> Any:
    links = PortalAccount.objects.select_related("user").filter(account=profile.account)
    link = links.first()
    return None if link is None else link.user


def _first_visit(profile: Profile) -> Any:
    """Links the person to a user: a new one, or one of the project's that it hands on."""
    model: Any = get_user_model()
    manager = model._default_manager
    told = narthex_settings()
    name = profile.login_id
    with transaction.atomic():
        user = manager.filter(**{model.USERNAME_FIELD: name}).first()
        if user is not None and PortalAccount.objects.filter(user=user).exists():
            # Who had the number before keeps what is theirs.
            user, name = None, f"{name}-{profile.account[:8]}"
        if user is None:
            if not told.get("create_users", True):
                return None
            user = manager.create(**{model.USERNAME_FIELD: name})
            user.set_unusable_password()
            user.save(update_fields=["password"])
        elif not _may_become_theirs(user, bool(told.get("adopt_users", False))):
            logger.warning("narthex: the user %r is not this person's: nobody is logged in", user.pk)
            return None
        PortalAccount.objects.create(account=profile.account, user=user)
    return user


def _may_become_theirs(user: Any, adopt: bool) -> bool:
    """Whether a user whom nobody has been linked to may be. Whoever controls a roster must not become
    the project's staff by writing their user name into it as a number. Who has no usable password may
    log in by other ways, and is somebody already."""
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return False
    return adopt


def _follow_roster(user: Any, profile: Profile) -> None:
    wanted = {"first_name": profile.given_name, "last_name": profile.family_name}
    name = type(user).USERNAME_FIELD
    if getattr(user, name) != profile.login_id:
        taken = type(user)._default_manager.filter(**{name: profile.login_id}).exists()
        if not taken:
            wanted[name] = profile.login_id
    changed = [
        field
        for field, value in wanted.items()
        if hasattr(user, field) and getattr(user, field) != value
    ]
    for field in changed:
        setattr(user, field, wanted[field])
    if changed:
        user.save(update_fields=changed)
