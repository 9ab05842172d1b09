"""Many people at work in one workspace: the one chain of its audit log makes nobody wait for good."""

import threading
import time

import pytest
from django.db import close_old_connections, connection, transaction

from accounts import audit_log
from accounts.api_keys import make_key
from accounts.models import AuditEntry, AuditLink, Role
from campaigns.authoring import create_campaign, update_campaign
from dispatcher import operations
from people.groups import add_group, change_group, delete_group
from people.recipients import add_recipient, change_recipient
from tests.dispatcher.outcomes import launched
from tests.make import make_campaign, make_member, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 20
ROUNDS = 3
DONE_IN_A_ROUND = 10  # entries


def test_twenty_people_at_work_in_one_workspace_never_lock_each_other_out():
    workspace = make_workspace()
    make_campaign(workspace, people=3)
    everyone = [(make_member(workspace), launched(make_campaign(workspace))) for _ in range(PEOPLE)]
    shared = add_group(workspace, by=None, name="Shared")
    written = create_campaign(workspace, by=None, name="Shared", body="Hello", subject="Hi", groups=[shared.pk])
    entries = AuditEntry.objects.count()
    barrier, faults, slowest = threading.Barrier(PEOPLE), [], []

    def work(n, ann, campaign):
        try:
            barrier.wait(30)
            for step in range(ROUNDS):
                began = time.monotonic()
                operations.pause(campaign, by=ann)
                operations.resume(campaign, by=ann)
                update_campaign(written, by=ann, body=f"{n} {step}", groups=[shared.pk])
                person = add_recipient(workspace, by=ann, email=f"p{n}-{step}@example.com", groups=[shared.pk])
                change_recipient(person, by=ann, first_name="Ann", attributes={f"a_{'bcdefghij'[step]}": "x"})
                group = add_group(workspace, by=ann, name=f"Group {n} {step}")
                change_group(group, by=ann, name=f"Other {n} {step}", description="")
                delete_group(group, by=ann)
                make_key(workspace, name=f"{n} {step}", role=Role.VIEWER, by=ann)
                with transaction.atomic():  # what no operation does: written first, and then work that needs locks
                    audit_log.record(workspace, "try", campaign, by=ann)
                    make_campaign(workspace).groups.add(shared)
                slowest.append(time.monotonic() - began)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n, *one)) for n, one in enumerate(everyone)]
    began = time.monotonic()
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    close_old_connections()

    print(f"{PEOPLE * ROUNDS * DONE_IN_A_ROUND} operations in {time.monotonic() - began:.1f} s; ", end="")
    print(f"the slowest ten took {max(slowest, default=0):.1f} s")
    assert faults == []
    names = AuditEntry.objects.filter(verb="add_attributes").count()
    assert names == ROUNDS
    assert AuditEntry.objects.count() - entries == PEOPLE * ROUNDS * DONE_IN_A_ROUND + names
    numbers = AuditLink.objects.filter(workspace=workspace.pk).order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert list(audit_log.broken_links()) == []
