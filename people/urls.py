from django.urls import path

from people import import_views, segment_views, views

urlpatterns = [
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
