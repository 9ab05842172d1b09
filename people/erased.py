"""What lists and wishes keep of a person who is erased: that there was one, and nothing that tells who."""

from django.db import connection
from django.db.models import Q

from accounts.models import Workspace
from people.models import ConsentEvent, Recipient, Reply

# The verdicts on rows that were about them; of others' verdicts, what those say of their addresses.
FORGET = """
    WITH named AS (
        SELECT v.id, v.recipient_id = %(person)s
                     OR %(email)s <> '' AND strpos(lower(v.address), %(email)s) > 0
                     OR %(phone)s <> '' AND strpos(v.address, %(phone)s) > 0
                     OR {in_cells} AS is_theirs
        FROM people_importrow v JOIN people_import i ON i.id = v.upload_id
        WHERE i.workspace_id = %(workspace)s
          AND (v.recipient_id = %(person)s
               OR %(email)s <> '' AND strpos(lower(v.address || ' ' || v.reason), %(email)s) > 0
               OR %(phone)s <> '' AND strpos(v.address || ' ' || v.reason, %(phone)s) > 0
               OR {in_cells}))
    UPDATE people_importrow AS v
    SET reason = '', before = CASE WHEN is_theirs THEN NULL ELSE before END,
        cells = CASE WHEN is_theirs THEN NULL ELSE cells END,
        address = CASE WHEN is_theirs THEN '' ELSE address END,
        recipient_id = CASE WHEN is_theirs THEN NULL ELSE recipient_id END
    FROM named WHERE v.id = named.id
"""
# A rejected row is kept as it came, however its numbers were written, and of a changed one what was there before.
IN_CELLS = """(v.cells IS NOT NULL OR v.before IS NOT NULL) AND (
    %(email)s <> '' AND strpos(lower(concat(v.cells, v.before)), %(email)s) > 0
    OR %(phone)s <> ''
        AND strpos(regexp_replace(concat(v.cells, v.before), '[^0-9]', '', 'g'), substr(%(phone)s, 2)) > 0)"""
FORGET = FORGET.replace("{in_cells}", IN_CELLS)


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
