"""Shows what becomes of messages while their provider fails: tries, growing waits, causes, a retry, the balance."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from dispatcher.api_demo.program import Program, Refused

PEOPLE = 80
LOOK_EVERY = 0.25  # seconds
STORM_LASTS = 40.0  # seconds at most until nothing of a campaign is open
STORIES = 3
MAY_PASS = {"provider_down", "rate_limited", "timeout", "network"}
ENDINGS = ("sent", "failed", "skipped", "cancelled", "unknown")

Say = Callable[[str], None]


def show_retries(program: Program, say: Say, end_storm: Callable[[], None]) -> None:
    """From the first try to the final balance, in less than 90 seconds. Raises Unheard and Refused."""
    say("The simulated provider of text messages fails three of four calls for a while; some for good.")
    campaign = send(program, say)
    messages = follow(program, campaign, say)
    for message in sorted(messages, key=lambda message: -message["retry_count"])[:STORIES]:
        tell(program, f"/api/campaigns/{campaign}/messages/{message['number']}", say)
    causes = tell_causes(program, campaign, say)
    end_storm()
    say("\nThe provider is as it was before. Retried is what another try can help:")
    retry(program, campaign, causes, say)
    follow(program, campaign, say)
    tell_balance(program, campaign, say)


def send(program: Program, say: Say) -> int:
    chosen = reached_by_phone(program)
    if not chosen:
        raise Refused("Nobody in the workspace can be reached by text message; add people with a phone number.")
    draft = {"name": "API demo: retries", "channel": "sms", "base_template": "Hi {first_name|there}!"}
    campaign = program.must("POST", "/api/campaigns", draft)["id"]
    sent = program.must("POST", f"/api/campaigns/{campaign}/send", {"customer_ids": chosen})
    say(f"Campaign {campaign} goes to {sent['messages_queued']} people: {program.url}/campaigns/{campaign}/\n")
    return campaign


def reached_by_phone(program: Program) -> list[int]:
    """Up to PEOPLE, the newest first; a page of the walk may hold none of them."""
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < PEOPLE:
        page = program.get(f"/api/customers?channel=sms&page_size={PEOPLE}&cursor={cursor}")
        found += [person["id"] for person in page["data"]]
        cursor = page["pagination"]["next_cursor"]
    return found[:PEOPLE]


def follow(program: Program, campaign: int, say: Say) -> list[dict[str, Any]]:
    """Look again and again until nothing is open; tells whenever something changed. The messages at the end."""
    begun, told = time.monotonic(), ""
    while True:
        messages, passed = messages_of(program, campaign), time.monotonic() - begun
        if (line := line_of(messages)) != told:
            say(f"  {passed:5.1f} s  {line}")
        if passed > STORM_LASTS or not any(message["status"] == "pending" for message in messages):
            return messages
        told = line
        program.wait(LOOK_EVERY)


def messages_of(program: Program, campaign: int) -> list[dict[str, Any]]:
    return program.get(f"/api/campaigns/{campaign}/messages?page_size=100")["data"]


def line_of(messages: list[dict[str, Any]]) -> str:
    counts = Counter(message["status"] for message in messages)
    waiting = Counter(m["retry_count"] for m in messages if m["status"] == "pending" and m["retry_count"])
    tries = "".join(f", {n} wait after try {count}" for count, n in sorted(waiting.items()))
    return ", ".join(f"{counts[status]} {status}" for status in ("pending", "sent", "failed")) + tries


def tell(program: Program, place: str, say: Say) -> None:
    message, before = program.get(place), None
    say(f"\nGET {place.removeprefix('/api')}")
    for nth, attempt in enumerate(message["attempts"], 1):
        at = datetime.fromisoformat(attempt["at"])
        waited = f", {(at - before).total_seconds():.1f} s after the one before" if before else ""
        say(f"  try {nth}{waited}: {attempt['error']}")
        before = at
    say(f"  in the end: {message['status']}")


def tell_causes(program: Program, campaign: int, say: Say) -> Counter[str]:
    failed = program.get(f"/api/campaigns/{campaign}/failed-recipients?page_size=100")["recipients"]
    causes = Counter(each["category"] for each in failed)
    say(f"\nFailed: {len(failed)}, by cause:")
    for cause, count in causes.most_common():
        example = next(each["error"] for each in failed if each["category"] == cause)
        say(f"  {count:3} {cause}: {example}")
    return causes


def retry(program: Program, campaign: int, causes: Counter[str], say: Say) -> None:
    for cause in MAY_PASS & causes.keys():
        retried = program.must("POST", f"/api/campaigns/{campaign}/retry-failed", {"category": cause})["retried"]
        say(f'  POST /campaigns/{campaign}/retry-failed {{"category": "{cause}"}}: {retried} are tried again')


def tell_balance(program: Program, campaign: int, say: Say) -> None:
    stats = program.get(f"/api/campaigns/{campaign}")["stats"]
    parts = {name: stats[name] for name in ENDINGS}
    say("\nThe balance: " + " + ".join(f"{count} {name}" for name, count in parts.items()) + f" = {stats['total']}")
    if stats["pending"] or sum(parts.values()) != stats["total"]:
        raise Refused(f"The campaign is not done: {stats['pending']} are pending. Does a worker run?")
