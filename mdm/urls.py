"""The pages of this app."""

from django.urls import path

from mdm import (
    api,
    batch_pages,
    job_pages,
    load_pages,
    mapping_pages,
    quality_pages,
    relation_pages,
    source_pages,
    survivorship_pages,
)
from mdm.search_page import SearchPage

app_name = "mdm"
urlpatterns = [
    path("api/customers/<str:public_id>/", api.customer, name="api-customer"),
    path("search/", SearchPage.as_view(), name="search"),
    path("jobs/", job_pages.JobListPage.as_view(), name="jobs"),
    path("jobs/<uuid:pk>/", job_pages.JobPage.as_view(), name="job"),
    path("jobs/<uuid:pk>/state/", job_pages.job_state, name="job-state"),
    path("jobs/<uuid:pk>/cancel/", job_pages.cancel_job, name="job-cancel"),
    path("jobs/<uuid:pk>/retry/", job_pages.retry_job, name="job-retry"),
    path("loads/new/", load_pages.LoadPage.as_view(), name="load-new"),
    path("loads/<int:pk>/", batch_pages.BatchPage.as_view(), name="batch"),
    path("loads/<int:pk>/apply/", batch_pages.apply_batch, name="batch-apply"),
    path("loads/<int:pk>/throw-away/", batch_pages.throw_batch_away, name="batch-throw-away"),
    path("loads/<int:pk>/ask-undo/", batch_pages.ask_undo, name="batch-ask-undo"),
    path("loads/<int:pk>/undo/", batch_pages.undo_batch, name="batch-undo-now"),
    path("loads/<int:pk>/undo/<uuid:job>/", batch_pages.UndoPage.as_view(), name="batch-undo"),
    path(
        "loads/<int:pk>/issues/<slug:attribute>/<slug:code>/",
        batch_pages.BatchIssuePage.as_view(),
        name="batch-issue",
    ),
    path("mappings/<uuid:pk>/", mapping_pages.MappingPage.as_view(), name="mapping-draft"),
    path("mappings/<uuid:pk>/preview/", mapping_pages.preview_draft, name="mapping-preview"),
    path("mappings/<int:pk>.toml", mapping_pages.download_mapping, name="mapping-download"),
    path(
        "sources/<slug:code>/mapping/",
        mapping_pages.VersionsPage.as_view(),
        name="mapping-versions",
    ),
    path("sources/<slug:code>/read/", source_pages.read_database, name="source-read"),
    path("loads/<int:pk>/rejects.csv", batch_pages.download_rejects, name="batch-rejects"),
    path("survivorship/", survivorship_pages.SurvivorshipPage.as_view(), name="survivorship"),
    path("survivorship/edit/", survivorship_pages.edit, name="survivorship-edit"),
    path("survivorship/save/", survivorship_pages.DraftPage.as_view(), name="survivorship-save"),
    path("survivorship/discard/", survivorship_pages.discard, name="survivorship-discard"),
    path("survivorship/activate/", survivorship_pages.activate, name="survivorship-activate"),
    path("survivorship/go-on/", survivorship_pages.go_on, name="survivorship-go-on"),
    path(
        "survivorship/<int:version>/return/", survivorship_pages.edit, name="survivorship-return"
    ),
    path("customers/<str:public_id>/relations/", relation_pages.add, name="relation-add"),
    path(
        "customers/<str:public_id>/relations/<int:pk>/retract/",
        relation_pages.take_back,
        name="relation-take-back",
    ),
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
