"""The pages of one's own account: name, password, two-factor login, other sessions."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from django_otp import DEVICE_ID_SESSION_KEY

from accounts import logins, two_factor
from accounts.access import MemberRequest, is_inside
from accounts.forms import CodeForm, NameForm, OwnPasswordForm
from accounts.two_factor import WrongCode


@require_http_methods(["GET", "POST"])
def account(request: MemberRequest) -> HttpResponse:
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if form.is_bound and form.is_valid():
        logins.change_name(request.user, form.cleaned_data["name"])
        messages.success(request, "Your name is saved.")
        return redirect("account")
    codes = two_factor.recovery_codes_left(request.user) if request.user.has_two_factor else None
    return page(request, "account", {"form": form, "recovery_codes": codes})


def page(request: MemberRequest, template: str, about: dict) -> HttpResponse:
    """These pages open to whoever is logged in, even where no workspace does."""
    status = 422 if about["form"].errors else 200
    return render(request, f"accounts/{template}.html", about | {"plain": not is_inside(request)}, status=status)


class OwnPasswordChangeForm(PasswordChangeForm):
    """Guesses of the old password are counted like those of a login."""

    def __init__(self, *args, request: HttpRequest, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        password = self.cleaned_data["old_password"]
        if not logins.knows_password(self.request, password):
            raise ValidationError("That is not your password.", code="password_incorrect")
        return password

    def save(self, commit: bool = True) -> Any:
        logins.change_password(self.user, self.cleaned_data["new_password1"])
        return self.user


class ChangePassword(auth_views.PasswordChangeView):
    """Ends every other session of the user."""

    form_class = OwnPasswordChangeForm
    template_name = "accounts/change_password.html"
    success_url = reverse_lazy("account")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your password is changed. Everywhere else you are logged out.")
        return super().form_valid(form)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**kwargs) | {"plain": not is_inside(self.request)}  # type: ignore[arg-type]


@require_POST
def log_out_everywhere(request: MemberRequest) -> HttpResponse:
    """On this device the session goes on."""
    logins.log_out_everywhere(request.user)
    update_session_auth_hash(request, request.user)
    messages.success(request, "Everywhere else you are logged out; live pages there close within a minute.")
    return redirect("account")


@never_cache
@require_http_methods(["GET", "POST"])
def two_factor_on(request: MemberRequest) -> HttpResponse:
    """Set up the second factor: show the key, be told a code, show the recovery codes once."""
    if request.user.has_two_factor:
        return redirect("account")
    form = CodeForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            device, codes = two_factor.confirm(request.user, form.cleaned_data["code"])
        except WrongCode as refusal:
            form.add_error("code", str(refusal))
        else:
            update_session_auth_hash(request, request.user)
            request.session[DEVICE_ID_SESSION_KEY] = device.persistent_id
            messages.success(request, "Two-factor login is on. Everywhere else you are logged out.")
            return page(request, "recovery_codes", {"form": form, "codes": codes})
    device = two_factor.begin(request.user)
    about = {"form": form, "picture": two_factor.picture_of(device), "key": two_factor.key_of(device)}
    return page(request, "two_factor", about)


@never_cache
@require_http_methods(["GET", "POST"])
def two_factor_off(request: MemberRequest) -> HttpResponse:
    if not request.user.has_two_factor:
        return redirect("account")
    form = OwnPasswordForm(request, request.POST or None)
    if form.is_bound and form.is_valid():
        two_factor.turn_off(request.user, by=request.user)
        request.session.pop(DEVICE_ID_SESSION_KEY, None)
        update_session_auth_hash(request, request.user)
        messages.success(request, "Two-factor login is off. Everywhere else you are logged out.")
        return redirect("account")
    demanding = [each.workspace for each in request.memberships if each.workspace.requires_two_factor]
    return page(request, "two_factor_off", {"form": form, "demanding": demanding})


@never_cache
@require_http_methods(["GET", "POST"])
def new_recovery_codes(request: MemberRequest) -> HttpResponse:
    if not request.user.has_two_factor:
        return redirect("account")
    form = OwnPasswordForm(request, request.POST or None)
    if form.is_bound and form.is_valid():
        codes = two_factor.new_recovery_codes(request.user)
        return page(request, "recovery_codes", {"form": form, "codes": codes})
    return page(request, "new_recovery_codes", {"form": form})
