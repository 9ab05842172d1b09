"""The failures of the last days, for the first page of the admin."""

from django import template

from dispatcher import failures

register = template.Library()


@register.simple_tag
def failures_lately() -> failures.Failures:
    return failures.lately()
