"""The ways in which a person can be written to."""

from django.db import models


class Channel(models.IntegerChoices):
    EMAIL = 1, "email"
    SMS = 2, "SMS"
    WHATSAPP = 3, "WhatsApp"

    @property
    def word(self) -> str:
        """The name programs use: email, sms, whatsapp."""
        return self.name.lower()

    @property
    def address_field(self) -> str:
        return "email" if self is Channel.EMAIL else "phone"

    @property
    def suppressed_field(self) -> str:
        """Tells of a person that this address is on the suppression list."""
        return f"{self.address_field}_suppressed"


REFUSALS = {f"refuses_{channel.word}": channel for channel in Channel}  # what a list calls the wish for none of these
