"""The forms of login, account, members and workspace."""

from collections.abc import Iterable
from datetime import date
from threading import Thread
from typing import Any, cast

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import lockout, logins
from accounts.models import Role, User, Workspace, as_kept
from accounts.regions import REGIONS
from accounts.zones import NoSuchZone, zone_called

ROLE_WORDS = {
    Role.VIEWER: "sees everything",
    Role.EDITOR: "also writes campaigns and keeps people",
    Role.MARKETER: "also sends",
    Role.ADMIN: "also manages members and settings",
    Role.OWNER: "also makes and removes owners",
}
RETRY_WORDS = [
    (Workspace.RetryPolicy.STANDARD.value, "Standard: 3 tries, after waits of 1 and 2 seconds"),
    (Workspace.RetryPolicy.PATIENT.value, "Patient: 5 tries, after waits of 3, 6, 12 and 24 seconds"),
    (Workspace.RetryPolicy.NONE.value, "None: one try, then it is failed"),
]


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

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            self.user_cache = lockout.user_with(cast(HttpRequest, self.request), email, password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data


class ForgotForm(PasswordResetForm):
    """An email address, to which a link goes; nothing tells whether anybody has it."""

    email = forms.EmailField(
        label="Email address",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email", "autofocus": True, "inputmode": "email"}),
        error_messages=LoginForm.base_fields["username"].error_messages,
    )

    def get_users(self, email: str) -> Iterable[User]:
        users = User.objects.filter(email=as_kept(email), is_active=True)
        return [user for user in users if user.has_usable_password() and logins.ask_for_new_password(user)]

    def send_mail(self, *args, **kwargs) -> None:
        # Not waited for: the answer for a known address must not take longer than for an unknown one.
        Thread(target=super().send_mail, args=args, kwargs=kwargs, name="mail").start()


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=32,
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
        error_messages={"required": "Type the code your app shows."},
    )


class NameForm(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=100,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": "Type your name, as the others know you."},
    )


class OwnPasswordForm(forms.Form):
    """The password of who asks, once more, before something that weakens the account; guesses are counted."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": "Type your password."},
    )

    def __init__(self, request: HttpRequest, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        if not logins.knows_password(self.request, password):
            raise forms.ValidationError("That is not your password.")
        return password


class JoinForm(NameForm):
    """What somebody who is invited and new gives."""

    password = forms.CharField(
        label="Choose a password",
        strip=False,
        max_length=4096,
        help_text="At least 8 characters, and none of the common ones.",
        widget=forms.PasswordInput({"autocomplete": "new-password", "aria-describedby": "id_password_helptext"}),
        error_messages={"required": "Choose a password."},
    )

    def __init__(self, email: str, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict:
        if password := self.cleaned_data.get("password"):
            try:
                validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
            except forms.ValidationError as refusal:
                self.add_error("password", refusal)
        return self.cleaned_data


class InviteForm(forms.Form):
    email = forms.EmailField(
        label="Email address",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off", "inputmode": "email"}),
        error_messages={
            "required": "Type the email address of the person to invite.",
            "invalid": "Type an email address, such as ann@example.com.",
        },
    )
    role = forms.TypedChoiceField(label="Role", coerce=lambda value: Role(int(value)))

    def __init__(self, highest: int, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles_up_to(highest)  # type: ignore[attr-defined]


class KeyForm(forms.Form):
    """Of a new API key; its role is at most that of whoever makes it."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "Shop"}),
        error_messages={"required": "Name the program that will use the key, such as Shop."},
    )
    role = forms.TypedChoiceField(label="Role", coerce=lambda value: Role(int(value)), initial=Role.MARKETER.value)
    last_day = forms.DateField(
        label="Last day",
        required=False,
        help_text="Valid through this day; without one until it is revoked.",
        widget=forms.DateInput({"type": "date", "aria-describedby": "id_last_day_helptext"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Choose a day, such as 2030-12-31."},
    )

    def __init__(self, highest: int, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = roles_up_to(highest)  # type: ignore[attr-defined]

    def clean_last_day(self) -> date | None:
        day = self.cleaned_data["last_day"]
        if day and day < timezone.localdate():
            raise forms.ValidationError("That day is over. Choose today or a later one.")
        if day and day.year > 9000:
            raise forms.ValidationError("Choose an earlier day, or none.")
        return day


class RoleForm(forms.Form):
    role = forms.TypedChoiceField(coerce=lambda value: Role(int(value)), choices=Role.choices)


def roles_up_to(highest: int) -> list[tuple[int, str]]:
    return [(role.value, f"{role.label.capitalize()}: {ROLE_WORDS[role]}") for role in Role if role <= highest]


class WorkspaceForm(forms.Form):
    """The name and the zone; a zone may be typed in any case."""

    name = forms.CharField(
        label="Name",
        max_length=100,
        error_messages={"required": "Give the workspace a name, such as that of your company."},
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        help_text="Type a city and choose. All times on the pages are told in this zone.",
        widget=forms.TextInput(
            {"list": "zones", "autocomplete": "off", "spellcheck": "false", "aria-describedby": "id_time_zone_helptext"}
        ),
        error_messages={"required": "Choose a time zone, such as Africa/Nairobi."},
    )

    def clean_time_zone(self) -> str:
        try:
            return zone_called(self.cleaned_data["time_zone"])
        except NoSuchZone as refusal:
            raise forms.ValidationError(str(refusal)) from None


class SettingsForm(WorkspaceForm):
    retry_policy = forms.TypedChoiceField(
        label="When a message fails", coerce=int, choices=RETRY_WORDS, widget=forms.RadioSelect
    )
    region = forms.ChoiceField(
        label="Country of phone numbers",
        required=False,
        choices=REGIONS,
        help_text="A number without a country code, in a list you import, is taken for one of this country.",
    )
    requires_two_factor = forms.BooleanField(label="Everyone here must use two-factor login", required=False)
