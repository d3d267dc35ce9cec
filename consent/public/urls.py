"""The addresses of the public pages. They hold secrets or codes, never a person's data."""

from django.urls import path

from consent.public import confirming, preferences, sign_up, unsubscribing

app_name = "public"
urlpatterns = [
    path("sign-up/<slug:code>/", sign_up.sign_up_page, name="sign-up"),
    path("api/sign-up/<slug:code>/", sign_up.sign_up_api, name="sign-up-api"),
    path("confirm/<str:token>/", confirming.confirm_page, name="confirm"),
    path("u/<str:link>/", unsubscribing.unsubscribe_page, name="unsubscribe"),
    path("preferences/<str:link>/", preferences.preferences_page, name="preferences"),
    path("preferences/<str:link>/consents/", preferences.consents_page, name="consents"),
    path("preferences/<str:link>/consents.json", preferences.consents_json, name="consents-json"),
]
