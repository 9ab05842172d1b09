"""A machine that knows nothing but the OpenAPI document tries every operation with whatever it can think of.

bin/test tests/api/test_machine.py --hypothesis-profile long tries thousands of requests more, new ones each time.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, settings
from schemathesis import Case, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.api.furnished import furnish

pytestmark = pytest.mark.django_db

IS_LONG = settings.get_current_profile_name() == "long"
CASES = 20 if IS_LONG else 1
ALIKE = settings(derandomize=not IS_LONG, database=None)  # the same requests at every run of all tests
LEAST = 5_000 if IS_LONG else 150  # requests in all

CONFIG = SchemathesisConfig.from_dict(
    {
        "analysis": {"constants": {"enabled": False}},
        "phases": {
            "coverage": {"enabled": IS_LONG},
            "examples": {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409, 422]}}},
        },
        "operations": [
            {
                "include-method": ["GET", "DELETE"],
                "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", 404, 409]}},
            },
        ],
        "checks": {
            # Not every rule for what people write can be said in a schema: a text may ask for a field nobody has,
            # an address may be none. Such a request is refused with a sentence that names the field.
            # 422: it also invents an Idempotency-Key that it has used before. 404: and numbers that nobody has.
            "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 404, 409, 422]},
        },
    }
)
schema = schemathesis.openapi.from_wsgi("/api/openapi.json", get_wsgi_application(), config=CONFIG)


@pytest.fixture
def key(settings) -> Iterator[str]:
    # It asks more often than any program may; tests/api/test_limits.py is about that.
    for limit in ("API_REQUESTS_PER_MINUTE", "API_WRONG_KEYS_PER_MINUTE", "API_SENDS_PER_MINUTE"):
        setattr(settings, limit, 0)
    # At the end of a request a server closes a connection in a transaction, and the test has one open for all of them.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield furnish().secret
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


# Its bytes are no example anybody could read, random ones are no picture, and the null of a form is the word "null".
NOT_OF_A_PICTURE = [positive_data_acceptance, negative_data_rejection]
asked = Counter[str]()


@schema.parametrize()
@settings(ALIKE, max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_a_machine_sends_is_answered_otherwise_than_declared(case: Case, key: str):
    without = NOT_OF_A_PICTURE if case.operation.label == "POST /images" else []
    answer = case.call_and_validate(headers=headers_of(case, key), excluded_checks=without)

    asked[str(answer.status_code)] += 1


def headers_of(case: Case, key: str) -> dict[str, str]:
    """With the key, unless that it is left away is the very thing to be tried."""
    told = (case.meta and case.meta.phase.data.description) or ""
    return {} if "Authorization" in told else {"Authorization": f"Bearer {key}"}


class Course(schema.as_state_machine()):
    """Goes from one operation to the next with what the one before answered: makes, looks, deletes, looks again."""

    key: ClassVar[str]

    def setup(self) -> None:
        self.scene = transaction.atomic()  # every course begins where the first one did
        self.scene.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.scene.__exit__(None, None, None)

    def get_call_kwargs(self, case: Case) -> dict[str, Any]:
        return {"headers": headers_of(case, self.key)}

    def validate_response(self, response: Response, case: Case, **more: Any) -> None:
        asked[str(response.status_code)] += 1
        # Told of the headers, it also tries without them and with wrong ones.
        case.validate_response(response, headers=headers_of(case, self.key), recorder=self.recorder)


def test_what_is_made_is_there_and_what_is_deleted_is_gone(key: str):
    Course.key = key

    alike = settings(Course.TestCase.settings, derandomize=ALIKE.derandomize, database=None)
    Course.run(settings=settings(alike, max_examples=CASES, stateful_step_count=6))


def test_enough_was_tried(capsys):
    with capsys.disabled():
        print(f"\n{asked.total():,} requests, answered: {dict(sorted(asked.items()))}")
    assert asked.total() >= LEAST
    assert asked["404"] <= asked.total() / 5  # else most of it asked for what is not there
    assert not [status for status in asked if status.startswith("5")]
