"""Short addresses: they stand in a QR code on paper."""

from django.urls import path

from office.public import pages

app_name = "public"

urlpatterns = [
    path("", pages.form, name="form"),
    path("<str:number>/<str:check>", pages.by_link, name="by_link"),
]
