"""Our words for times and durations, for templates."""

from django.template import Library

from dispatcher.words import ago, duration, moment

register = Library()
register.filter("moment", moment)
register.filter("duration", duration)
register.filter("ago", ago)
