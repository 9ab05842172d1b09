"""The list of people as a file."""

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, may
from people.export import export as exported
from people.views import asked_for


@require_GET
@may("send")
def export(request: MemberRequest) -> StreamingHttpResponse:
    """Whoever the filters of the list leave."""
    name = f"people-{timezone.localtime():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        exported(request.workspace, asked_for(request), by=request.user),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
