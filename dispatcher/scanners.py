"""Telling machines that follow links, to look at them or to be quick, from the people they were sent to.

Nothing hangs on it but a count: no visit changes what anybody wished.
"""

import re
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from dispatcher.models import Message

AT_ONCE = timedelta(seconds=10)  # nobody reads that fast; what looks at mail on its way does
SCANNERS = re.compile(
    r"bot\b|bot/|crawl|spider|scan|preview|prefetch|proofpoint|mimecast|barracuda|safelinks|symantec|trendmicro|"
    r"forcepoint|cloudmark|fortinet|sophos|ironport|bitdefender|mailchannels|ImageProxy|MailProxy|facebookexternalhit|"
    r"whatsapp|skypeuri|ms-office|headless|curl|wget|python|java/|okhttp|Go-http-client|axios|libwww|http-client",
    re.IGNORECASE,
)


def is_machine(request: HttpRequest, recipient: int, campaign: int) -> bool:
    """Whether this visit is no person's: by its method, what it says of itself, or how soon it comes."""
    agent = request.headers.get("User-Agent", "")
    purposes = " ".join(request.headers.get(name, "") for name in ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz"))
    if request.method != "GET" or "pre" in purposes.lower() or not agent or SCANNERS.search(agent):
        return True
    sent = Message.objects.filter(recipient=recipient, campaign=campaign).values_list("sent_at", flat=True).first()
    return sent is not None and timezone.now() - sent < AT_ONCE
