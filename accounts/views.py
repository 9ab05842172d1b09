"""The way in."""

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from accounts.forms import LoginForm


class Login(LoginView):
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
