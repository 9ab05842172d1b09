"""Customers over the API, where the ledger has to know."""

from ninja import Status

from accounts.access import KeyRequest, may
from accounts.unknown import Unknown
from dispatcher.erase import erase
from people.api import router
from people.models import Recipient


@router.delete("customers/{customer_id}", response={204: None}, summary="Erase a customer for good")
@may("manage")
def erase_customer(request: KeyRequest, customer_id: int) -> Status[None]:
    """Messages keep their place in the counts; the address cannot be added or imported again."""
    try:
        erase(request.workspace.recipients.get(pk=customer_id), by=request.auth)
    except Recipient.DoesNotExist:
        raise Unknown("Customer", customer_id) from None
    return Status(204, None)
