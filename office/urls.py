"""Where everything is: the kiosk API, the admin for base data, and the staff pages."""

from django.contrib import admin
from django.urls import include, path

from office.api.routes import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("", include("office.staff.pages.urls")),
]
