"""Which refusals an operation of the API may answer, as its description declares them.

Most follow from the method and the path of an operation. What only some can answer stands in `ALSO`; a test that is
answered with a code nobody declared fails and names the place.
"""

import re
from collections.abc import Collection
from http import HTTPStatus

Codes = dict[int, list[str]]

SENTENCES = {
    400: "The request is not valid; `details` names the fields.",
    401: "No key, or one that is wrong, revoked or expired.",
    402: "The credits do not suffice.",
    403: "The role of the key does not allow it.",
    404: "It is not in the workspace of the key.",
    409: "As things stand it is not possible, or a first request with the same Idempotency-Key is still running.",
    413: "The body is larger than allowed.",
    422: "The Idempotency-Key came with another request before.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "Our fault; the message names the number under which it was written down.",
    503: "Something it needs does not answer; nothing was changed.",
}

EVERYWHERE: dict[int, list[str]] = {
    401: ["UNAUTHENTICATED"],
    403: ["FORBIDDEN"],
    409: ["CONFLICT"],
    413: ["BODY_TOO_LARGE"],
    422: ["IDEMPOTENCY_KEY_REUSED"],
    429: ["RATE_LIMITED"],
    500: ["INTERNAL"],
    503: ["UNAVAILABLE"],
}
# Nobody looks at the body of a GET, without a change nothing is in conflict, and only a POST takes a key for once.
NOT_OF = {"get": {409, 413, 422}, "delete": {422}, "patch": {422}, "put": {422}, "post": set()}
LAUNCH = {
    400: ["INVALID_TEMPLATE", "WHATSAPP_TEMPLATE", "SEGMENT_BROKEN", "NO_RECIPIENTS", "UNFITTING_VALUES"],
    409: ["IMPORT_RUNNING", "ADDRESSES_LINKING"],
    503: ["SENDER_NOT_CONFIGURED", "QUEUE_FULL"],
}
LATER = LAUNCH | {409: [], 503: ["SENDER_NOT_CONFIGURED"]}  # the rest is over by then
ASKED_PEOPLE = {404: ["GROUP_NOT_FOUND", "SEGMENT_NOT_FOUND"], 409: ["CONFLICT"]}
ALSO: dict[str, Codes] = {
    "send_campaign": LAUNCH | {400: [*LAUNCH[400], "EMPTY_CUSTOMER_IDS"]},
    "send_saved_campaign": LAUNCH | {404: ["CAMPAIGN_NOT_FOUND"]},
    "enqueue_campaign": LAUNCH,
    "retry_failed_messages": {503: ["QUEUE_FULL"]},
    "schedule_campaign": LATER,
    "send_again": {503: ["QUEUE_FULL"]},
    "choose_winner": {404: ["VARIANT_NOT_FOUND"]},
    "repeat_campaign": LATER | {409: ["ADDRESSES_LINKING"]},  # whose people the series takes over
    "change_rule": {404: ["CAMPAIGN_NOT_FOUND"]},
    "skip_next": {404: ["CAMPAIGN_NOT_FOUND"]},
    "end_series": {404: ["CAMPAIGN_NOT_FOUND"]},
    "begin_dry_run": {400: ["INVALID_TEMPLATE"]},
    "show_dry_run": {404: ["DRY_RUN_NOT_FOUND"]},
    "send_test": {400: ["INVALID_TEMPLATE"], 404: ["VARIANT_NOT_FOUND"]},
    "show_message": {400: ["INVALID_NUMBER"], 404: ["MESSAGE_NOT_FOUND"], 409: ["CONFLICT"]},
    "list_letters_of": {404: ["DEAD_LETTERS_NOT_FOUND"]},
    "retry_dead_letters": {404: ["DEAD_LETTERS_NOT_FOUND", "CAMPAIGN_NOT_FOUND"], 503: ["QUEUE_FULL"]},
    "dismiss_dead_letters": {404: ["DEAD_LETTERS_NOT_FOUND"]},
    "save_text": {400: ["INVALID_TEMPLATE"], 409: ["DUPLICATE"]},
    "write_campaign": {400: ["INVALID_TEMPLATE"]},
    "change_campaign": {400: ["INVALID_TEMPLATE"], 409: ["ADDRESSES_LINKING"]},
    "duplicate_campaign": {409: ["ADDRESSES_LINKING"]},
    "preview_for_customer": {400: ["INVALID_TEMPLATE", "MISSING_CUSTOMER_ID"]},
    "change_wording": {400: ["INVALID_TEMPLATE"], 404: ["VARIANT_NOT_FOUND"]},
    "remove_wording": {404: ["VARIANT_NOT_FOUND", "WORDING_NOT_FOUND"]},
    "write_template": {400: ["INVALID_TEMPLATE"], 409: ["DUPLICATE"]},
    "change_template": {400: ["INVALID_TEMPLATE"], 409: ["DUPLICATE"]},
    "change_customer": {409: ["DUPLICATE"]},
    "change_group": {409: ["DUPLICATE"]},
    "save_segment": {409: ["DUPLICATE"]},
    "change_segment": {409: ["DUPLICATE"]},
    "list_customers": ASKED_PEOPLE,
    "list_recipients": ASKED_PEOPLE,
    "list_active_recipients": ASKED_PEOPLE,
    "export_customers": {404: ["GROUP_NOT_FOUND"]},
    "count_segment": {409: ["CONFLICT"]},
    "restore_version": {404: ["VERSION_NOT_FOUND"]},
    "change_personaliser": {404: ["PERSONALISER_NOT_FOUND"]},
    "bring_list": {404: ["GROUP_NOT_FOUND"]},
    "send_part": {400: ["INVALID_NUMBER"]},
    "write_whatsapp_template": {409: ["DUPLICATE"]},
    "change_whatsapp_template": {409: ["DUPLICATE"]},
    "add_customer": {404: ["RECIPIENT_NOT_FOUND"], 409: ["DUPLICATE"]},
    "add_or_find_recipient": {404: ["RECIPIENT_NOT_FOUND"]},
    "opt_out_recipient": {404: ["RECIPIENT_NOT_FOUND"]},
    "opt_in_recipient": {404: ["RECIPIENT_NOT_FOUND"]},
}


def refusals_of(operation_id: str, method: str, path: str, named: Collection[str] = ()) -> dict[int, list[str]]:
    """The codes by status; `named` are the fields of the body, of which those in `_id` and `_ids` name rows."""
    rows = [name for name in re.findall(r"{(\w+)}", path) if name.endswith("_id")]
    # Whoever is left out is looked up, and missed, like whoever is chosen.
    told = [name.removeprefix("exclude_") for name in named]
    rows_named = rows + [re.sub("_ids?$", "", name) + "_id" for name in told if re.search("._ids?$", name)]
    codes = EVERYWHERE | {
        400: ["INVALID_REQUEST", "VALIDATION_ERROR", *(f"INVALID_{name.upper()}" for name in rows)],
        404: [f"{name.removesuffix('_id').upper()}_NOT_FOUND" for name in rows_named],
    }
    also = ALSO.get(operation_id, {})
    possible = codes.keys() - NOT_OF[method] | also.keys()
    both = {status: [*codes.get(status, []), *also.get(status, [])] for status in sorted(possible)}
    return {status: list(dict.fromkeys(found)) for status, found in both.items() if found}


def sentence_of(status: int) -> str:
    return SENTENCES.get(status) or HTTPStatus(status).phrase
