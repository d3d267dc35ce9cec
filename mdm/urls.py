"""The pages of this app."""

from django.urls import path

from mdm import job_pages
from mdm.search_page import SearchPage

app_name = "mdm"
urlpatterns = [
    path("search/", SearchPage.as_view(), name="search"),
    path("jobs/", job_pages.JobListPage.as_view(), name="jobs"),
    path("jobs/<uuid:pk>/", job_pages.JobPage.as_view(), name="job"),
    path("jobs/<uuid:pk>/state/", job_pages.job_state, name="job-state"),
    path("jobs/<uuid:pk>/cancel/", job_pages.cancel_job, name="job-cancel"),
]
