"""Every door of the web process."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from config import health
from config.access.pages import AccessPackPage
from config.customer_page import CustomerPage
from config.permission_preview_pages import PairPermissionsPage
from config.pin_pages import PinPage, UnpinPage
from config.repair_pages import GiveIdBackPage, RepairPage, UndoPage
from mdm import urls as mdm_urls

admin.autodiscover()

# The customer page draws on every app, so it stands in config, under the names of mdm.
customer_pages = [
    path("customers/<str:public_id>/", CustomerPage.as_view(), name="customer"),
    path("customers/<str:public_id>/repair/", RepairPage.as_view(), name="customer-repair"),
    path("customers/<str:public_id>/undo/", UndoPage.as_view(), name="customer-undo"),
    path(
        "customers/<str:public_id>/give-id-back/",
        GiveIdBackPage.as_view(),
        name="customer-give-id-back",
    ),
    path("review/<int:task>/permissions/", PairPermissionsPage.as_view(), name="pair-permissions"),
    path(
        "customers/<str:public_id>/access-pack/",
        AccessPackPage.as_view(),
        name="customer-access-pack",
    ),
    path("customers/<str:public_id>/pin/", PinPage.as_view(), name="customer-pin"),
    path("customers/<str:public_id>/unpin/", UnpinPage.as_view(), name="customer-unpin"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include(([*mdm_urls.urlpatterns, *customer_pages], mdm_urls.app_name))),
    path("", include("matching.urls")),
    path("", include("consent.urls")),
    path("", include("consent.public.urls")),
    path("", include("campaigns.urls")),
]
