"""How tests ask the suppression list itself, whoever has the address."""

from accounts.models import Workspace
from people.suppression import digest_of


def is_suppressed(workspace: Workspace, address: str) -> bool:
    return workspace.suppressions.filter(digest=digest_of(address)).exists()
