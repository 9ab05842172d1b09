from django.urls import path

from campaigns import views

urlpatterns = [
    path("campaigns/new/", views.new, name="campaign-new"),
    path("campaigns/<int:pk>/edit/", views.edit, name="campaign-edit"),
    path("campaigns/preview/", views.show_preview, name="campaign-preview"),
    path("campaigns/preview/readers/", views.find_reader, name="campaign-readers"),
    path("campaigns/pick/", views.pick, name="campaign-pick"),
]
