"""``{% load narthex %}{% narthex_header %}``: the portal's header on a page of the project."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag(takes_context=True)
def narthex_header(context: dict[str, Any]) -> SafeString:
    """Name, menu, log-out, warning before the end; without a session a link to the log-in."""
    # The engine's own template wrote it, with everything in it escaped.
    header: str = context["request"].narthex.header()
    return mark_safe(header)
