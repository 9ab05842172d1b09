"""The pictures of a workspace: taken in, listed, described and deleted, and served to whoever reads a mail."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts.access import MemberRequest, may
from accounts.keeping import keeps_what_was_typed
from campaigns import images as domain
from campaigns.image_forms import ImageForm
from campaigns.image_markup import markup_of
from campaigns.images import ImageInUse, UsedMeanwhile, uses_of
from campaigns.models import Image, ImageFile
from campaigns.pictures import MOST_BYTES, NotAPicture, megabytes
from people.plain import NotPlain
from people.search import number_in

SHOWN = 48
AT_ONCE = 20
CHOICE = 24
# It never changes and runs nothing; who loads it is told to nobody.
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "inline",
}


@require_GET
@may("read")
def images(request: MemberRequest) -> HttpResponse:
    words, before = request.GET.get("q", "").strip()[:100], number_in(request.GET.get("before", ""))
    found = domain.called(request.workspace, words)
    if before:
        found = found.filter(pk__lt=before)
    rows = list(found[: SHOWN + 1])
    context = {
        "images": rows[:SHOWN],
        "following": rows[SHOWN - 1].pk if len(rows) > SHOWN else None,
        "before": before,
        "words": words,
        "most": megabytes(MOST_BYTES),
        "most_bytes": MOST_BYTES,
        "may_write": request.membership.may("write"),
    }
    return render(request, "campaigns/images.html", context)


@require_GET
@may("write")
def image_choose(request: MemberRequest) -> HttpResponse:
    """Pictures to put into a message, for the words typed so far."""
    words = request.GET.get("picture", "").strip()[:100]
    found = list(domain.called(request.workspace, words)[: CHOICE + 1])
    pictures = [(image, markup_of(image)) for image in found[:CHOICE]]
    context = {"pictures": pictures, "words": words, "more": len(found) > CHOICE}
    return render(request, "campaigns/_choose_image.html", context)


@require_POST
@may("write")
def image_add(request: MemberRequest) -> HttpResponse:
    """static/images.js sends one at a time and shows the answer; a form sends some and comes back to the list."""
    sent = request.FILES.getlist("files")
    files, others = sent[:AT_ONCE], sent[AT_ONCE:]
    if "X-Requested-With" in request.headers:
        return _add_one(request, files[0] if files else None)
    for file in files:
        try:
            messages.success(request, f"“{_add(request, file)}” is here.")
        except NotAPicture as refusal:
            messages.error(request, f"“{file.name}” is not taken. {refusal}")
    if others:
        told = f"{AT_ONCE} pictures are the most at once. Still to add: {len(others)}, from “{others[0].name}” on."
        messages.error(request, told)
    if not files:
        messages.error(request, "Choose a picture first.")
    return redirect("images")


def _add_one(request: MemberRequest, file: UploadedFile | None) -> HttpResponse:
    try:
        if file is None:
            raise NotAPicture("Choose a picture first.")
        image = _add(request, file)
    except NotAPicture as refusal:
        return HttpResponse(str(refusal), status=422, content_type="text/plain; charset=utf-8")
    return render(request, "campaigns/_image.html", {"image": image, "may_write": True}, status=201)


def _add(request: MemberRequest, file: UploadedFile) -> Image:
    if (file.size or 0) > MOST_BYTES:
        raise NotAPicture(f"It has {megabytes(file.size or 0)}; {megabytes(MOST_BYTES)} is the most.")
    return domain.add_image(request.workspace, by=request.user, name=file.name or "", data=file.read())


@require_http_methods(["GET", "POST"])
@keeps_what_was_typed
@may("write")
def image(request: MemberRequest, pk: int) -> HttpResponse:
    known = get_object_or_404(request.workspace.images.select_related("added_by"), pk=pk)
    form = ImageForm(request.POST or None, initial={"name": known.name, "alt": known.alt})
    if form.is_bound and form.is_valid():
        try:
            domain.change_image(known, by=request.user, **form.cleaned_data)
        except NotPlain as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"“{known}” is saved.")
            return redirect("images")
    context = {"form": form, "image": known, "uses": uses_of(known)}
    return render(request, "campaigns/image.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@may("write")
def image_delete(request: MemberRequest, pk: int) -> HttpResponse:
    known = get_object_or_404(request.workspace.images, pk=pk)
    status = 200
    if request.method == "POST":
        try:
            domain.delete_image(known, by=request.user, seen=request.POST.getlist("seen"))
        except (ImageInUse, UsedMeanwhile):
            status = 409  # the page shows what uses it now
        else:
            messages.success(request, f"The image “{known}” is deleted.")
            return redirect("images")
    context = {"image": known, "uses": uses_of(known)}
    return render(request, "campaigns/image_delete.html", context, status=status)


# --- to whoever reads a mail: no login, no cookie ---


@login_not_required
@require_safe
def image_file(request: HttpRequest, name: str) -> HttpResponse:
    token, _, ending = name.partition(".")
    file = ImageFile.objects.select_related("image").defer("small").filter(image__token=token).first()
    kind = Image.Format(file.image.format) if file else None
    if file is None or kind is None or ending != kind.ending:
        return no_image()
    return for_everybody(request, file.data, kind.content_type)


@login_not_required
@require_safe
def image_small(request: HttpRequest, name: str) -> HttpResponse:
    token, _, ending = name.partition(".")
    file = ImageFile.objects.only("small").filter(image__token=token).first()
    if file is None or ending != "webp":
        return no_image()
    return for_everybody(request, file.small, "image/webp")


def for_everybody(request: HttpRequest, data: bytes | memoryview, content_type: str) -> HttpResponse:
    request.session.accessed = False  # the login has looked who asks; a cache on the way may serve it to all alike
    return HttpResponse(data, content_type=content_type, headers=HEADERS)


def no_image() -> HttpResponse:
    """Short, and asks for no session, as a page that says so would."""
    return HttpResponse("There is no such picture.\n", status=404, content_type="text/plain; charset=utf-8")
