import pytest

from accounts.models import Role
from tests.make import make_member, make_workspace


@pytest.fixture
def workspace(db):
    return make_workspace()


@pytest.fixture
def client(client, workspace):
    """An editor of the workspace, logged in."""
    client.force_login(make_member(workspace, Role.EDITOR))
    return client
