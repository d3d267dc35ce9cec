"""The pages of this app."""

from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from campaigns import views

app_name = "campaigns"
urlpatterns = [
    path("campaigns/", views.CampaignListPage.as_view(), name="home"),
    path("campaigns/new/", views.NewCampaignPage.as_view(), name="new"),
    path("campaigns/<int:pk>/", views.CampaignPage.as_view(), name="campaign"),
    path("campaigns/<int:pk>/preview/", require_POST(views.preview), name="preview"),
    path("campaigns/<int:pk>/count/", require_POST(views.count_people), name="count"),
    path("campaigns/<int:pk>/freeze/", require_POST(views.freeze), name="freeze"),
    path("lists/<int:pk>/", views.TargetListPage.as_view(), name="list"),
    path(
        "lists/<int:pk>/download/",
        never_cache(require_POST(views.download_list)),
        name="download",
    ),
    path(
        "lists/<int:pk>/withdrawn/",
        never_cache(require_POST(views.download_withdrawn)),
        name="withdrawn",
    ),
    path("downloads/", views.DownloadsPage.as_view(), name="downloads"),
]
