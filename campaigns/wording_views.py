"""The page on which the words of a variant, or those in a language, are written."""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns.authoring import InvalidContent, NotEditable, Scheduled
from campaigns.forms import CampaignForm
from campaigns.models import Campaign, Split, Words
from campaigns.splitting import letter
from campaigns.views import as_somebody, is_sms, posted, refuse
from campaigns.whose import Asked
from campaigns.wordings import words_of, write_wording
from people.models import placeholders_of


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def wording(request: MemberRequest, pk: int, variant: int) -> HttpResponse:
    campaign = get_object_or_404(request.workspace.campaigns.select_related("workspace"), pk=pk)
    split = Split.of(campaign)
    if split is None or variant not in split.variants:
        raise Http404
    if variant == 1:  # those of A are the campaign's own
        return redirect("campaign-edit", pk)
    if not campaign.is_editable:
        return refuse(request, NotEditable(campaign))
    may_send = request.membership.may("send")
    if campaign.status == Campaign.Status.SCHEDULED and not may_send:
        return refuse(request, Scheduled(campaign))
    errors: dict[str, list[str]] = {}
    if typed := posted(request):
        text = {"subject": typed.get("subject", ""), "body": typed.get("body", "")}
        try:
            write_wording(campaign, by=request.user, variant=variant, only_drafts=not may_send, **text)
        except InvalidContent as fact:
            errors = fact.errors
        except (NotEditable, Scheduled) as fact:
            return refuse(request, fact)
        else:
            messages.success(request, f"The words of variant {letter(variant)} are saved.")
            return redirect("variants", pk)
    return draw(request, campaign, variant, errors)


def draw(request: MemberRequest, campaign: Campaign, variant: int, errors: dict[str, list[str]]) -> HttpResponse:
    words: Words = words_of(campaign, variant)
    shown = request.POST if request.method == "POST" else {"subject": words.subject, "body": words.body}
    like = {"name": campaign.name, "channel": campaign.channel_word, "audience": "everyone"}
    typed = QueryDict(mutable=True)
    typed.update(like | {name: shown.get(name, "") for name in ("subject", "body")})
    form = CampaignForm(request.workspace, typed, campaign)
    form.is_valid()
    about = {
        "campaign": campaign,
        "letter": letter(variant),
        "like": like,
        "subject": shown.get("subject", ""),
        "body": shown.get("body", ""),
        "errors": errors,
        "placeholders": placeholders_of(request.workspace),
        **as_somebody(form, Asked()),
        "is_sms": is_sms(form),
    }
    return render(request, "campaigns/wording.html", about, status=422 if errors else 200)
