"""The pages on which a campaign gets its variants, and on which the winner is chosen."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, may
from campaigns.authoring import NotEditable, Scheduled
from campaigns.faults import InvalidContent
from campaigns.models import Campaign, IllegalMove, Split
from campaigns.splitting import even_weights, letter
from campaigns.spoken import spoken_where_several
from campaigns.variants import remove_variants, set_up_variants
from campaigns.views import posted, refuse
from campaigns.wordings import still_like_a, words_of
from dispatcher.variant_forms import VariantsForm
from dispatcher.variants import comparison_of
from dispatcher.views import found, page, see
from dispatcher.winner import choose_winner


@require_http_methods(["GET", "POST"])
@may("write")
def variants(request: MemberRequest, pk: int) -> HttpResponse:
    campaign = found(request, pk)
    if refusal := not_to_be_changed(request, campaign):
        return refusal
    split = Split.of(campaign)
    form = VariantsForm(split, posted(request))
    adds = request.POST.get("then") == "add"
    if form.is_bound and (form.has_sound_fields() if adds else form.is_valid()):
        choices = form.choices | ({"weights": even_weights(len(form.weights) + 1)} if adds else {})
        try:
            set_up_variants(campaign, by=request.user, only_drafts=not request.membership.may("send"), **choices)
        except InvalidContent as fact:
            form.add_error(None, str(fact))
        except (NotEditable, Scheduled) as fact:
            return refuse(request, fact)
        else:
            return saved(request, campaign, len(choices["weights"]), adds=adds)
    return draw(request, campaign, form, split)


def saved(request: MemberRequest, campaign: Campaign, count: int, *, adds: bool) -> HttpResponse:
    """On to the words of the first variant that has none of its own."""
    if adds:
        messages.success(request, f"Variant {letter(count)} begins with the words of A.")
        return redirect("variants", campaign.pk)
    unwritten = still_like_a(campaign, range(1, count + 1))
    if not unwritten:
        messages.success(request, "The variants are saved.")
        return redirect("campaign", campaign.pk)
    messages.success(request, f"The variants are saved. {letter(unwritten[0])} still says the same as A: write it now.")
    return redirect("wording", campaign.pk, unwritten[0])


def not_to_be_changed(request: MemberRequest, campaign: Campaign) -> HttpResponse | None:
    if not campaign.is_editable:
        return refuse(request, NotEditable(campaign))
    if campaign.status == Campaign.Status.SCHEDULED and not request.membership.may("send"):
        return refuse(request, Scheduled(campaign))
    return None


def draw(request: MemberRequest, campaign: Campaign, form: VariantsForm, split: Split | None) -> HttpResponse:
    rows = [
        {"number": number, "letter": name, "weight": weight, "words": words_of(campaign, number), "is_new": is_new}
        for number, name, weight in form.rows()
        for is_new in [split is None or number not in split.variants]
    ]
    about: dict[str, Any] = {"campaign": campaign, "form": form, "split": split, "rows": rows}
    about["spoken"] = spoken_where_several(campaign) if split else None
    return page(request, "variants", about, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@may("write")
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    """The last variant, or all but A where only two are left: what it said is gone, so one is asked first."""
    campaign = found(request, pk)
    if refusal := not_to_be_changed(request, campaign):
        return refusal
    split = Split.of(campaign)
    if split is None:
        return redirect("variants", pk)
    last = split.letters[-1]
    if request.method == "GET":
        return page(
            request,
            "variants_remove",
            {"campaign": campaign, "last": last, "words": words_of(campaign, split.variants[-1])},
        )
    only_drafts = not request.membership.may("send")
    try:
        if request.POST.get("variant") == last:  # else somebody removed it meanwhile
            take_away(campaign, split, by=request.user, only_drafts=only_drafts)
            messages.success(request, f"Variant {last} is removed.")
    except (NotEditable, Scheduled) as fact:
        return refuse(request, fact)
    return redirect("variants", pk)


def take_away(campaign: Campaign, split: Split, **who: Any) -> None:
    if len(split.weights) == 2:
        remove_variants(campaign, **who)
        return
    kept = {name: getattr(split, name) for name in ("tested", "hold_out", "measure", "after_hours", "at_least")}
    set_up_variants(campaign, weights=even_weights(len(split.weights) - 1), **kept, **who)


@require_http_methods(["GET", "POST"])
@may("send")
def choose(request: MemberRequest, pk: int, variant: int) -> HttpResponse:
    """Asks before, since what was sent cannot be called back."""
    campaign = found(request, pk)
    split = Split.of(campaign)
    if split is None or variant not in split.variants:
        raise Http404
    if request.method == "POST":
        try:
            count = choose_winner(campaign, variant=variant, by=request.user)
        except IllegalMove as fact:
            messages.warning(request, f"Nothing was changed by this. {fact}")
        else:
            messages.success(request, f"{letter(variant)} is sent to the other {count:,}.")
        return see(pk)
    comparison = comparison_of(campaign, split)
    if comparison is None or not comparison.choices:
        return see(pk)
    about = {
        "campaign": campaign,
        "comparison": comparison,
        "letter": letter(variant),
        "number": str(variant),
        "words": words_of(campaign, variant),
    }
    return page(request, "choose_winner", about)
