"""The pages of consent."""

from django.urls import path

from consent import (
    at_risk_pages,
    call_pages,
    conflict_pages,
    ledger_pages,
    notice_pages,
    policy_pages,
    quarantine_pages,
    running_out_pages,
    staff_views,
    suppression_pages,
    views,
)
from consent.erasure_pages import ErasePage
from consent.proof.pages import ProofPackPage

app_name = "consent"
urlpatterns = [
    path("consent/events/", views.EventsPage.as_view(), name="events"),
    path("consent/events/<uuid:uuid>/", views.EventPage.as_view(), name="event"),
    path(
        "consent/customers/<slug:public_id>/",
        views.CustomerConsentPage.as_view(),
        name="customer",
    ),
    path(
        "consent/customers/<slug:public_id>/off-line/",
        staff_views.OfflinePage.as_view(),
        name="offline",
    ),
    path(
        "consent/customers/<slug:public_id>/objection/",
        staff_views.ObjectionPage.as_view(),
        name="objection",
    ),
    path(
        "consent/customers/<slug:public_id>/request/",
        staff_views.ReceivedRequestPage.as_view(),
        name="receive-request",
    ),
    path("consent/rehearsal/", views.RehearsalPage.as_view(), name="rehearsal"),
    path("consent/at-risk/", at_risk_pages.AtRiskPage.as_view(), name="at-risk"),
    path(
        "consent/at-risk/<slug:code>/", at_risk_pages.ReasonPage.as_view(), name="at-risk-reason"
    ),
    path("consent/conflicts/", conflict_pages.ConflictsPage.as_view(), name="conflicts"),
    path(
        "consent/conflicts/<slug:public_id>/",
        conflict_pages.ResolvePage.as_view(),
        name="conflict-resolve",
    ),
    path("consent/calls/", call_pages.CallDeskPage.as_view(), name="calls"),
    path("consent/ledger/", ledger_pages.LedgerPage.as_view(), name="ledger"),
    path("consent/customers/<slug:public_id>/proof/", ProofPackPage.as_view(), name="proof-pack"),
    path("consent/notices/<int:pk>/", notice_pages.NoticePage.as_view(), name="notice"),
    path(
        "consent/notices/<int:pk>/picture/",
        notice_pages.AddPicture.as_view(),
        name="notice-add-picture",
    ),
    path(
        "consent/notices/pictures/<uuid:uuid>/",
        notice_pages.Picture.as_view(),
        name="notice-picture",
    ),
    path("consent/policy/", policy_pages.PolicyPage.as_view(), name="policy"),
    path("consent/policy/edit/", policy_pages.edit, name="policy-edit"),
    path("consent/policy/file/", policy_pages.load_file, name="policy-load"),
    path("consent/policy/discard/", policy_pages.discard, name="policy-discard"),
    path("consent/policy/sign/", policy_pages.sign, name="policy-sign"),
    path("consent/policy/unsign/", policy_pages.withdraw_signature, name="policy-unsign"),
    path("consent/policy/activate/", policy_pages.activate, name="policy-activate"),
    path("consent/policy/<int:version>/edit/", policy_pages.edit, name="policy-return"),
    path(
        "consent/policy/<int:version>/file/", policy_pages.PolicyFile.as_view(), name="policy-file"
    ),
    path(
        "consent/policy/<int:version>/take-back/", policy_pages.take_back, name="policy-take-back"
    ),
    path("consent/running-out/", running_out_pages.RunningOutPage.as_view(), name="running-out"),
    path("consent/suppression/", suppression_pages.SuppressionPage.as_view(), name="suppression"),
    path("consent/brokers/", quarantine_pages.BrokersPage.as_view(), name="brokers"),
    path(
        "consent/brokers/<int:pk>/",
        quarantine_pages.BrokerFilePage.as_view(),
        name="broker-file",
    ),
    path("consent/requests/", staff_views.RequestsPage.as_view(), name="requests"),
    path("consent/requests/<uuid:uuid>/erase/", ErasePage.as_view(), name="erase"),
    path("consent/requests/<uuid:uuid>/", staff_views.RequestPage.as_view(), name="request"),
    path(
        "consent/evidence/<uuid:uuid>/", staff_views.EvidenceFile.as_view(), name="evidence-file"
    ),
]
