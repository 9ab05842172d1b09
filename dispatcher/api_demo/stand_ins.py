"""Rows that stand for those the documents name by number, so that nothing else of a workspace is touched."""

import secrets
from typing import Any

from dispatcher.api_demo.program import Program
from dispatcher.api_demo.requests import Numbers, Request

# The demo has them under these addresses; elsewhere they are added.
CUSTOMERS = {
    1: {"first_name": "Grace", "last_name": "Wanjiku", "phone": "+254722000101"},
    2: {"first_name": "Brian", "last_name": "Otieno", "phone": "+254722000102"},
    3: {"first_name": "Alice", "last_name": "Johnson", "phone": "+254712345678"},
}
MORE = {"location": "Nairobi", "preferred_product": "Premium Package"}
SMS = {"channel": "sms"}


def make_stand_ins(program: Program) -> tuple[Numbers, list[str]]:
    """The numbers by which the documents' rows go here, and the addresses of those to be taken away again.

    Raises Refused.
    """
    mark = f"API demo {secrets.token_hex(3)}"
    numbers: Numbers = {("customer", number): customer(program, number) for number in CUSTOMERS}
    numbers["recipient", 1] = found_or_added(program, "recipient1@example.com")["id"]
    group = program.must("POST", "/api/groups/", {"name": mark, "description": "Three customers of the documents."})
    members = {"recipient_emails": [email_of(number) for number in CUSTOMERS]}
    program.must("PATCH", f"/api/groups/{group['id']}/recipients", members)
    drafts: dict[int, dict[str, Any]] = {
        1: {"base_template": "Hi {first_name}, check {preferred_product}!"},
        2: {"base_template": "Hi {first_name|there}!", "group_ids": [group["id"]]},
        14: {"base_template": "Hello {first_name}!"},
    }
    made = []
    for number, fields in drafts.items():
        draft = program.must("POST", "/api/campaigns", {"name": f"{mark}, campaign {number}", **SMS, **fields})
        numbers["campaign", number] = draft["id"]
        made.append(f"/api/campaigns/{draft['id']}")
    numbers["group", 1] = group["id"]
    return numbers, [*made, f"/api/groups/{group['id']}"]


def customer(program: Program, number: int) -> int:
    person = found_or_added(program, email_of(number))
    if not person["first_name"]:
        program.must("PATCH", f"/api/customers/{person['id']}", CUSTOMERS[number] | MORE)
    return person["id"]


def found_or_added(program: Program, email: str) -> dict:
    return program.must("POST", "/api/recipients/", {"email": email})


def email_of(number: int) -> str:
    return f"customer{number}@example.com"


def take_away(program: Program, places: list[str]) -> list[str]:
    """Delete what was made, the last first; answers what stays, such as a campaign that was sent."""
    return [place for place in reversed(places) if not is_taken_away(program, place)]


def is_taken_away(program: Program, place: str) -> bool:
    if "/campaigns/" in place and program.get(place)["status"] not in ("draft", "scheduled", "cancelled"):
        return False
    return program.ask(Request("DELETE", place)).is_good
