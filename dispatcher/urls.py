"""All addresses of the house: pages, the admin, and the sockets of the live pages."""

from django.contrib import admin
from django.urls import include, path, re_path

from dispatcher import (
    dry_run_views,
    operating_views,
    operations,
    person_views,
    reading_views,
    schedule_views,
    sender_views,
    shelf,
    shelf_views,
    trial_views,
    unsubscribe_views,
    variant_views,
    views,
)
from dispatcher.api.front_door import front_door
from dispatcher.busy import went_wrong
from dispatcher.consumers import WatchCampaign, WatchList, WatchNothing
from dispatcher.health import health
from dispatcher.metrics import metrics


def verb(name: str, operation, **options):
    """The button of a campaign: one word in address, view, operation and test."""
    address = name.replace("_", "-")
    return path(f"campaigns/<int:pk>/{address}/", views.operate, {"operation": operation, **options}, name=name)


handler500 = went_wrong
urlpatterns = [
    path("", views.campaigns, name="campaigns"),
    path("campaigns/live/", views.cards, name="campaigns-live"),
    path("campaigns/<int:pk>/", views.campaign, name="campaign"),
    path("campaigns/<int:pk>/live/", views.fragments, name="campaign-live"),
    path("campaigns/<int:pk>/people/", views.people, name="campaign-people"),
    path("campaigns/<int:pk>/messages/<int:number>/", views.message, name="message"),
    path("campaigns/<int:pk>/messages/<int:number>/mail/", views.message_mail, name="message-mail"),
    path("campaigns/<int:pk>/check/", views.check, name="check"),
    path("campaigns/<int:pk>/reading/", reading_views.reading, name="reading"),
    path("campaigns/<int:pk>/dry-run/", dry_run_views.dry_run, name="dry_run"),
    path("campaigns/<int:pk>/dry-run/live/", dry_run_views.dry_run_live, name="dry-run-live"),
    path("campaigns/<int:pk>/send-test/", trial_views.send_test, name="send_test"),
    path("campaigns/<int:pk>/send/", views.send, name="send"),
    path("campaigns/<int:pk>/undo/", views.undo, name="undo"),
    path("campaigns/<int:pk>/confirm/<slug:verb>/", views.confirm, name="confirm"),
    path("campaigns/<int:pk>/delete/", shelf_views.delete, name="campaign-delete"),
    path("campaigns/<int:pk>/duplicate/", shelf_views.duplicate, name="duplicate"),
    path("campaigns/<int:pk>/change-priority/", shelf_views.change_priority, name="change_priority"),
    path("campaigns/<int:pk>/variants/", variant_views.variants, name="variants"),
    path("campaigns/<int:pk>/variants/remove/", variant_views.remove, name="remove_variants"),
    path("campaigns/<int:pk>/choose-winner/<int:variant>/", variant_views.choose, name="choose_winner"),
    path("campaigns/<int:pk>/schedule/", schedule_views.schedule, name="schedule"),
    path("campaigns/when/", schedule_views.when, name="when"),
    path("series/", schedule_views.all_series, name="all-series"),
    path("series/<int:pk>/", schedule_views.series, name="series"),
    path("series/<int:pk>/skip/", schedule_views.skip, name="skip_next"),
    path("series/<int:pk>/end/", schedule_views.end, name="end_series"),
    path("series/<int:pk>/rule/", schedule_views.rule, name="change_rule"),
    verb("archive", shelf.archive),
    verb("unarchive", shelf.unarchive),
    verb("pause", operations.pause),
    verb("resume", operations.resume),
    verb("cancel", operations.cancel),
    verb("unschedule", operations.unschedule),
    verb("retry_failed", operations.retry_failed, takes="category numbers spare_dismissed"),
    verb("assume_delivered", operations.assume_delivered, takes="numbers"),
    verb("send_again", operations.send_again, takes="numbers"),
    path("attention/", operating_views.attention, name="attention"),
    path("attention/live/", operating_views.attention_live, name="attention-live"),
    path("attention/count/", operating_views.attention_count, name="attention-count"),
    path("attention/launches/<int:pk>/dismiss/", operating_views.dismiss_launch, name="dismiss_launch"),
    path("dead-letters/", operating_views.dead_letters, name="dead-letters"),
    path("dead-letters/<int:pk>/", operating_views.dead_letters_of, name="dead-letters-of"),
    path("dead-letters/retry/", operating_views.retry_dead, name="retry_dead"),
    path("dead-letters/dismiss/", operating_views.dismiss, name="dismiss"),
    path("dead-letters/<int:pk>/undismiss/", operating_views.undismiss, name="undismiss"),
    path("queue/", operating_views.queue, name="queue"),
    path("queue/live/", operating_views.queue_live, name="queue-live"),
    path("settings/senders/", sender_views.senders, name="senders"),
    path("settings/senders/outage/", sender_views.outage, name="outage"),
    path("settings/senders/outage/begin/", sender_views.begin_outage, name="begin-outage"),
    path("settings/senders/outage/end/", sender_views.end_outage, name="end-outage"),
    path("settings/senders/<slug:word>/", sender_views.sender, name="sender"),
    path("settings/senders/<slug:word>/test/", sender_views.test_sender, name="test-sender"),
    path("people/<int:pk>/", person_views.person, name="person"),
    path("people/<int:pk>/messages/", person_views.person_messages, name="person-messages"),
    path("people/<int:pk>/export/", person_views.export, name="export-person"),
    path("people/<int:pk>/erase/", person_views.erase, name="erase"),
    path("people/erasures/", person_views.erasures, name="erasures"),
    path("", include("campaigns.urls")),
    path("", include("people.urls")),
    path("", include("accounts.urls")),
    re_path(r"^api(?P<route>(?:/.*)?)$", front_door, name="api"),
    path("u/<str:token>", unsubscribe_views.preferences, name="unsubscribe"),
    path("o/<str:token>", unsubscribe_views.one_click, name="one-click"),
    path("health", health, name="health"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]

sockets = [
    path("ws/campaigns/", WatchList.as_asgi()),
    path("ws/campaigns/<int:pk>/", WatchCampaign.as_asgi()),
    re_path("", WatchNothing.as_asgi()),
]
