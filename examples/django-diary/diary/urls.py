"""The pages."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.generic import RedirectView


@login_required
def diary(request: HttpRequest, day: str) -> HttpResponse:
    page = settings.DATA / f"{request.user.pk}-{day}.txt"
    if request.method == "POST":
        page.write_text(request.POST["entry"])
        return redirect(request.path)
    written = page.read_text() if page.exists() else ""
    return render(request, "diary.html", {"day": day, "written": written})


urlpatterns = [
    path("", RedirectView.as_view(url="/diary/today")),
    path("diary/", RedirectView.as_view(url="/diary/today")),
    path("diary/<slug:day>", diary),
]
