"""What was posted in vain, for the pages that say so."""

from django.template import Library

from accounts.keeping import fields_to_keep

register = Library()
register.filter("fields_to_keep", fields_to_keep)
