from django.urls import path

from campaigns import image_views, personaliser_views, views, wording_views

urlpatterns = [
    path("campaigns/new/", views.new, name="campaign-new"),
    path("campaigns/<int:pk>/edit/", views.edit, name="campaign-edit"),
    path("campaigns/<int:pk>/wordings/<int:variant>/", wording_views.wording, name="wording"),
    path("campaigns/preview/", views.show_preview, name="campaign-preview"),
    path("campaigns/preview/mail/", views.show_mail, name="campaign-preview-mail"),
    path("campaigns/<int:pk>/mail/", views.mail, name="campaign-mail"),
    path("campaigns/preview/readers/", views.find_reader, name="campaign-readers"),
    path("campaigns/pick/", views.pick, name="campaign-pick"),
    path("images/", image_views.images, name="images"),
    path("images/add/", image_views.image_add, name="image-add"),
    path("images/<int:pk>/", image_views.image, name="image"),
    path("images/<int:pk>/delete/", image_views.image_delete, name="image-delete"),
    path("i/small/<str:name>", image_views.image_small, name="image-small"),
    path("i/<str:name>", image_views.image_file, name="image-file"),
    path("settings/personalisers/", personaliser_views.personalisers, name="personalisers"),
    path("settings/personalisers/<slug:name>/", personaliser_views.personaliser, name="personaliser"),
]
