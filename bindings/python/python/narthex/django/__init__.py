"""The portal for Django.

::

    INSTALLED_APPS = [..., "narthex.django"]
    MIDDLEWARE = [
        ...,
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "narthex.django.middleware.PortalMiddleware",
    ]
    AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",    # superusers keep their own log-in
        "narthex.django.backends.PortalBackend",
    ]
    LOGIN_URL = "/portal/login"
    NARTHEX = {
        "store": "redb:///var/lib/school/portal.redb",
        "base_url": "https://school.example/portal",
        "apps": ["/diary/"],
    }

``request.narthex`` says who is there, ``request.user`` is the project's own user of that person, and
``login_required`` leads to the portal and back.
"""

from ._portal import get_portal, set_portal

__all__ = ["get_portal", "set_portal"]
