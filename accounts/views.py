"""The way in and out: password, code, and a new password for who forgot it."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts import logins, mail, reset_links
from accounts.forms import CodeForm, ForgotForm, LoginForm
from accounts.models import Membership
from accounts.two_factor import WrongCode


class Login(auth_views.LoginView):
    form_class = LoginForm
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        # A fragment asked for after the session ended is led here: its whole page must follow, unless it is a form
        # somebody is writing in, which stays where it is and says so.
        if "X-Stays" in request.headers:
            return HttpResponse(status=401)
        if htmx := HtmxDetails(request):
            here = htmx.current_url_abs_path or resolve_url("campaigns")
            query = request.GET.copy()
            query[self.redirect_field_name] = here
            return HttpResponseClientRedirect(f"{request.path}?{query.urlencode(safe='/')}")
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if user.has_two_factor:
            logins.await_code(self.request, user, self.get_success_url())
            return redirect("login-code")
        logins.log_in(self.request, user)
        return HttpResponseRedirect(self.get_success_url())

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**kwargs) | {"can_mail": settings.CAN_MAIL}


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def login_code(request: HttpRequest) -> HttpResponse:
    """The second step."""
    found = logins.halfway(request)
    if found is None:
        if request.method == "POST":
            messages.warning(request, "That took more than ten minutes. Begin again with your password.")
        return redirect("login")
    user, onwards = found
    form = CodeForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            logins.pass_second_step(request, user, form.cleaned_data["code"])
        except WrongCode as refusal:
            form.add_error("code", str(refusal))
        else:
            return HttpResponseRedirect(onwards)
    context = {"form": form, "email": user.email}
    return render(request, "registration/login_code.html", context, status=422 if form.errors else 200)


class Logout(auth_views.LogoutView):
    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        logins.log_out(request)
        return super().post(request, *args, **kwargs)


@login_not_required
@require_http_methods(["GET", "POST"])
def admin_login(request: HttpRequest) -> HttpResponse:
    """The admin has no login of its own, which would know no second step."""
    user = request.user
    if user.is_authenticated:
        if user.is_active and user.is_staff and not user.has_two_factor:
            messages.warning(request, "A workspace here asks for two-factor login, so the admin does too. Set it up.")
            return redirect("two-factor")
        messages.error(request, "Only staff may enter the admin.")
        return redirect("campaigns")
    return redirect(f"{reverse('login')}?{request.GET.urlencode(safe='/')}")


def admin_elsewhere(request: HttpRequest, row: str) -> HttpResponse:
    """Where "view on site" of the admin would lead; none of its rows has such a page, and some have no table."""
    raise PermissionDenied("Rows of the admin are looked at in the admin.")


class ForgotPassword(auth_views.PasswordResetView):
    """Mails a link, if anybody has that address; says the same if nobody has."""

    form_class = ForgotForm
    template_name = "registration/forgot.html"
    email_template_name = "registration/forgot_mail.txt"
    subject_template_name = "registration/forgot_subject.txt"
    success_url = reverse_lazy("forgot-password-sent")
    token_generator = reset_links.Tokens()

    @method_decorator(login_not_required)
    def dispatch(self, *args, **kwargs) -> HttpResponseBase:
        if not settings.CAN_MAIL:
            raise Http404
        return super().dispatch(*args, **kwargs)


class ForgotPasswordSent(auth_views.PasswordResetDoneView):
    template_name = "registration/forgot_sent.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**kwargs) | {"goes_to_log": mail.goes_to_log()}


class NewPasswordForm(SetPasswordForm):
    def __init__(self, *args, link_by: Membership | None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.link_by = link_by

    def save(self, commit: bool = True) -> Any:
        logins.reset_password(self.user, self.cleaned_data["new_password1"], link_by=self.link_by)
        return self.user


class NewPassword(auth_views.PasswordResetConfirmView):
    """Where the mailed link leads, and the one an admin makes."""

    form_class = NewPasswordForm
    token_generator = reset_links.Tokens()
    template_name = "registration/new_password.html"
    success_url = reverse_lazy("login")

    def get_form_kwargs(self) -> dict[str, Any]:
        token = self.request.session.get(auth_views.INTERNAL_RESET_SESSION_TOKEN)
        return super().get_form_kwargs() | {"link_by": reset_links.maker_of(token)}

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, "Your new password is set. Log in with it.")
        return super().form_valid(form)
