"""What lists and wishes keep of a person who is erased: that there was one, and nothing that tells who."""

from django.db import connection
from django.db.models import Q

from accounts.models import Workspace
from people.models import ConsentEvent, Recipient, Reply

# The verdicts on rows that were about them, and on those that gave an address of theirs; of others' verdicts, what
# those say of their addresses. What an import took from somebody it can then no longer give back.
FORGET = """
    WITH asked AS (SELECT v.id, v.recipient_id = %(person)s
                          OR %(email)s <> '' AND strpos(lower(v.address || coalesce(v.cells::text, '')), %(email)s) > 0
                          OR %(phone)s <> '' AND strpos(v.address, %(phone)s) > 0
                          OR %(phone)s <> '' AND strpos({digits}, right(substr(%(phone)s, 2), 8)) > 0
                          AS is_theirs,
                          %(email)s <> '' AND strpos(lower(v.reason || coalesce(v.before::text, '')), %(email)s) > 0
                          OR %(phone)s <> '' AND strpos(v.reason || coalesce(v.before::text, ''), %(phone)s) > 0
                          AS names_them
                   FROM people_importrow v JOIN people_import i ON i.id = v.upload_id
                   WHERE i.workspace_id = %(workspace)s)
    UPDATE people_importrow AS v
    SET reason = '', before = NULL, address = CASE WHEN is_theirs THEN '' ELSE address END,
        cells = CASE WHEN NOT is_theirs THEN cells END,
        recipient_id = CASE WHEN NOT is_theirs THEN recipient_id END
    FROM asked WHERE v.id = asked.id AND (is_theirs OR names_them)
""".replace(
    "{digits}", "regexp_replace(coalesce(v.cells::text, ''), '[^0-9]', '', 'g')"
)  # however written, also without its country


class StillImported(Exception):
    """A list that may name the person is not over yet."""


def refuse_while_importing(workspace: Workspace) -> None:
    """Raises StillImported: what a list under way holds of somebody would outlive them."""
    if upload := workspace.imports.filter(finished_at=None).only("name").first():
        sentence = f"The list “{upload}” is not over yet and may name this person."
        raise StillImported(f"{sentence} Finish or cancel its import first.")


def forget_imports(person: Recipient) -> None:
    """The rows keep their place and their verdict."""
    whom = {"workspace": person.workspace_id, "person": person.pk}
    with connection.cursor() as cursor:
        cursor.execute(FORGET, whom | {"email": person.email.lower(), "phone": person.phone})


def forget_wishes(person: Recipient) -> None:
    """That somebody replied, or opted out or in, stays, with when and how."""
    ConsentEvent.objects.filter(recipient=person).update(recipient=None, reason="", evidence={})
    theirs = Q(recipient=person) | Q(workspace=person.workspace_id, number=person.phone) & ~Q(number="")
    Reply.objects.filter(theirs).update(recipient=None, number="", text="", provider_id="")
