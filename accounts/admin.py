"""Users, workspaces, keys and the audit log in the admin. Nothing here is deleted: users are locked, keys revoked."""

from axes.models import AccessAttempt
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import api_keys, two_factor
from accounts.back_office import Audited, ReadOnly, asker, log
from accounts.models import ApiKey, AuditEntry, AuditLink, Invitation, KeptAnswer, Membership, Role, User, Workspace

RIGHTS = ("is_staff", "is_superuser")
LIMITS = ("sends_per_minute", "open_messages")
GIVEN = (*RIGHTS, "groups", "user_permissions")


def may_enter(request: HttpRequest) -> bool:
    """Staff; with a second factor as soon as any workspace asks its members for one: the admin shows all of them."""
    user = request.user
    if not (isinstance(user, User) and user.is_active and user.is_staff):
        return False
    return user.has_two_factor or not Workspace.objects.filter(requires_two_factor=True).exists()


admin.site.has_permission = may_enter  # type: ignore[method-assign]
# Their pages show the secrets of the second step; a lost one is turned off on the page of the member.
admin.site.unregister([TOTPDevice, StaticDevice])


class OneOwnerStays(BaseInlineFormSet):
    """Here, too, a workspace cannot lose its last owner."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form not in self.deleted_forms]
        owned = {form.instance.workspace_id for form in kept if form.instance.role == Role.OWNER}
        were = [form for form in self.initial_forms if form.initial["role"] == Role.OWNER]
        lost = [form.instance for form in were if form in self.deleted_forms or form.instance.role != Role.OWNER]
        owners = Membership.objects.filter(role=Role.OWNER).exclude(pk__in=[one.pk for one in lost])
        if any(not owners.filter(workspace=one.workspace_id).exists() for one in lost if one.workspace_id not in owned):
            raise ValidationError("A workspace keeps at least one owner: make somebody else an owner first.")


class Memberships(admin.TabularInline):
    model = Membership
    formset = OneOwnerStays
    extra = 0
    autocomplete_fields = ("user", "workspace")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("user", "workspace")

    # Whoever could write here could make himself the owner of any workspace.
    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)


@admin.register(User)
class Users(Audited, UserAdmin):
    """Staff who may change users cannot make anybody, or themselves, more than they are, nor become anybody else."""

    list_display = ("email", "name", "is_active", *RIGHTS, "last_login")
    list_filter = ("is_active", *RIGHTS, "created_at")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "created_at")
    inlines = (Memberships,)
    form = UserChangeForm
    add_form = AdminUserCreationForm
    hidden = ("password",)
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("What they may do", {"fields": ("is_active", *GIVEN)}),
        ("When", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.readonly_fields if is_superuser(request) else (*self.readonly_fields, *GIVEN)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever can set the password of somebody can act as them: of staff, only a superuser may."""
        is_staff = isinstance(obj, User) and obj.pk != request.user.pk and (obj.is_staff or obj.is_superuser)
        return super().has_change_permission(request, obj) and (not is_staff or is_superuser(request))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302:
            user = User.objects.get(pk=id)
            two_factor.forget_unfinished(user)
            log(request, "change_password", user)
        return answer


def is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


@admin.register(Workspace)
class Workspaces(Audited):
    """Deleting one would forget every campaign and person of it, so nobody can do that here.

    What it may do beyond what the installation allows is for superusers to say.
    """

    list_display = ("name", "time_zone", "retry_policy", "requires_two_factor", *LIMITS, "created_at")
    list_filter = ("retry_policy", "requires_two_factor", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at",)
    inlines = (Memberships,)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.readonly_fields if is_superuser(request) else (*self.readonly_fields, *LIMITS)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Membership)
class AllMemberships(ReadOnly):
    """Changed on the page of the user or of the workspace."""

    list_display = ("user", "workspace", "role")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__email", "workspace__name")


@admin.register(Invitation)
class Invitations(ReadOnly):
    """Made and taken back by the admins of a workspace."""

    list_display = ("email", "workspace", "role", "created_at", "expires_at", "accepted_at", "revoked_at")
    list_filter = ("role", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("email", "workspace__name")
    exclude = ("digest",)


@admin.action(description="Revoke the chosen keys", permissions=["change"])
def revoke(modeladmin: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    revoked = sum(api_keys.revoke_key(key, by=asker(request)) for key in queryset.select_related("workspace"))
    modeladmin.message_user(request, f"Revoked: {revoked}.", messages.SUCCESS)
    if rest := queryset.count() - revoked:
        modeladmin.message_user(request, f"Revoked before: {rest}.", messages.WARNING)


@admin.register(ApiKey)
class ApiKeys(Audited):
    """Keys can be named, limited and revoked here; a new one is made where its secret can be shown once."""

    times = ("created_at", "expires_at", "revoked_at", "last_used_at")
    list_display = ("name", "prefix", "workspace", "role", "made_by", *times)
    list_filter = ("role", "revoked_at", "expires_at")
    list_select_related = ("workspace", "made_by")
    search_fields = ("name", "prefix", "workspace__name")
    fields = ("workspace", "name", "role", "prefix", "made_by", *times)
    readonly_fields = ("workspace", "prefix", "made_by", "created_at", "revoked_at", "last_used_at")
    actions = (revoke,)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A role is worth what it may do: only superusers give another."""
        return self.readonly_fields if is_superuser(request) else (*self.readonly_fields, "role")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntries(ReadOnly):
    list_display = ("id", "at", "workspace_id", "who", "verb", "kind", "about", "address", "request_id")
    list_filter = ("actor_kind", "at")
    search_fields = ("=verb", "=kind", "actor", "about", "=request_id")
    ordering = ("-id",)

    @admin.display(description="who", ordering="actor")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor or entry.get_actor_kind_display()


@admin.register(AuditLink)
class AuditLinks(ReadOnly):
    list_display = ("entry_id", "workspace", "number", "digest")
    search_fields = ("=digest",)
    ordering = ("-entry_id",)


class Permissions(ReadOnly):
    """What staff may be given; Django makes one for every model."""

    list_display = ("name", "codename", "content_type")
    list_select_related = ("content_type",)
    search_fields = ("name", "codename")


admin.site.register(Permission, Permissions)
# Sets of permissions for staff; the registered form of Django would write nothing into the audit log.
admin.site.unregister(Group)


@admin.register(Group)
class StaffGroups(Audited):
    """Changed by superusers alone: whoever is in a group may do what it says."""

    list_display = ("name",)
    search_fields = ("name",)
    filter_horizontal = ("permissions",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_superuser(request)

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **options):
        if db_field.name == "permissions":
            options["queryset"] = Permission.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **options)


@admin.register(AccessAttempt)
class Attempts(ReadOnly):
    """Wrong passwords of the last quarter of an hour, by who and from where."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    search_fields = ("username", "ip_address")
    fields = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent", "path_info")


@admin.register(KeptAnswer)
class KeptAnswers(ReadOnly):
    """What programs were answered of late under their Idempotency-Keys."""

    list_display = ("at", "workspace", "key", "status")
    list_filter = ("status",)
    list_select_related = ("workspace",)
    fields = ("workspace", "key", "status", "at")
