"""Paths and their views."""

from django.urls import path

from django_project import views

urlpatterns = [
    path("", views.index),
    path("names/<str:name>", views.name_of),
    path("query", views.query),
    path("form", views.form),
    path("upload", views.upload),
    path("raw", views.raw),
    path("cookies", views.cookies),
    path("cookies/set", views.set_cookies),
    path("session", views.visitor),
    path("redirect", views.redirection),
    path("landed", views.landed),
    path("stream", views.stream),
    path("file", views.file),
    path("method", views.method),
    path("error", views.error),
    path("unread", views.unread),
    path("remote-port", views.remote_port),
]
