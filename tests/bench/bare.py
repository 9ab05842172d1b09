"""The addresses of the house and one more, which answers static JSON: as little as Django can do."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

PATH = "bare"


@login_not_required
def bare(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"data": [], "pagination": {"page": 1, "page_size": 20, "total_count": 0, "total_pages": 0}})


handler500 = "dispatcher.busy.went_wrong"
urlpatterns = [path(PATH, bare), path("", include("dispatcher.urls"))]
