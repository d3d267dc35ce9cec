"""Every door of the web process."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config import health
from config.customer_page import CustomerPage
from mdm import urls as mdm_urls

# The customer page draws on every app, so it stands in config, under the names of mdm.
customer_page = path("customers/<str:public_id>/", CustomerPage.as_view(), name="customer")

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include(([*mdm_urls.urlpatterns, customer_page], mdm_urls.app_name))),
    path("", include("matching.urls")),
    path("", include("consent.urls")),
    path("", include("consent.public.urls")),
    path("", include("campaigns.urls")),
]
