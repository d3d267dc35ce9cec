"""People with roles, and the smallest campaign with customers who may and may not be reached."""

import pytest
from django.contrib.auth.models import Group, User


@pytest.fixture
def make_user(db):
    def make(name, role):
        user = User.objects.create_user(name, password="a-password-for-tests", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        return user

    return make


@pytest.fixture
def marketer(make_user):
    return make_user("maud", "marketer")


@pytest.fixture
def dpo(make_user):
    return make_user("diane", "dpo")


@pytest.fixture
def steward(make_user):
    return make_user("simon", "steward")


@pytest.fixture
def as_marketer(client, marketer):
    client.force_login(marketer)
    return client
