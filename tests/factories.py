"""Factories that no app owns: the people who work with Orfèvre."""

from typing import Any

import factory
from django.contrib.auth.models import Group, User
from factory.django import DjangoModelFactory

PASSWORD = "a-password-for-tests"


class UserFactory(DjangoModelFactory):
    """A member of staff; `UserFactory(role="steward")` gives the role's permissions too."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence("user{}".format)
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password(PASSWORD)
    is_staff = True

    @factory.post_generation
    def role(self: User, create: bool, role: str | None, **kwargs: Any) -> None:
        if create and role:
            self.groups.add(Group.objects.get(name=role))
