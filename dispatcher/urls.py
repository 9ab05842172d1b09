"""All addresses of the house: pages, the admin, and the sockets of the live pages."""

from django.contrib import admin
from django.urls import include, path, re_path

from dispatcher import operations, views
from dispatcher.api import front_door
from dispatcher.consumers import WatchCampaign, WatchList, WatchNothing
from dispatcher.health import health


def verb(name: str, operation, **options):
    """The button of a campaign: one word in address, view, operation and test."""
    address = name.replace("_", "-")
    return path(f"campaigns/<int:pk>/{address}/", views.operate, {"operation": operation, **options}, name=name)


urlpatterns = [
    path("", views.campaigns, name="campaigns"),
    path("campaigns/live/", views.cards, name="campaigns-live"),
    path("campaigns/<int:pk>/", views.campaign, name="campaign"),
    path("campaigns/<int:pk>/live/", views.fragments, name="campaign-live"),
    path("campaigns/<int:pk>/people/", views.people, name="campaign-people"),
    path("campaigns/<int:pk>/messages/<int:number>/", views.message, name="message"),
    path("campaigns/<int:pk>/check/", views.check, name="check"),
    path("campaigns/<int:pk>/send/", views.send, name="send"),
    path("campaigns/<int:pk>/confirm/<slug:verb>/", views.confirm, name="confirm"),
    verb("pause", operations.pause),
    verb("resume", operations.resume),
    verb("cancel", operations.cancel),
    verb("unschedule", operations.unschedule),
    verb("retry_failed", operations.retry_failed, takes="category"),
    verb("assume_delivered", operations.assume_delivered, takes="numbers"),
    verb("send_again", operations.send_again, takes="numbers"),
    path("", include("campaigns.urls")),
    path("", include("people.urls")),
    path("", include("accounts.urls")),
    re_path(r"^api(?P<route>(?:/.*)?)$", front_door, name="api"),
    path("health", health, name="health"),
    path("admin/", admin.site.urls),
]

sockets = [
    path("ws/campaigns/", WatchList.as_asgi()),
    path("ws/campaigns/<int:pk>/", WatchCampaign.as_asgi()),
    re_path("", WatchNothing.as_asgi()),
]
