"""Accounts and roles in the admin, in the theme of the other pages."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, ManyToManyField, Q
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config.role_words import rights, role_name

admin.site.unregister(User)
admin.site.unregister(Group)


class RolesField(ModelMultipleChoiceField[Group]):
    """Roles by what people call them."""

    def label_from_instance(self, obj: Group) -> str:
        """Return the name of a role."""
        return role_name(obj.name)


@admin.register(User)
class UserAdmin(BaseUserAdmin[User], ModelAdmin):
    """Accounts. They are switched off rather than deleted: their name stays in the history."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "groups")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the roles of the whole list at once."""
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the few roles as boxes to tick."""
        if db_field.name == "groups":
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
            kwargs["form_class"] = RolesField
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description=_("roles"))
    def roles(self, user: User) -> str:
        """Return the names of the person's roles."""
        return ", ".join(role_name(group.name) for group in user.groups.all())

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Switch an account off instead."""
        return False


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    """Roles, as `create_roles` makes them from config/roles.py."""

    list_display = ("role", "people")
    readonly_fields = ("role", "may_do", "people")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Call the page what the menu calls it."""
        return super().changelist_view(request, {**(extra_context or {}), "plural": _("Roles")})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Call the role what people call it."""
        group = self.get_object(request, object_id)
        words = {"plural": _("Roles"), "singular": role_name(group.name) if group else ""}
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **words}
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count the people of every role at once."""
        active = Count("user", filter=Q(user__is_active=True))
        return super().get_queryset(request).annotate(people_count=active)

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        """Tell what a role may do in words; the bare list is for whoever may change it."""
        if self.has_change_permission(request, obj):
            return ("name", "permissions")
        return ("role", "people", "may_do")

    @admin.display(description=_("role"), ordering="name")
    def role(self, group: Group) -> str:
        """Return what people call it."""
        return role_name(group.name)

    @admin.display(description=_("people"), ordering="people_count")
    def people(self, group: Group) -> int:
        """Return how many can sign in with it."""
        return int(group.people_count)  # type: ignore[attr-defined]

    @admin.display(description=_("may"))
    def may_do(self, group: Group) -> str:
        """Return a line for each thing that the role may do something with."""
        rows = rights(group.permissions.select_related("content_type").order_by("pk"))
        lines = [(thing, " · ".join(deeds)) for thing, deeds in rows]
        listed = format_html_join("", "<li><b>{}</b> – {}</li>", lines)
        return format_html('<ul class="o-flat o-rights">{}</ul>', listed)
