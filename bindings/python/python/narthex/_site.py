"""Where the portal lives and what its pages say of it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ._values import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages need to know."""

    base_url: str
    site_name: str | None = None
    cookie_suffix: str = ""
    trusted_proxies: tuple[str, ...] = ()
    help: tuple[Contact, ...] = ()

    @property
    def session_cookie(self) -> str:
        """The name of the cookie that holds a session."""
        https = urlsplit(self.base_url).scheme == "https"
        suffix = f"-{self.cookie_suffix}" if self.cookie_suffix else ""
        return f"{'__Host-' if https else ''}narthex{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How roster files are read."""

    format: str | None = None
    date_order: str | None = None
    number_column: str | None = None
    number_width: int | None = None
    source: str | None = None
    organization: str | None = None
    delta: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request for the pages."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    peer: str | None
