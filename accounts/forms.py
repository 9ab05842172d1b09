"""The form somebody logs in with."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class LoginForm(AuthenticationForm):
    """Email address and password; says the same whether the address is known or not."""

    username = forms.EmailField(
        label=_("Email address"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "username", "autofocus": True, "inputmode": "email"}),
        error_messages={
            "required": "Type your email address.",
            "invalid": "Type an email address, such as ann@example.com.",
        },
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": "Type your password."},
    )
    error_messages = {
        "invalid_login": "This email address and password do not go together. Check both and try again.",
        "inactive": "This account is closed. Ask an owner of your workspace.",
    }
