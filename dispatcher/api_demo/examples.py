"""Every request the source documents tell of, as it stands there, with what they say it answers."""

from dataclasses import dataclass
from typing import Any

SERVICE = "Campaign Dispatch Service"
OVERVIEW = "CampaignManager - System Overview"
MANAGER = "Campaign Manager"
REVIEW = "Send Campaigns Implementation"


@dataclass(frozen=True)
class Example:
    """One documented request: where it stands, and what it answers there.

    In `answer` a type stands for any value of its kind, and a list for rows that are all like its one row. `status` is
    that of a documented refusal. `makes` is the kind of row it creates, and the number by which later ones name it.
    """

    document: str
    line: int
    about: str
    text: str
    answer: Any
    status: int = 0
    makes: tuple[str, int] | None = None


STATS: dict[str, Any] = {"total": int, "pending": int, "sending": 0, "sent": int, "failed": int}
CAMPAIGN: dict[str, Any] = {
    "id": int,
    "name": str,
    "channel": str,
    "status": str,
    "base_template": str,
    "scheduled_at": object,
}
CAMPAIGN |= {"created_at": str, "stats": STATS}
CAMPAIGNS: dict[str, Any] = {
    "data": [CAMPAIGN],
    "pagination": {"page": 1, "page_size": 20, "total_count": int, "total_pages": int},
}
ALICE = {"id": int, "first_name": "Alice", "last_name": "Johnson", "location": "Nairobi"}
# The second preview of the document says "Shoes": the same customer cannot prefer both.
ALICE |= {"phone": "+254712345678", "preferred_product": "Premium Package", "prefered_product": "Premium Package"}
GROUP = {"id": int, "name": str, "description": str}
RECIPIENT = {"id": int, "email": str, "name": str, "opt_out": bool, "group_id": object}
PEOPLE = {"data": [RECIPIENT], "pagination": {"page": 1, "total_count": int}}


