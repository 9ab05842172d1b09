"""Between two tests that commit nothing is left, not even what is still to come."""

import threading

import pytest
from django.db import OperationalError, connection, transaction
from django.test import TransactionTestCase

from accounts.models import Workspace
from tests.make import make_workspace
from tests.sweep import end_others, sweep

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_transaction_left_open_fails_its_test_and_leaves_nothing_for_the_next(monkeypatch):
    monkeypatch.setattr("tests.sweep.GRACE", 0)
    inserted, swept, refused = threading.Event(), threading.Event(), []

    def leave_open():
        try:
            with transaction.atomic():
                make_workspace("Late")
                inserted.set()
                swept.wait(10)
        except OperationalError as ended:
            refused.append(ended)
        finally:
            connection.close()

    late = threading.Thread(target=leave_open)
    late.start()
    assert inserted.wait(10)

    with pytest.raises(AssertionError, match="still open"):
        sweep(TransactionTestCase())
    swept.set()
    late.join()

    assert refused
    assert not Workspace.objects.exists()


def test_a_transaction_that_ends_in_a_moment_is_waited_for():
    inserted = threading.Event()

    def be_slow():
        with transaction.atomic():
            make_workspace("Slow")
            inserted.set()
            threading.Event().wait(0.2)
        connection.close()

    slow = threading.Thread(target=be_slow)
    slow.start()
    assert inserted.wait(10)

    assert end_others() == []
    assert Workspace.objects.filter(name="Slow").exists()
    slow.join()
