"""Every door of the web process."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("", include("mdm.urls")),
    path("", include("matching.urls")),
    path("", include("consent.urls")),
    path("", include("campaigns.urls")),
]
