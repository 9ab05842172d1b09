"""The page on which the words of a variant, or those in a language, are written."""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns.authoring import InvalidContent, NotEditable, Scheduled
from campaigns.forms import CampaignForm
from campaigns.mail.example import MJML
from campaigns.models import Campaign, Format, Split, Words
from campaigns.splitting import letter
from campaigns.views import as_somebody, counted, is_sms, refuse
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
    form = form_of(request, campaign, words_of(campaign, variant))
    if request.method == "POST" and form.is_valid():
        text = {name: form.content()[name] for name in ("subject", "body", "format", "preheader")}
        try:
            write_wording(campaign, by=request.user, variant=variant, only_drafts=not may_send, **text)
        except InvalidContent as fact:
            form.add_errors(fact.errors)
        except (NotEditable, Scheduled) as fact:
            return refuse(request, fact)
        else:
            messages.success(request, f"The words of variant {letter(variant)} are saved.")
            return redirect("variants", pk)
    return draw(request, campaign, variant, form)


def form_of(request: MemberRequest, campaign: Campaign, words: Words) -> CampaignForm:
    """The form of the campaign with these words, or those that were typed; what is not of them stays as it is."""
    typed = QueryDict(mutable=True)
    typed.update({"name": campaign.name, "audience": "everyone", "format": Format(words.format).word})
    typed.update({name: getattr(words, name) for name in ("subject", "body", "preheader")})
    typed.update({"brief": campaign.brief} | ({"generated_words": "on"} if campaign.generated_words else {}))
    for name in ("subject", "body", "preheader", "format"):
        if name in request.POST:
            typed[name] = request.POST[name]
    typed["channel"] = campaign.channel_word
    return CampaignForm(request.workspace, typed, campaign)


def draw(request: MemberRequest, campaign: Campaign, variant: int, form: CampaignForm) -> HttpResponse:
    form.is_valid()
    about = {
        "campaign": campaign,
        "letter": letter(variant),
        "form": form,
        "placeholders": placeholders_of(request.workspace),
        "mjml_example": MJML,
        **as_somebody(form, Asked()),
        "is_sms": is_sms(form),
        "count": counted(form),
    }
    return render(request, "campaigns/wording.html", about, status=422 if form.errors else 200)
