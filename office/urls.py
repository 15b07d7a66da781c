"""Where everything is: the kiosk API, the admin for base data, the public page and the staff pages."""

from django.contrib import admin
from django.urls import include, path

from office.api.routes import api
from office.staff.pages import signin

urlpatterns = [
    path("api/v1/", api.urls),
    path("admin/login/", signin.admin_door),
    path("admin/", admin.site.urls),
    path("m/", include("office.public.urls")),
    path("", include("office.staff.pages.urls")),
]
