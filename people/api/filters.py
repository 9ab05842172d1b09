"""Which people a program asks for: who is called so, is in a group, fits a segment, can be reached, or wishes so."""

from typing import Any, Literal

from django.db.models import Q
from ninja import Field, Schema

from accounts.access import KeyRequest
from accounts.paging import Paging, page_of
from accounts.unknown import numbered
from people.api.shapes import ChannelWord
from people.channels import Channel
from people.consent import reached_on
from people.listing import WISHES, Asked
from people.models import Recipient
from people.patience import patience
from people.search import LONGEST, ids_called
from people.segments import described_by, refuse_broken

WishWord = Literal["", "out", "some", "suppressed"]


class AskedPeople(Paging):
    """Which people, and which page of them; all that is given must be so of each.

    A walk by `cursor` over the people of a segment or a channel looks at some thousand of all people for each answer:
    it may hold few or none, and the walk goes on until `next_cursor` is null.
    """

    q: str = Field("", description="The beginning of a name, an email address or a phone number.")
    group_id: int | None = Field(None, ge=1, description="Who is in the group.")
    segment_id: int | None = Field(None, ge=1, description="Who fits the segment now.")
    channel: ChannelWord | Literal[""] = Field("", description="Who can be reached on it.")
    wish: WishWord = Field(
        "", description="Who wants nothing at all, who refuses some channel, or whose address is suppressed."
    )

    def found(self, request: KeyRequest, **fields: Any) -> tuple[list[Recipient], dict[str, Any]]:
        """Those of the page whose fields are so, and what `Pagination` shows.

        Raises Unknown, BrokenSegment, ValidationError, or TookTooLong where many have to be looked at.
        """
        people = request.workspace.recipients.filter(**fields)
        if self.group_id:
            people = people.filter(groups=numbered(request.workspace.groups, "Group", self.group_id))
        if self.wish:
            people = people.filter(WISHES[self.wish][1])
        words, far = self.q.strip()[:LONGEST], self._far(request)
        if not words and far is None:
            return page_of(people, self)
        if words:
            found = ids_called(people, words, request.workspace.region)
            people = request.workspace.recipients.filter(pk__in=found)
        with patience():
            return page_of(people, self, far)

    def _far(self, request: KeyRequest) -> Q | None:
        """What no index knows of a person."""
        conditions = []
        if self.channel:
            conditions.append(reached_on(Channel[self.channel.upper()]))
        if self.segment_id:
            segment = numbered(request.workspace.segments, "Segment", self.segment_id)
            refuse_broken([segment])
            conditions.append(described_by([segment], request.workspace, None))
        return Q(*conditions) if conditions else None


class AskedCustomers(AskedPeople):
    opted_out: bool | None = Field(None, description="Who wants nothing at all, or who does not say so.")


class AskedForExport(Schema):
    """Which people a file is to have: the filters of the page of people."""

    q: str = ""
    group_id: int | None = Field(None, ge=1)
    channel: ChannelWord | Literal[""] = ""
    wish: WishWord = ""

    def of(self, request: KeyRequest) -> Asked:
        """As the page asks for them. Raises Unknown."""
        return Asked(
            group=numbered(request.workspace.groups, "Group", self.group_id) if self.group_id else None,
            wish=self.wish,
            channel=Channel[self.channel.upper()] if self.channel else None,
            words=self.q.strip()[:LONGEST],
        )
