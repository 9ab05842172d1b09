"""Whether this machine has the room and the files the processes need."""

import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders

from dispatcher.doctor.finding import Finding, Note, Problem

FULL, NEARLY_FULL = 500 * 2**20, 2 * 2**30  # bytes left
FEW_FILES, MANY_FILES = 512, 4096
NEEDED = ("app.css", "app.js", "live.js", "icons.svg", "admin/css/base.css", "django_htmx/htmx-2.min.js")


def has_room() -> Iterator[Finding]:
    """On the disks of this code, of the services bin/dev keeps beside it, of temporary files and of stored messages."""
    places = {
        settings.BASE_DIR,
        settings.BASE_DIR / ".local",
        Path("/var/lib/campaign-dispatcher"),
        Path(tempfile.gettempdir()),
        settings.ARCHIVE_DIR,
    }
    disks = {place.stat().st_dev: place for place in sorted(places, reverse=True) if place.exists()}
    for place in disks.values():
        left = shutil.disk_usage(place).free
        if left < FULL:
            yield Problem(f"The disk of {place} is full: {left / 2**20:,.0f} MB are left.", "Make room, or enlarge it.")
        elif left < NEARLY_FULL:
            yield Note(
                f"The disk of {place} is nearly full: {left / 2**30:.1f} GB are left.", "Make room, or enlarge it."
            )


def can_hold_connections() -> Iterator[Finding]:
    """Each open page costs the web process a file; asked of this shell, which may be more generous than theirs."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY or allowed >= MANY_FILES:
        return
    finding = Problem if allowed < FEW_FILES else Note
    remedy = "ulimit -n 65536, or LimitNOFILE=65536 in the service file"
    yield finding(f"A process may open {allowed:,} files, and every open page costs one.", remedy)


def has_static_files() -> Iterator[Finding]:
    missing = [name for name in NEEDED if not finders.find(name)]
    if missing:
        yield Problem(
            f"Pages would come without {', '.join(missing)}.",
            "Take the release again as it is, and pip install -r requirements.txt",
        )
