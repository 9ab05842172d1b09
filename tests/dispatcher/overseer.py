"""Looks at the ledger and at the provider's memory after every step of the state machine: what must never be."""

from collections import Counter
from collections.abc import Collection, Iterable
from types import SimpleNamespace

from django.db import connection

from campaigns.models import MOVES, Campaign, StatusChange
from dispatcher.models import Message
from tests.dispatcher.sending import wrong_with_the_books
from tests.dispatcher.stepping import Worker
from tests.dispatcher.world import World

S = Message.Status
Move = tuple[S, S]
BY_MACHINE = {(S.PENDING, end) for end in (S.SENT, S.FAILED, S.SKIPPED, S.CANCELLED, S.UNKNOWN)}
RETRY, SEND_AGAIN, ASSUME = (S.FAILED, S.PENDING), (S.UNKNOWN, S.PENDING), (S.UNKNOWN, S.SENT)
QUESTIONS = (
    "SELECT * FROM dispatcher_message WHERE campaign_id = ANY(%s) ORDER BY id",
    "SELECT * FROM dispatcher_batch WHERE campaign_id = ANY(%s) ORDER BY id",
    "SELECT * FROM campaigns_campaign WHERE id = ANY(%s) ORDER BY id",
)
NOT_SENT = (S.FAILED, S.SKIPPED, S.CANCELLED)


class Overseer:
    """Remembers how things stood at the last look."""

    def __init__(self, campaigns: list[Campaign], world: World, window: int) -> None:
        self.world, self.window = world, window
        self.campaigns = {campaign.pk: campaign for campaign in campaigns}
        self.keys: dict[int, set[str]] = {}  # every key a message has had
        self.person: dict[int, int] = {}  # to whom a message goes, also once it is erased
        self.sent_again: Counter[int] = Counter()
        self.doubted: set[int] = set()  # messages of which an answer was never heard, or their worker lost
        self.heard: Counter[int] = Counter()  # what can have become of tries: answers, and workers found lost
        self.settled: Counter[int] = Counter()  # tries that were written down
        self.told = StatusChange.objects.latest("pk").pk  # the last line of the history
        self.written = ""  # how far the database's own log of changes goes
        self._read()

    def _read(self) -> bool:
        """Read everything; False where nothing was written to the database since the last time."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_wal_insert_lsn()")
            before, (self.written,) = self.written, cursor.fetchone()
            if before == self.written:
                return False
            self.rows, self.batches, self.standing = (self._rows_of(cursor, question) for question in QUESTIONS)
        for row in self.rows.values():
            self.keys.setdefault(row.id, set()).add(str(row.key))
            self.person.setdefault(row.id, row.recipient_id)
        return True

    def _rows_of(self, cursor, question: str) -> dict:
        cursor.execute(question, [list(self.campaigns)])
        columns = [column.name for column in cursor.description]
        return {row[0]: SimpleNamespace(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()}

    def held(self) -> list:
        """The batches that somebody owns, or did when he was lost."""
        return [batch for batch in self.batches.values() if batch.owner and batch.due_at]

    def is_troubled(self) -> bool:
        """Whether there is anything to think again about."""
        return any(row.status in (S.FAILED, S.UNKNOWN) for row in self.rows.values())

    def doubt(self, batches: Iterable) -> None:
        """Who owned these is lost: what they intended in this pass and did not tell may have arrived."""
        for batch in batches:
            suspects = {
                row.id
                for row in self.rows.values()
                if row.campaign_id == batch.campaign_id
                and batch.first <= row.number <= batch.handed_up_to
                and (row.status, row.tries) == (S.PENDING, batch.pass_no)
            }
            self.doubted |= suspects
            self.heard.update(suspects)

    def look(self, workers: Iterable[Worker], moves: Collection[Move] = ()) -> None:
        """All that must hold, after a step in which only these moves were asked for by a person."""
        before = self.rows, self.batches, self.standing
        if self._read() and before != (self.rows, self.batches, self.standing):
            self._moves_are_legal(before[0], {*BY_MACHINE, *moves})
            self._history_is_legal(before[2])
            self._nothing_is_intended_but_while_sending(*before[1:])
            self._books_balance()
        self._ledger_agrees_with_the_provider()
        for worker in workers:
            assert worker.hands.in_flight <= self.window, f"{worker.name} has {worker.hands.in_flight} in flight"

    def _moves_are_legal(self, before: dict, legal: Collection[Move]) -> None:
        for pk, row in self.rows.items():
            old = before.get(pk, row)
            move = S(old.status), S(row.status)
            assert move[0] == move[1] or move in legal, f"message {row.number} went {move}"
            assert row.key == old.key or row.status == S.PENDING, f"message {row.number} got another key"
            self.sent_again[pk] += move == SEND_AGAIN
            if row.key == old.key:
                self.settled[pk] += row.tries - old.tries
            else:  # a person began it anew
                self.settled[pk] = self.heard[pk] = 0
            if row.status == S.PENDING:
                assert self.settled[pk] <= self.heard[pk], f"message {row.number} has a try that nobody made"

    def _history_is_legal(self, before: dict) -> None:
        at = {pk: campaign.status for pk, campaign in before.items()}
        for line in StatusChange.objects.filter(campaign__in=self.campaigns, pk__gt=self.told).order_by("pk"):
            self.told = line.pk
            old, new = line.from_status, line.to_status
            assert old == at[line.campaign_id], f"{line} began at {old}, not at {at[line.campaign_id]}"
            assert old == new or Campaign.Status(new) in MOVES[Campaign.Status(old)], f"{line}: illegal from {old}"
            at[line.campaign_id] = new
        now = {pk: campaign.status for pk, campaign in self.standing.items()}
        assert at == now, f"the history ends at {at}, the campaigns are {now}"

    def _nothing_is_intended_but_while_sending(self, before: dict, standing: dict) -> None:
        for pk, batch in self.batches.items():
            if pk in before and standing[batch.campaign_id].status != Campaign.Status.SENDING:
                was, now = before[pk].handed_up_to, batch.handed_up_to
                assert now <= was, f"batch {pk} was handed up from {was} to {now} while not sending"

    def _books_balance(self) -> None:
        for pk, campaign in self.standing.items():
            if campaign.launched_at:
                wrong = wrong_with_the_books(self.campaigns[pk])
                assert not wrong, wrong
            else:
                assert not any(row.campaign_id == pk for row in self.rows.values()), f"draft {pk} has messages"
            if campaign.status in (Campaign.Status.SENT, Campaign.Status.FAILED):
                assert campaign.finished_at, f"campaign {pk} is over and was never finished"

    def _ledger_agrees_with_the_provider(self) -> None:
        taken = self.world.taken
        strange = taken.keys() - set().union(*self.keys.values())
        assert not strange, f"the provider knows keys that we do not: {strange}"
        for pk, row in self.rows.items():
            accepted = sum(taken[key] for key in self.keys[pk])
            name = f"message {row.number} of {row.campaign_id}, called {S(row.status).label},"
            assert accepted <= 1 + self.sent_again[pk], f"{name} was accepted {accepted} times"
            if row.status == S.SENT and not row.assumed:
                assert taken[str(row.key)], f"{name} was not accepted"
            if row.status in NOT_SENT:
                assert not accepted, f"{name} was accepted"
            if row.status == S.UNKNOWN:
                assert pk in self.doubted, f"{name} need not be"
