"""Which of the project's users is which person of the portal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models


class PortalAccount(models.Model):
    """A person of the portal, by what names their account for ever. Numbers are given out again;
    accounts are not."""

    account: Any = models.CharField(max_length=32, primary_key=True)
    user: Any = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="narthex_account"
    )

    def __str__(self) -> str:
        return str(self.account)
