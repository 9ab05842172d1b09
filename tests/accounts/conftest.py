"""What the tests of accounts have in common."""

import pytest


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Nobody attacks these; a test that is about the time it takes says so itself."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
