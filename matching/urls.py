"""The pages of this app."""

from django.urls import path

from matching import resemblance_pages, rule_pages, run_pages, undo_pages, views

app_name = "matching"
urlpatterns = [
    path("api/records/similar/", resemblance_pages.similar_api, name="api-similar"),
    path("similar/", resemblance_pages.SimilarPage.as_view(), name="similar"),
    path("matching/", run_pages.HomePage.as_view(), name="home"),
    path("matching/agreement/", run_pages.AgreementPage.as_view(), name="agreement"),
    path("matching/start/", run_pages.StartPage.as_view(), name="start"),
    path("matching/runs/<int:pk>/", run_pages.RunPage.as_view(), name="run"),
    path("matching/runs/<int:pk>/quality/", run_pages.QualityPage.as_view(), name="run-quality"),
    path("matching/runs/<int:pk>/undo/", undo_pages.ask, name="run-undo-ask"),
    path("matching/runs/<int:pk>/undo/now/", undo_pages.undo_now, name="run-undo-now"),
    path(
        "matching/runs/<int:pk>/undo/<uuid:job>/",
        undo_pages.RunUndoPage.as_view(),
        name="run-undo",
    ),
    path("review/", views.ReviewPage.as_view(), name="review"),
    path("review/<int:task>/", views.ReviewPage.as_view(), name="review"),
    path("review/<int:task>/answer/", views.AnswerPage.as_view(), name="answer"),
    path("review/undo/", views.UndoPage.as_view(), name="undo"),
    path("matching/rules/", rule_pages.RulesPage.as_view(), name="rules"),
    path("matching/rules/edit/", rule_pages.edit, name="rules-edit"),
    path("matching/rules/save/", rule_pages.save, name="rules-save"),
    path("matching/rules/discard/", rule_pages.discard, name="rules-discard"),
    path("matching/rules/activate/", rule_pages.activate, name="rules-activate"),
    path("matching/rules/<int:version>/return/", rule_pages.edit, name="rules-return"),
]
