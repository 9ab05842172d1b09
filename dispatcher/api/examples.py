"""Examples of what programs send and get, put together from the rows of the demo: campaign 2, customer 3, group 1.

A field that stands in a new shape needs a value in `VALUES`, or in `SHAPES` where the word means something else there;
the body of a new operation needs one in `BODIES`, under the name of its shape or the id of the operation.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from dispatcher.api import campaign_examples, people_examples

Json = dict[str, Any]

TEXT = "Hello {first_name}! Welcome to Acme Kenya."
READ = "Hello Alice! Welcome to Acme Kenya."
AHEAD = date.today().year + 1  # ahead, and within the two years in which a campaign can be scheduled
EARLY, LATE = "2026-12-04T10:34:00Z", "2026-12-04T10:35:12Z"

VALUES: Json = {
    "active_only": True,
    "address": "alice.johnson@example.com",
    "archived": False,
    "at": LATE,
    "attributes": {"plan": "gold"},
    "availableCredits": None,
    "base_template": TEXT,
    "better": None,
    "brief": "",
    "by": "Ann Mwende",
    "campaignId": 2,
    "campaign_id": 2,
    "campaigns_today": 1,
    "cancelled": 0,
    "category": "timeout",
    "channel": "sms",
    "code": "CAMPAIGN_NOT_FOUND",
    "created": 10,
    "created_at": EARLY,
    "currency": "KES",
    "cursor": "",
    "customer_id": 3,
    "delivery": "delivered",
    "description": "Ten people by name.",
    "due": 0,
    "email": "customer3@example.com",
    "email_suppressed": False,
    "error": "The provider did not answer in time.",
    "estimatedCost": 8.0,
    "eta": None,
    "failed": 1,
    "failedAt": LATE,
    "failedCount": 1,
    "failed_today": 1,
    "failure_rate": 10.0,
    "first_name": "Alice",
    "format": "text",
    "from_status": "preparing",
    "generated_words": False,
    "group_id": 1,
    "group_ids": [1],
    "high": 0.97,
    "id": 3,
    "in_flight": 0,
    "include_opted_out": False,
    "language": "el",
    "last_error": "",
    "last_hour": 10,
    "last_name": "Johnson",
    "location": "Nairobi",
    "low": 0.6,
    "meaning": "stop",
    "measure": "accepted",
    "messages_queued": 10,
    "missingCredits": 0,
    "name": "Customers",
    "next_cursor": "31",
    "number": 3,
    "ok": True,
    "oldest_seconds": None,
    "opt_out_reason": "",
    "page": 1,
    "page_size": 20,
    "pending": 0,
    "people": 10,
    "phone": "+254712345678",
    "phone_suppressed": False,
    "prefered_product": "Premium Package",
    "preferred_product": "Premium Package",
    "preheader": "",
    "processed": 10,
    "progress": 100.0,
    "provider_message_id": "sim-000000000003",
    "public_description": "What is new in our shops.",
    "public_name": "Newsletter",
    "q": "welcome",
    "rate_per_minute": 10,
    "rate_per_second": 0.0,
    "reason": "Sent by a marketer",
    "received_at": LATE,
    "recipientCount": 10,
    "recipient_id": 3,
    "refused_channels": [],
    "rendered_content": READ,
    "rendered_message": READ,
    "retried": 1,
    "retry_count": 0,
    "scheduled_at": None,
    "sending": 0,
    "sent": 9,
    "sent_at": LATE,
    "sent_today": 9,
    "share": 0.9,
    "since": "2026-12-03T21:00:00Z",
    "skip_reason": None,
    "skipped": 0,
    "subject": "",
    "template_id": 1,
    "total": 10,
    "total_count": 1,
    "total_pages": 1,
    "unknown": 0,
    "updated_at": LATE,
    "used_template": TEXT,
    "variant": "A",
    "verdict": "Too few answers yet to say which is better.",
    "version": 1,
    "waiting": 0,
    "weight": 50,
    "why": "Sent. Nothing is left to hand over.",
    "winner": None,
    "workers": 2,
    "written_at": EARLY,
}
REASONS = dict.fromkeys(
    ("opted_out", "suppressed", "duplicate_address", "no_address", "invalid_address", "erased", "expired"), 0
)
DRAFT = {"total": 10, "pending": 10, "sent": 0, "failed": 0}
SHAPES: dict[str, Json] = {
    "CampaignOut": {"id": 2, "name": "Welcome Campaign", "status": "draft", "stats": DRAFT | {"sending": 0}},
    "ChangeOut": {"to_status": "sending"},
    "ForecastOut": {"canSend": True, "skipped": REASONS},
    "GroupOut": {"id": 1},
    "MessageOut": {"id": 31, "category": None, "status": "sent", "variant": ""},
    "ProgressOut": {"status": "sent"},
    "QueueOut": {"health": "healthy"},
    "QueuedOut": {"status": "queued"},
    "RecipientOut": {"name": "Alice Johnson"},
    "SentOut": {"status": "sending", "skipped": REASONS},
    "TemplateOut": {"id": 1, "name": "Welcome"},
    "VariantsOut": {"measure": "accepted"},
    "WordingOut": {"language": "el", "base_template": "Γεια σου {first_name}!"},
}
BODIES: dict[str, Json] = {
    "CampaignIn": {"name": "Welcome Campaign", "channel": "sms", "base_template": TEXT, "group_ids": [1]},
    "CampaignChange": {"base_template": "Hello {first_name|there}! Welcome to Acme Kenya."},
    "ComplaintIn": {"channel": "email", "address": "customer3@example.com", "id": "fbl-81"},
    "CustomerChange": {"location": "Nairobi", "preferred_product": "Premium Package"},
    "CustomerIn": {"phone": "+254733000111", "first_name": "Wambui", "location": "Nakuru"},
    "GroupChange": {"description": "Whoever bought something this year."},
    "GroupIn": {"name": "VIP", "description": "Our best customers."},
    "MembersIn": {"recipient_emails": ["customer3@example.com", "new@example.com"]},
    "NamedIn": {"id": 2},
    "PreviewIn": {"customer_id": 3},
    "RecipientChange": {"name": "Alice Johnson", "group_id": 1},
    "RecipientIn": {"email": "wambui@example.com", "name": "Wambui Kariuki", "group_id": 1},
    "ReplyIn": {"channel": "sms", "from": "+254712345678", "text": "STOP", "id": "mo-17"},
    "RetryIn": {"category": "timeout"},
    "SendIn": {"customer_ids": [3]},
    "TemplateChange": {"base_template": "Hello {first_name|there}, welcome!"},
    "TemplateIn": {"name": "Welcome back", "channel": "sms", "base_template": "Welcome back, {first_name}!"},
    "TimeIn": {"scheduled_at": f"{AHEAD}-12-04T13:34:00+03:00"},
    "WinnerIn": {"variant": "B"},
    "WishIn": {"email": "customer3@example.com", "reason": "Asked at the counter"},
    "WordingIn": {"language": "el", "base_template": "Γεια σου {first_name}!"},
}
VALUES = people_examples.VALUES | campaign_examples.VALUES | VALUES
SHAPES |= campaign_examples.SHAPES | people_examples.SHAPES
BODIES |= campaign_examples.BODIES | people_examples.BODIES
# What is asked for in a path or a query, where a program would write something else than it reads.
ASKED: Json = {"page": "1", "page_size": "20", "status": "", "channel": "", "category": "", "cursor": None}
ASKED |= {"series_id": 2, "whatsapp_template_id": 1, "reason": "opted_out"}


class NoExample(LookupError):
    """A field has no example yet; the text says where to put one."""


def example_of(schema: Mapping[str, Any], shapes: Mapping[str, Any], where: str = "") -> Any:
    """What an answer of this schema may look like; `shapes` are all schemas by their names. Raises NoExample."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _object(shapes[name], shapes, name)
    if "properties" in schema:
        return _object(schema, shapes, where)
    for choice in schema.get("anyOf", []) + schema.get("allOf", []):
        if choice.get("type") != "null":
            return example_of(choice, shapes, where)
    if schema.get("type") == "array":
        return [example_of(schema["items"], shapes, where)]
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "boolean":
        return False
    if schema.get("type") == "object":
        return {}
    raise NoExample(f"{where} has no example: add one to VALUES or SHAPES in dispatcher/api/examples.py")


def _object(schema: Mapping[str, Any], shapes: Mapping[str, Any], name: str) -> Json:
    own = SHAPES.get(name, {})
    return {
        field: _value(field, inner, own, shapes, f"{name}.{field}")
        for field, inner in schema.get("properties", {}).items()
    }


def _value(field: str, schema: Mapping[str, Any], own: Json, shapes: Mapping[str, Any], where: str) -> Any:
    whole = own.get(field, VALUES.get(field, NoExample))
    if whole is NoExample or _is_made_of_shapes(schema):
        made = example_of(schema, shapes, where)
        return made | own[field] if field in own and isinstance(made, dict) else made
    return whole


def _is_made_of_shapes(schema: Mapping[str, Any]) -> bool:
    inner = schema.get("items", schema)
    return "$ref" in inner or any("$ref" in choice for choice in inner.get("anyOf", []))


def asked_example(name: str) -> Any:
    """What stands in a path or a query for this name; None where nothing need."""
    return ASKED[name] if name in ASKED else VALUES.get(name)
