"""What the tests of pages share: a browser signed in as somebody with a role."""

from django.test import Client

from tests.factories import UserFactory


def client_of(role: str, *, language: str = "en") -> Client:
    """Return a client signed in with that role's permissions."""
    client = Client(headers={"accept-language": language})
    client.force_login(UserFactory(role=role))
    return client
