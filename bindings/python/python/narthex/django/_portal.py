"""The portal that the settings name, opened at its first use in each process."""

from __future__ import annotations

import threading
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver

from .._errors import NarthexError
from .._policy import App, Policy
from .._portal import Portal, judge_options

SETTINGS = {
    "store",
    "base_url",
    "apps",
    "policy",
    "create_users",
    "adopt_users",
    "django_users",
    "options",
}
"""The keys of ``settings.NARTHEX``; ``options`` are more arguments of ``Portal.open``."""

_lock = threading.Lock()
_portal: Portal | None = None


def narthex_settings() -> dict[str, Any]:
    """``settings.NARTHEX``, with its keys looked at."""
    told = getattr(settings, "NARTHEX", None)
    if not isinstance(told, dict) or not {"store", "base_url"} <= told.keys():
        raise ImproperlyConfigured('settings.NARTHEX needs "store" and "base_url"')
    if unknown := told.keys() - SETTINGS:
        raise ImproperlyConfigured(f"settings.NARTHEX has unknown keys: {sorted(unknown)}")
    for name in ("apps", "django_users"):
        # Every path begins with one of the letters of "/admin/".
        if not isinstance(told.get(name, ()), (list, tuple)):
            raise ImproperlyConfigured(f'NARTHEX["{name}"] is a list of prefixes')
    for prefix in told.get("django_users", ()):
        if not isinstance(prefix, str) or not prefix.startswith("/"):
            message = f'NARTHEX["django_users"]: {prefix!r} is no prefix that begins with a slash'
            raise ImproperlyConfigured(message)
    for name in ("create_users", "adopt_users"):
        if not isinstance(told.get(name, False), bool):
            raise ImproperlyConfigured(f'NARTHEX["{name}"] is neither True nor False')
    return told


def policy_of(told: dict[str, Any]) -> Policy:
    """``NARTHEX["policy"]``, or the default one with the prefixes of ``NARTHEX["apps"]``."""
    policy = told.get("policy")
    if policy is not None:
        if "apps" in told:
            raise ImproperlyConfigured('give NARTHEX["policy"] its apps, or NARTHEX["apps"], not both')
        if not isinstance(policy, Policy):
            raise ImproperlyConfigured('NARTHEX["policy"] is no narthex.Policy')
        return policy
    apps = (app if isinstance(app, App) else App(app) for app in told.get("apps", ()))
    return Policy(apps=tuple(apps))


def options_of(told: dict[str, Any]) -> dict[str, Any]:
    """What ``Portal.open`` is told besides the store."""
    options = told.get("options", {})
    if not isinstance(options, dict):
        raise ImproperlyConfigured('NARTHEX["options"] is no dict of arguments of Portal.open')
    if twice := options.keys() & {"url", "base_url", "policy"}:
        raise ImproperlyConfigured(
            f'{sorted(twice)}: "store", "base_url" and "policy" are keys of NARTHEX, not of its "options"'
        )
    if "_clock" in options:
        raise ImproperlyConfigured('NARTHEX["options"] cannot have "_clock"')
    return {"base_url": told["base_url"], "policy": policy_of(told), **options}


def judged_settings() -> dict[str, Any]:
    """``settings.NARTHEX``, looked at as closely as can be without opening the store."""
    told = narthex_settings()
    try:
        judge_options(told["store"], **options_of(told))
    except (TypeError, NarthexError) as error:
        raise ImproperlyConfigured(f"NARTHEX: {error}") from error
    return told


def get_portal() -> Portal:
    """The portal of this project."""
    global _portal
    with _lock:
        if _portal is None:
            told = narthex_settings()
            _portal = Portal.open(told["store"], **options_of(told))
        return _portal


def set_portal(portal: Portal | None) -> None:
    """For tests: this portal from now on; ``None``: what the settings say."""
    global _portal
    with _lock:
        _portal = portal


@receiver(setting_changed)
def _forget(*, setting: str, **_more: Any) -> None:
    if setting == "NARTHEX":
        set_portal(None)
