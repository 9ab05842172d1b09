"""What is done with a campaign as a whole: copied, deleted, given another priority."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, may
from campaigns.authoring import NotEditable, Scheduled, delete_campaign
from campaigns.copying import duplicate as copied
from campaigns.half_linked import StillLinking
from campaigns.models import Campaign
from campaigns.views import refuse
from dispatcher import operations, shelf
from dispatcher.books import books_of
from dispatcher.views import found, page, see


@require_POST
@may("write")
def duplicate(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = found(request, pk)
    try:
        copy = copied(campaign, by=request.user)
    except StillLinking as refusal:
        messages.warning(request, str(refusal))
        return see(pk)
    messages.success(request, f"“{copy}” is a draft of its own, with the text and the people of “{campaign}”.")
    response = redirect("campaign-edit", copy.pk)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


@require_http_methods(["GET", "POST"])
@may("write")
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    """A draft by whoever may write, a scheduled one by who may send.

    What was launched only by who manages, once it is over and its name is typed.
    """
    campaign = found(request, pk)
    if campaign.is_editable:
        return delete_draft(request, campaign)
    if not campaign.is_over:
        refusal = shelf.NotOver(campaign, "deleted")
        return render(
            request, "campaigns/not_editable.html", {"campaign": campaign, "sentence": str(refusal)}, status=409
        )
    if not request.membership.may("manage"):
        raise PermissionDenied("Only an admin or owner can delete a campaign that was sent or cancelled.")
    return delete_what_is_over(request, campaign)


def delete_draft(request: MemberRequest, campaign: Campaign) -> HttpResponse:
    may_send = request.membership.may("send")
    if campaign.status == Campaign.Status.SCHEDULED and not may_send:
        return refuse(request, Scheduled(campaign))
    if request.method == "GET":
        return render(request, "campaigns/delete.html", {"campaign": campaign})
    try:
        delete_campaign(campaign, by=request.user, only_drafts=not may_send)
    except (NotEditable, Scheduled) as refusal:
        return refuse(request, refusal)
    except Campaign.DoesNotExist:
        pass  # somebody was faster
    messages.success(request, "Campaign deleted.")
    return redirect("campaigns")


def delete_what_is_over(request: MemberRequest, campaign: Campaign) -> HttpResponse:
    refusal: Exception | None = None
    if request.method == "POST":
        try:
            shelf.delete(campaign, typed=request.POST.get("name", ""), by=request.user)
        except (shelf.NameDiffers, shelf.NotOver) as fact:
            refusal = fact
        except Campaign.DoesNotExist:
            return redirect("campaigns")  # somebody was faster
        else:
            messages.success(request, f"“{campaign}” and its messages are deleted. Its totals stay in the audit log.")
            return redirect("campaigns")
    about = {"campaign": campaign, "books": books_of(campaign), "refusal": refusal}
    return page(request, "delete", about, status=422 if refusal else 200)


@require_http_methods(["GET", "POST"])
@may("send")
def change_priority(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = found(request, pk)
    asked = request.POST.get("priority", "").upper()
    if request.method == "GET" or asked not in Campaign.Priority.__members__:
        return page(request, "priority", {"campaign": campaign, "priorities": Campaign.Priority})
    try:
        operations.change_priority(campaign, to=Campaign.Priority[asked], by=request.user)
    except operations.AlreadyOver as fact:
        messages.warning(request, str(fact))
    else:
        messages.success(request, f"The priority of “{campaign}” is now {asked.lower()}.")
    return see(pk)
