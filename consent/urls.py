"""The pages of consent."""

from django.urls import path

from consent import views

app_name = "consent"
urlpatterns = [
    path("consent/events/", views.EventsPage.as_view(), name="events"),
    path("consent/events/<uuid:uuid>/", views.EventPage.as_view(), name="event"),
    path(
        "consent/customers/<slug:public_id>/",
        views.CustomerConsentPage.as_view(),
        name="customer",
    ),
]
