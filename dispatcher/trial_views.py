"""The page that sends a test of a campaign and tells what became of it."""

from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns.authoring import NotEditable
from campaigns.models import Campaign
from campaigns.preview import preview_of
from campaigns.whose import Asked, somebody
from dispatcher import freeze, trials
from dispatcher.readiness import LaunchRefused
from dispatcher.trial_forms import TrialForm
from people.channels import Channel
from people.models import Recipient


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def send_test(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(request.workspace.campaigns.select_related("workspace"), pk=pk)
    person = reader(campaign, request)
    form = TrialForm(campaign, request.POST if request.method == "POST" else None, usual(campaign, request))
    if not form.is_bound or not form.is_valid():
        return draw(request, campaign, person, form)
    typed = {"variant": 0, "is_marked": False} | form.cleaned_data
    try:
        trials.send_test(campaign, typed.pop("addresses"), person, by=request.user, **typed)
    except (NotEditable, LaunchRefused, trials.TooMany) as refusal:
        return draw(request, campaign, person, form, refusal)
    return redirect(f"{reverse('send_test', args=[pk])}?person={person.pk if person else ''}#sent")


def reader(campaign: Campaign, request: MemberRequest) -> Recipient | None:
    """Whose words the test has: the person asked for, else the first who gets the campaign."""
    asked = Asked.of(request.POST if request.method == "POST" else request.GET)
    return somebody(freeze.candidates(campaign).filter(skip=None), asked.person)


def usual(campaign: Campaign, request: MemberRequest) -> dict[str, str]:
    addresses = trials.usual_addresses(request.user, campaign.workspace, Channel(campaign.channel))
    return {"addresses": "\n".join(addresses)}


def draw(
    request: MemberRequest,
    campaign: Campaign,
    person: Recipient | None,
    form: TrialForm,
    refusal: Exception | None = None,
) -> HttpResponse:
    if refusal is None and not form.is_bound:
        refusal = why_not(campaign)
    context = {
        "campaign": campaign,
        "form": form,
        "person": person,
        "preview": preview_of(campaign, person),
        "refusal": refusal,
        "sent": trials.last_of(request.user, campaign),
        "is_wrong": bool(form.errors or (refusal and form.is_bound)),
    }
    status = HTTPStatus.TOO_MANY_REQUESTS if isinstance(refusal, trials.TooMany) else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "dispatcher/send_test.html", context, status=status if context["is_wrong"] else 200)


def why_not(campaign: Campaign) -> Exception | None:
    try:
        trials.refuse_unless_written(campaign)
    except (NotEditable, LaunchRefused) as refusal:
        return refusal
    return None
