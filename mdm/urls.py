"""The pages of this app."""

from django.urls import path

from mdm import job_pages, load_pages, quality_pages
from mdm.search_page import SearchPage

app_name = "mdm"
urlpatterns = [
    path("search/", SearchPage.as_view(), name="search"),
    path("jobs/", job_pages.JobListPage.as_view(), name="jobs"),
    path("jobs/<uuid:pk>/", job_pages.JobPage.as_view(), name="job"),
    path("jobs/<uuid:pk>/state/", job_pages.job_state, name="job-state"),
    path("jobs/<uuid:pk>/cancel/", job_pages.cancel_job, name="job-cancel"),
    path("loads/new/", load_pages.LoadPage.as_view(), name="load-new"),
    path("loads/<int:pk>/", load_pages.BatchPage.as_view(), name="batch"),
    path("loads/<int:pk>/rejects.csv", load_pages.download_rejects, name="batch-rejects"),
    path("quality/", quality_pages.QualityPage.as_view(), name="quality"),
    path("quality/count/", quality_pages.count_again, name="quality-count"),
    path(
        "quality/sources/<slug:source>/<slug:attribute>/",
        quality_pages.AttributePage.as_view(),
        name="quality-attribute",
    ),
    path("quality/shared/<slug:kind>/", quality_pages.SharedPage.as_view(), name="quality-shared"),
    path(
        "quality/shared/<slug:kind>/<int:pk>/",
        quality_pages.CarriersPage.as_view(),
        name="quality-carriers",
    ),
]
