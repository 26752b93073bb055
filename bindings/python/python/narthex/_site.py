"""Where the portal lives and what its pages say of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import get_type_hints
from urllib.parse import urlsplit

from ._errors import InvalidArgument
from ._judge import judge
from ._values import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the pages need to know."""

    base_url: str
    site_name: str | None = None
    cookie_suffix: str = ""
    trusted_proxies: tuple[str, ...] = ()
    help: tuple[Contact, ...] = ()

    @classmethod
    def told(
        cls,
        *,
        base_url: str | None,
        site_name: str | None,
        cookie_suffix: str,
        trusted_proxies: Sequence[str],
        help: Sequence[Contact],
    ) -> Site | None:
        """From the arguments of ``Portal.open``; ``None``: there are no pages."""
        for name, told in (("trusted_proxies", trusted_proxies), ("help", help)):
            if isinstance(told, str) or not isinstance(told, Collection):
                raise TypeError(f"{name} must be a list, not {type(told).__name__}")
        said = {
            "site_name": site_name,
            "cookie_suffix": cookie_suffix,
            "trusted_proxies": tuple(trusted_proxies),
            "help": tuple(help),
        }
        kinds = get_type_hints(cls)
        for name, value in said.items():
            judge(name, kinds[name], value)
            if base_url is None and value:
                raise InvalidArgument(name, "is for the pages, and there are none without base_url")
        if base_url is None:
            return None
        judge("base_url", str, base_url)
        return cls(base_url=base_url, **said)  # type: ignore[arg-type]

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

    def needs_a_file(self) -> None:
        """Raises :class:`InvalidArgument` if anything was said: values are not read."""
        for one in fields(self):
            if getattr(self, one.name) != one.default:
                raise InvalidArgument(one.name, "says how a file is read; these are values")


@dataclass(frozen=True, slots=True)
class Request:
    """One request for the pages."""

    method: str
    target: str
    headers: list[tuple[bytes, bytes]]
    peer: str | None

    def __post_init__(self) -> None:
        # What is no path of ours to the engine, some frameworks take for the path behind it.
        if not self.target.startswith("/"):
            raise InvalidArgument("target", "does not begin with a slash")
