"""Looks at the ledger and at the provider's memory after every step of the state machine: what must never be."""

from collections import Counter
from collections.abc import Collection, Iterable

from campaigns.models import MOVES, Campaign, StatusChange
from dispatcher.models import Batch, Message
from tests.dispatcher.sending import wrong_with_the_books
from tests.dispatcher.stepping import Worker
from tests.dispatcher.world import World

S = Message.Status
Moves = Collection[tuple[S, S]]
BY_MACHINE = {(S.PENDING, end) for end in (S.SENT, S.FAILED, S.SKIPPED, S.CANCELLED, S.UNKNOWN)}
RETRY, SEND_AGAIN, ASSUME = (S.FAILED, S.PENDING), (S.UNKNOWN, S.PENDING), (S.UNKNOWN, S.SENT)
NOT_SENT = (S.FAILED, S.SKIPPED, S.CANCELLED)


class Overseer:
    """Remembers how things stood at the last look."""

    def __init__(self, campaigns: list[Campaign], world: World, window: int) -> None:
        self.campaigns, self.world, self.window = campaigns, world, window
        self.keys: dict[int, set[str]] = {}  # every key a message has had
        self.address: dict[str, str] = {}  # of each key
        self.sent_again: Counter[int] = Counter()
        self.doubted: set[int] = set()  # messages of which an answer was never heard, or their worker lost
        self.told = StatusChange.objects.latest("pk").pk  # the last line of the history
        self._read()

    def _read(self) -> None:
        ids = [campaign.pk for campaign in self.campaigns]
        self.rows = {row.pk: row for row in Message.objects.filter(campaign__in=ids).order_by("pk")}
        self.batches = {batch.pk: batch for batch in Batch.objects.filter(campaign__in=ids).order_by("pk")}
        self.status = dict(Campaign.objects.filter(pk__in=ids).values_list("pk", "status"))
        for row in self.rows.values():
            self.keys.setdefault(row.pk, set()).add(str(row.key))
            self.address[str(row.key)] = row.address or ""

    def doubt(self, batches: Iterable[Batch]) -> None:
        """Who owned these is lost: what they intended in this pass and did not tell may have arrived."""
        for batch in batches:
            self.doubted |= {
                row.pk
                for row in self.rows.values()
                if row.campaign_id == batch.campaign_id
                and batch.first <= row.number <= batch.handed_up_to
                and (row.status, row.tries) == (S.PENDING, batch.pass_no)
            }

    def look(self, workers: Iterable[Worker], moves: Moves = ()) -> None:
        """All that must hold, after a step in which only these moves were asked for by a person."""
        rows, batches, status = self.rows, self.batches, self.status
        self._read()
        self._moves_are_legal(rows, {*BY_MACHINE, *moves})
        self._history_is_legal(status)
        self._nothing_is_intended_but_while_sending(batches, status)
        self._ledger_agrees_with_the_provider()
        for worker in workers:
            assert worker.hands.in_flight <= self.window, f"{worker.name} has {worker.hands.in_flight} in flight"
        for campaign in self.campaigns:
            assert wrong_with_the_books(campaign) == []
            is_over = campaign.status in (Campaign.Status.SENT, Campaign.Status.FAILED)
            assert not is_over or campaign.finished_at

    def _moves_are_legal(self, before: dict[int, Message], legal: Moves) -> None:
        for row in self.rows.values():
            was = S(before[row.pk].status) if row.pk in before else S(row.status)
            now = S(row.status)
            assert was == now or (was, now) in legal, f"{row} went from {was.label} to {now.label}"
            assert row.pk not in before or row.key == before[row.pk].key or now == S.PENDING
            self.sent_again[row.pk] += (was, now) == SEND_AGAIN

    def _history_is_legal(self, status: dict[int, int]) -> None:
        at = dict(status)
        for line in StatusChange.objects.filter(campaign__in=self.campaigns, pk__gt=self.told).order_by("pk"):
            self.told = line.pk
            old, new = line.from_status, line.to_status
            assert old == at[line.campaign_id], f"{line} did not begin at {at[line.campaign_id]}"
            assert old == new or Campaign.Status(new) in MOVES[Campaign.Status(old)], f"{line}: illegal from {old}"
            at[line.campaign_id] = new
        assert at == self.status

    def _nothing_is_intended_but_while_sending(self, before: dict[int, Batch], status: dict[int, int]) -> None:
        for pk, batch in self.batches.items():
            if pk in before and status[batch.campaign_id] != Campaign.Status.SENDING:
                was, now = before[pk].handed_up_to, batch.handed_up_to
                assert now <= was, f"{batch} was handed up from {was} to {now} while not sending"

    def _ledger_agrees_with_the_provider(self) -> None:
        taken = self.world.taken
        assert taken.keys() <= self.address.keys()
        for row in self.rows.values():
            accepted = sum(taken[key] for key in self.keys[row.pk])
            word = S(row.status).label
            assert accepted <= 1 + self.sent_again[row.pk], f"{row} was accepted {accepted} times"
            if row.status == S.SENT and not row.assumed:
                assert taken[str(row.key)], f"{row} is called sent, but was not accepted"
            if row.status in NOT_SENT:
                assert not accepted, f"{row} is called {word}, but was accepted"
            if row.status == S.UNKNOWN:
                assert row.pk in self.doubted, f"{row} is called unknown without need"
