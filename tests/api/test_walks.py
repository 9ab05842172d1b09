"""Lists walked by cursor: each row once, the newest first, while others are being added."""

from collections.abc import Callable

import pytest

from accounts.models import Role, Workspace
from people.models import Group, Recipient
from tests.api.calls import Program
from tests.campaigns.test_library import make_template
from tests.make import make_campaign, make_group, make_recipient, make_workspace

pytestmark = pytest.mark.django_db


def make_member_of(workspace: Workspace) -> Recipient:
    group = Group.objects.filter(workspace=workspace).first() or make_group(workspace)
    person = make_recipient(workspace)
    group.recipients.add(person)
    return person


LISTS: dict[str, Callable] = {
    "recipients": make_recipient,
    "recipients/active": make_recipient,
    "groups": make_group,
    "groups/{group}/recipients": make_member_of,
    "templates": lambda workspace: make_template(workspace, name=f"Template {workspace.templates.count()}"),
    "campaigns": make_campaign,
}


@pytest.mark.parametrize("path", LISTS)
def test_a_walk_meets_every_row_once_while_others_are_added(path):
    program = Program(make_workspace(), Role.VIEWER)
    rows = [LISTS[path](program.workspace) for _ in range(5)]
    group = program.workspace.groups.first()
    path_here = f"/api/{path.format(group=group and group.pk)}"
    met, cursor = [], ""

    while cursor is not None:
        answer = program.get(path_here, cursor=cursor, page_size=2).json()
        met += [row["id"] for row in answer["data"]]
        cursor = answer["pagination"]["next_cursor"]
        LISTS[path](program.workspace)

    assert met == [row.pk for row in reversed(rows)]
