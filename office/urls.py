"""Where everything is: the kiosk API, the admin for base data, the public page and the staff pages."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from office.api.routes import api

urlpatterns = [
    path("api/v1/", api.urls),
    # One door: the admin's own would know neither the lock nor the second factor.
    path("admin/login/", RedirectView.as_view(pattern_name="office:signin", query_string=True)),
    path("admin/", admin.site.urls),
    path("m/", include("office.public.urls")),
    path("", include("office.staff.pages.urls")),
]
