"""What people may set of a mail server."""

import re
from typing import Any

from django import forms
from django.conf import settings

from dispatcher.senders.parcel import Options

HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45}")
HERE = ("localhost", "127.0.0.1", "::1")
ACCOUNT = ("host", "port", "user")
SECURITY = [
    ("starttls", "STARTTLS (usual on port 587)"),
    ("tls", "TLS (usual on port 465)"),
    ("none", "None (only inside your own network)"),
]


class SmtpOptions(Options):
    """With an empty host the installation's own mail server is used, and all else is left out."""

    secrets = ("password",)

    host = forms.CharField(label="Mail server", max_length=253, required=False)
    port = forms.IntegerField(label="Port", min_value=1, max_value=65_535, initial=587, required=False)
    security = forms.ChoiceField(label="Encryption", choices=SECURITY, initial="starttls", required=False)
    user = forms.CharField(label="User name", max_length=200, required=False, help_text="Empty if none is asked for.")
    password = forms.CharField(
        label="Password",
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ours = settings.SMTP_HOST
        self.fields["host"].help_text = (
            f"For example smtp.example.com. Empty: the server of this installation, {ours}."
            if ours
            else "For example smtp.example.com."
        )

    def clean_host(self) -> str:
        host = self.cleaned_data["host"]
        if not host and not settings.SMTP_HOST:
            raise forms.ValidationError("Say which mail server takes the mail.")
        if host and not HOST.fullmatch(host):
            raise forms.ValidationError("Write just the name of the server, such as smtp.example.com.")
        return host

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.errors:
            return values
        if not values["host"]:
            return {}
        values["port"] = values["port"] or {"tls": 465, "none": 25}.get(values["security"], 587)
        values["security"] = values["security"] or "starttls"
        if not values["user"]:
            values["password"] = ""
        elif not values["password"]:
            self._keep_password(values)
        if values["user"] and values["security"] == "none" and values["host"] not in HERE:
            sentence = "Without encryption anybody on the way could read the password: choose STARTTLS or TLS."
            self.add_error("security", sentence)
        return values

    def _keep_password(self, values: dict[str, Any]) -> None:
        """The stored one stays for the same account only: else it could be sent to anybody's server."""
        if self.stored.get("password") and all(values[name] == self.stored.get(name) for name in ACCOUNT):
            values["password"] = None
        elif self.stored.get("password"):
            self.add_error("password", "Type the password again: it was stored for another server or user name.")
        else:
            self.add_error("password", "Type the password of this user.")
