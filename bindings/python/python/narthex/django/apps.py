"""The application of ``INSTALLED_APPS``."""

from __future__ import annotations

from django.apps import AppConfig


class NarthexConfig(AppConfig):
    """Brings the checks, the commands and the template tag."""

    name = "narthex.django"
    label = "narthex"
    verbose_name = "Portal"

    def ready(self) -> None:
        from . import checks as checks
