"""The pages of replies, and of what a workspace chooses about wishes."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, may
from people.consent_settings import TwoMeanings, change_consent_settings
from people.models import ConsentSettings, Reply
from people.replies import Meaning, receive_reply
from people.reply_forms import ConsentForm, ReplyForm
from people.search import number_in

PAGE = 50
KINDS = {"stop": Meaning.STOP, "start": Meaning.START, "help": Meaning.HELP, "other": Meaning.NONE}
DONE = {
    Meaning.STOP: "It says stop: no more of these messages go to {number}.",
    Meaning.START: "It says start. What is typed here opts nobody in: do that on the person's page, with the reason.",
    Meaning.HELP: "It asks for help: answer {number} yourself.",
    Meaning.NONE: "The reply is kept. It changes nothing by itself.",
}


@require_GET
@may("read")
def replies(request: MemberRequest) -> HttpResponse:
    return draw(request, ReplyForm(request.workspace))


@require_POST
@may("send")
def note_reply(request: MemberRequest) -> HttpResponse:
    form = ReplyForm(request.workspace, request.POST)
    if not form.is_valid():
        return draw(request, form, status=422)
    typed = form.cleaned_data
    reply = receive_reply(request.workspace, typed["channel"], typed["number"], typed["text"], by=request.user)
    messages.success(request, DONE[Meaning(reply.meaning)].format(number=reply.number))
    return redirect("replies")


def draw(request: MemberRequest, form: ReplyForm, status: int = 200) -> HttpResponse:
    kind = request.GET.get("kind", "") if request.GET.get("kind", "") in KINDS else ""
    before = number_in(request.GET.get("before", ""))
    rows = request.workspace.replies.select_related("recipient").order_by("-pk")
    if kind:
        rows = rows.filter(meaning=KINDS[kind])
    if before:
        rows = rows.filter(pk__lt=before)
    found: list[Reply] = list(rows[: PAGE + 1])
    context = {
        "rows": found[:PAGE],
        "following": found[PAGE - 1].pk if len(found) > PAGE else None,
        "before": before,
        "kind": kind,
        "kinds": KINDS,
        "form": form,
        "may_note": request.membership.may("send"),
    }
    return render(request, "people/replies.html", context, status=status)


@require_http_methods(["GET", "POST"])
@may("manage")
def consent_settings(request: MemberRequest) -> HttpResponse:
    form = ConsentForm(ConsentSettings.of(request.workspace), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            change_consent_settings(request.workspace, by=request.user, **form.cleaned_data)
        except TwoMeanings as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The settings are saved.")
            return redirect("consent-settings")
    return render(request, "people/consent_settings.html", {"form": form}, status=422 if form.errors else 200)