def refusal(code: str, message: object = str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


DISPATCH_SERVICE = [
    Example(SERVICE, 115, "Is it healthy?", "curl -s http://localhost:8080/health",
        {"status": str, "checks": {"database": {"status": "healthy"}, "queue": {"status": "healthy"}}}),
    Example(SERVICE, 197, "Write a campaign that starts in three minutes", """\
POST /campaigns
{
  "name": "Postman Scheduled Test",
  "channel": "sms",
  "base_template": "Hello {first_name}!",
  "scheduled_at": "{{scheduled_at}}"
}""",
        CAMPAIGN | {"name": "Postman Scheduled Test", "channel": "sms", "base_template": "Hello {first_name}!",
                    "status": "scheduled", "scheduled_at": str},
        makes=("campaign", 10)),
    Example(SERVICE, 209, "Add people to it; it stays scheduled", """\
curl -X POST http://localhost:8080/campaigns/10/send \\
  -H "Content-Type: application/json" \\
  -d '{
    "customer_ids": [1, 2, 3]
  }'""",
        {"campaign_id": int, "messages_queued": 3, "status": "scheduled"}),
    Example(SERVICE, 105, "Look at it, with its numbers", "GET /campaigns/10",
        CAMPAIGN | {"status": "scheduled", "stats": STATS | {"pending": 3}}),
    Example(SERVICE, 246, "See it as one customer reads it", """\
curl -X POST http://localhost:8080/campaigns/14/personalized-preview \\
  -H "Content-Type: application/json" \\
  -d '{"customer_id": 3}'""",
        {"rendered_message": "Hello Alice!", "used_template": "Hello {first_name}!", "customer": ALICE}),
    Example(SERVICE, 269, "See other words as one customer reads them", """\
curl -X POST http://localhost:8080/campaigns/14/personalized-preview \\
  -H "Content-Type: application/json" \\
  -d '{
    "customer_id": 3,
    "override_template": "Hi {first_name}, special offer just for you in {location}!"
  }'""",
        {"rendered_message": "Hi Alice, special offer just for you in Nairobi!",
         "used_template": "Hi {first_name}, special offer just for you in {location}!", "customer": ALICE}),
    Example(SERVICE, 298, "List campaigns, ten a page",
        'curl -s "http://localhost:8080/campaigns?page=1&page_size=10"',
        CAMPAIGNS | {"pagination": {"page": 1, "page_size": 10, "total_count": int, "total_pages": int}}),
    Example(SERVICE, 322, "List those of one channel", 'curl -s "http://localhost:8080/campaigns?channel=sms"',
        CAMPAIGNS | {"data": [CAMPAIGN | {"channel": "sms"}]}),
    Example(SERVICE, 346, "The second page of five",
        'curl -s "http://localhost:8080/campaigns?page=2&page_size=5"',
        CAMPAIGNS | {"pagination": {"page": 2, "page_size": 5, "total_count": int, "total_pages": int}}),
    Example(SERVICE, 111, "Add a customer", """\
POST /customers
{"phone": "{{phone}}", "first_name": "Alice", "last_name": "Mwangi", "location": "Nairobi",
 "preferred_product": "Running Shoes"}""",
        {"id": int, "phone": str, "first_name": "Alice", "last_name": "Mwangi", "location": "Nairobi",
         "preferred_product": "Running Shoes"},
        makes=("customer", 11)),
]  # fmt: skip

SYSTEM_OVERVIEW = [
    Example(OVERVIEW, 192, "Send a campaign to three customers", """\
POST /campaigns/1/send
{"customer_ids": [1, 2, 3]}""",
        {"campaign_id": int, "messages_queued": 3, "status": "sending"}),
    Example(OVERVIEW, 156, "The numbers of a campaign", "GET /campaigns/1",
        {"stats": STATS | {"total": 3}}),
    Example(OVERVIEW, 267, "Send it again: refused, nobody gets it twice", """\
POST /campaigns/1/send
{"customer_ids": [1, 2, 3]}""",
        refusal("CONFLICT"), status=409),
    Example(OVERVIEW, 256, "Send a campaign that does not exist", """\
POST /campaigns/999999999/send
{"customer_ids": [1, 2, 3]}""",
        refusal("CAMPAIGN_NOT_FOUND", "Campaign with ID 999999999 not found"), status=404),
    Example(OVERVIEW, 257, "Send to a customer who does not exist", """\
POST /campaigns/14/send
{"customer_ids": [1, 999999999]}""",
        refusal("CUSTOMER_NOT_FOUND", "Customer with ID 999999999 not found"), status=404),
    Example(OVERVIEW, 261, "Send with a body that is no JSON", "POST /campaigns/14/send\n{customer_ids: [1]",
        refusal("INVALID_REQUEST"), status=400),
    Example(OVERVIEW, 262, "Send without saying to whom", "POST /campaigns/14/send\n{}",
        refusal("EMPTY_CUSTOMER_IDS"), status=400),
    Example(OVERVIEW, 263, "Send to nobody", 'POST /campaigns/14/send\n{"customer_ids": []}',
        refusal("EMPTY_CUSTOMER_IDS"), status=400),
    Example(OVERVIEW, 519, "A page that is none is the first one", "GET /campaigns?page=0&page_size=-5", CAMPAIGNS),
    Example(OVERVIEW, 659, "A placeholder nobody has", """\
POST /campaigns
{"name": "Sale", "channel": "sms", "base_template": "Hi {frist_name}"}""",
        refusal("INVALID_TEMPLATE"), status=400),
]  # fmt: skip

CAMPAIGN_MANAGER = [
    Example(MANAGER, 118, "Write a campaign to two addresses", """\
curl -X POST "http://localhost:8000/campaigns/" \\
  -H "Content-Type: application/json" \\
  -d '{
    "title": "Welcome Campaign",
    "message": "Welcome to our platform!",
    "recipient_emails": ["user1@example.com", "user2@example.com"]
  }'""",
        CAMPAIGN | {"name": "Welcome Campaign", "base_template": "Welcome to our platform!", "channel": "email",
                    "recipients": {"processed": int, "skipped": int, "errors": list}},
        makes=("campaign", 11)),
    Example(MANAGER, 97, "Send it to them", 'POST /campaigns/send\n{"id": 11}',
        {"status": "queued", "campaign_id": int}),
    Example(MANAGER, 96, "List all campaigns", "GET /campaigns/", CAMPAIGNS),
    Example(MANAGER, 129, "Make a group", """\
curl -X POST "http://localhost:8000/groups/" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "VIP Customers",
    "description": "High-value customers"
  }'""",
        GROUP | {"name": "VIP Customers"}, makes=("group", 3)),
    Example(MANAGER, 101, "List groups", "GET /groups/", {"data": [GROUP], "pagination": {"page": 1}}),
    Example(MANAGER, 139, "Change a group", """\
curl -X PATCH "http://localhost:8000/groups/1" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "Updated VIP Customers",
    "description": "Updated description"
  }'""",
        GROUP | {"name": "Updated VIP Customers", "description": "Updated description"}),
    Example(MANAGER, 149, "Put people into a group", """\
curl -X PATCH "http://localhost:8000/groups/1/recipients" \\
  -H "Content-Type: application/json" \\
  -d '{
    "recipient_emails": ["user1@example.com", "user2@example.com"]
  }'""",
        [RECIPIENT]),
    Example(MANAGER, 104, "List who is in a group", "GET /groups/1/recipients", PEOPLE),
    Example(MANAGER, 107, "Add a recipient, or find one", 'POST /recipients/\n{"email": "user1@example.com"}',
        RECIPIENT | {"email": "user1@example.com"}),
    Example(MANAGER, 108, "List recipients", "GET /recipients/", PEOPLE),
    Example(MANAGER, 158, "Change a recipient", """\
curl -X PATCH "http://localhost:8000/recipients/1" \\
  -H "Content-Type: application/json" \\
  -d '{
    "name": "John Doe",
    "group_id": 1,
    "opt_out": false
  }'""",
        RECIPIENT | {"name": "John Doe", "group_id": int, "opt_out": False}),
    Example(MANAGER, 169, "Somebody wants no more messages", """\
curl -X POST "http://localhost:8000/recipients/opt-out" \\
  -H "Content-Type: application/json" \\
  -d '{
    "email": "user@example.com",
    "reason": "No longer interested"
  }'""",
        RECIPIENT | {"email": "user@example.com", "opt_out": True, "opt_out_reason": "No longer interested"}),
    Example(MANAGER, 110, "List who has not opted out", "GET /recipients/active",
        PEOPLE | {"data": [RECIPIENT | {"opt_out": False}]}),
    Example(MANAGER, 179, "Somebody wants messages again", """\
curl -X POST "http://localhost:8000/recipients/opt-in" \\
  -H "Content-Type: application/json" \\
  -d '{
    "email": "user@example.com"
  }'""",
        RECIPIENT | {"email": "user@example.com", "opt_out": False}),
    Example(MANAGER, 89, "Read the documentation of every call", "GET /docs", str),
]  # fmt: skip

SEND_REVIEW = [
    Example(REVIEW, 235, "See how many it would reach and what that costs", "GET /campaigns/2/preview",
        {"recipientCount": int, "estimatedCost": object, "availableCredits": object, "canSend": True,
         "insufficientCredits": False, "missingCredits": 0}),
    Example(REVIEW, 150, "Send a campaign to its saved audience", "POST /campaigns/2/enqueue",
        {"ok": True, "created": int, "campaignId": int}),
    Example(REVIEW, 225, "See how far it is", "GET /campaigns/2/progress",
        {"total": int, "sent": int, "failed": int, "pending": int, "processed": int, "progress": float | int}),
    Example(REVIEW, 205, "Whom it could not reach, and why", "GET /campaigns/2/failed-recipients",
        {"campaignId": int, "failedCount": int, "recipients": list}),
    Example(REVIEW, 239, "Try again what failed", "POST /campaigns/2/retry-failed", {"retried": int}),
    Example(REVIEW, 229, "Cancel a campaign", "POST /campaigns/10/cancel", CAMPAIGN | {"status": "cancelled"}),
    Example(REVIEW, 247, "What waits, and how fast it goes", "GET /queue/stats", {"counts": dict, "health": str}),
]  # fmt: skip

EXAMPLES = DISPATCH_SERVICE + SYSTEM_OVERVIEW + CAMPAIGN_MANAGER + SEND_REVIEW
