"""Our words for times and durations, for templates."""

from django.template import Library
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from dispatcher.words import ago, duration, moment

register = Library()
register.filter("moment", moment)
register.filter("duration", duration)
register.filter("ago", ago)


@register.filter
def breakable(address: str) -> SafeString:
    """An address that is rather broken after its @ than within a word."""
    return mark_safe(conditional_escape(address).replace("@", "@<wbr>"))  # noqa: S308 - escaped
