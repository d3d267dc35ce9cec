"""The pages of this app."""

from django.urls import path

from matching import run_pages, views

app_name = "matching"
urlpatterns = [
    path("matching/", run_pages.HomePage.as_view(), name="home"),
    path("matching/start/", run_pages.StartPage.as_view(), name="start"),
    path("matching/runs/<int:pk>/", run_pages.RunPage.as_view(), name="run"),
    path("review/", views.ReviewPage.as_view(), name="review"),
    path("review/<int:task>/", views.ReviewPage.as_view(), name="review"),
    path("review/<int:task>/answer/", views.AnswerPage.as_view(), name="answer"),
    path("review/undo/", views.UndoPage.as_view(), name="undo"),
]
