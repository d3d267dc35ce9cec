"""The pages of consent."""

app_name = "consent"
urlpatterns: list[object] = []
