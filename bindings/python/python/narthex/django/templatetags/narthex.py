"""``{% load narthex %}{% narthex_header %}``: the portal's header on a page of the project."""

from __future__ import annotations

from django import template
from django.template import Context, TemplateSyntaxError
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.simple_tag(takes_context=True)
def narthex_header(context: Context) -> SafeString:
    """Name, menu, log-out, warning before the end; without a session a link to the log-in."""
    # The engine's own template wrote it, with everything in it escaped.
    request = getattr(context, "request", None) or context.get("request")
    visit = getattr(request, "narthex", None)
    if visit is None:
        message = "narthex_header needs a request that PortalMiddleware has seen: render(request, ...)"
        raise TemplateSyntaxError(message)
    header: str = visit.header()
    return mark_safe(header)
