"""An email's HTML in a page of its own that can run nothing, send nothing and read nothing, also when opened alone."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse

OURS = urlsplit(settings.PUBLIC_URL)  # where mails load our own pictures from; in development that is no https
POLICY = (
    f"sandbox; default-src 'none'; img-src 'self' https: {OURS.scheme}://{OURS.netloc}; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
NOTHING = "<!DOCTYPE html><title>Nothing to show</title><p>There is nothing to show yet.</p>"


def framed(html: str) -> HttpResponse:
    """For an <iframe sandbox> of our own pages; whatever the HTML holds, the browser lets it do nothing."""
    return HttpResponse(
        html or NOTHING,
        headers={
            "Content-Security-Policy": POLICY,
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
        },
    )
