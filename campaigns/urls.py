from django.urls import path

from campaigns import image_views, library_views, personaliser_views, views, wording_views

urlpatterns = [
    path("campaigns/new/", views.new, name="campaign-new"),
    path("campaigns/<int:pk>/edit/", views.edit, name="campaign-edit"),
    path("campaigns/<int:pk>/wordings/<int:variant>/", wording_views.wording, name="wording"),
    path("campaigns/preview/", views.show_preview, name="campaign-preview"),
    path("campaigns/preview/mail/", views.show_mail, name="campaign-preview-mail"),
    path("campaigns/<int:pk>/mail/", views.mail, name="campaign-mail"),
    path("campaigns/preview/readers/", views.find_reader, name="campaign-readers"),
    path("campaigns/pick/", views.pick, name="campaign-pick"),
    path("templates/", library_views.templates, name="templates"),
    path("templates/new/", library_views.template_new, name="template-new"),
    path("templates/<int:pk>/", library_views.template, name="template"),
    path("templates/<int:pk>/mail/", library_views.template_mail, name="template-mail"),
    path("templates/<int:pk>/edit/", library_views.template_edit, name="template-edit"),
    path("templates/<int:pk>/restore/<int:number>/", library_views.template_restore, name="template-restore"),
    path("templates/<int:pk>/duplicate/", library_views.template_duplicate, name="template-duplicate"),
    path("templates/<int:pk>/archive/", library_views.template_archive, name="template-archive"),
    path("templates/<int:pk>/unarchive/", library_views.template_unarchive, name="template-unarchive"),
    path("templates/<int:pk>/delete/", library_views.template_delete, name="template-delete"),
    path("campaigns/<int:pk>/save-as-template/", library_views.save_as_template, name="save-as-template"),
    path("images/", image_views.images, name="images"),
    path("images/add/", image_views.image_add, name="image-add"),
    path("images/<int:pk>/", image_views.image, name="image"),
    path("images/<int:pk>/delete/", image_views.image_delete, name="image-delete"),
    path("i/small/<str:name>", image_views.image_small, name="image-small"),
    path("i/<str:name>", image_views.image_file, name="image-file"),
    path("settings/personalisers/", personaliser_views.personalisers, name="personalisers"),
    path("settings/personalisers/<slug:name>/", personaliser_views.personaliser, name="personaliser"),
]
