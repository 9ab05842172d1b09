from django.urls import path

from people import import_views, reply_views, segment_views, suppression_views, views

urlpatterns = [
    path("replies/", reply_views.replies, name="replies"),
    path("replies/note/", reply_views.note_reply, name="note-reply"),
    path("settings/consent/", reply_views.consent_settings, name="consent-settings"),
    path("settings/suppression/", suppression_views.show_list, name="suppression"),
    path("settings/suppression/add/", suppression_views.suppress, name="suppress"),
    path("settings/suppression/import/", suppression_views.bring_in, name="suppression-import"),
    path("settings/suppression/download/", suppression_views.download, name="suppression-download"),
    path("settings/suppression/<int:pk>/release/", suppression_views.release, name="release"),
    path("people/", views.people, name="people"),
    path("people/new/", views.person, name="person-new"),
    path("people/<int:pk>/", views.person, name="person-edit"),
    path("people/import/", import_views.import_new, name="import-new"),
    path("people/imports/", import_views.imports, name="imports"),
    path("people/imports/<int:pk>/", import_views.show_import, name="import"),
    path("people/imports/<int:pk>/progress/", import_views.progress, name="import-progress"),
    path("groups/", views.groups, name="groups"),
    path("groups/new/", views.group, name="group-new"),
    path("groups/<int:pk>/", views.group, name="group-edit"),
    path("groups/<int:pk>/delete/", views.group_delete, name="group-delete"),
    path("segments/", segment_views.segments, name="segments"),
    path("segments/new/", segment_views.segment, name="segment-new"),
    path("segments/draw/", segment_views.draw, name="segment-draw"),
    path("segments/count/", segment_views.count, name="segment-count"),
    path("segments/<int:pk>/", segment_views.segment, name="segment-edit"),
    path("segments/<int:pk>/duplicate/", segment_views.duplicate, name="segment-duplicate"),
    path("segments/<int:pk>/delete/", segment_views.delete, name="segment-delete"),
]
