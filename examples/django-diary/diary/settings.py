"""A class diary with Django: `login_required` leads to the portal and back."""

import os
from pathlib import Path

DATA = Path(os.environ.get("DIARY_DATA", "diary-data")).resolve()
ORIGIN = os.environ.get("DIARY_ORIGIN", "http://127.0.0.1:8000")

NARTHEX = {
    "store": f"redb://{DATA}/portal.redb",
    "base_url": f"{ORIGIN}/portal",
    "apps": ["/diary/"],
}
LOGIN_URL = "/portal/login"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "narthex.django.backends.PortalBackend",
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "narthex.django",
    "diary",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "narthex.django.middleware.PortalMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
              "OPTIONS": {"context_processors": ["django.template.context_processors.request"]}}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{DATA}/diary.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "diary.urls"
WSGI_APPLICATION = "diary.wsgi.application"
SECRET_KEY = os.environ.get("DIARY_SECRET", "only for trying it out")
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
