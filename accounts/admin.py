from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.http import HttpRequest

from accounts.models import ApiKey, Membership, User, Workspace

RIGHTS = ("is_staff", "is_superuser")
TIMES = ("created_at", "expires_at", "revoked_at", "last_used_at")


class Memberships(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user", "workspace")


@admin.register(User)
class Users(UserAdmin):
    list_display = ("email", "name", "is_active", *RIGHTS, "last_login")
    list_filter = ("is_active", *RIGHTS)
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "created_at")
    inlines = (Memberships,)
    form = UserChangeForm
    add_form = AdminUserCreationForm
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("What they may do", {"fields": ("is_active", *RIGHTS, "groups", "user_permissions")}),
        ("When", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)


@admin.register(Workspace)
class Workspaces(admin.ModelAdmin):
    list_display = ("name", "time_zone", "retry_policy", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
    inlines = (Memberships,)


@admin.register(ApiKey)
class ApiKeys(admin.ModelAdmin):
    """Keys can be named, limited and revoked here; a new one is made where its secret can be shown once."""

    list_display = ("name", "prefix", "workspace", "role", *TIMES)
    list_filter = ("workspace", "role")
    list_select_related = ("workspace",)
    search_fields = ("name", "prefix")
    fields = ("workspace", "name", "role", "prefix", "digest", *TIMES)
    readonly_fields = ("workspace", "prefix", "digest", "created_at", "last_used_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
