"""Who works here: people with an email login, the workspaces they belong to, and the keys of their programs."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django_otp.plugins.otp_totp.models import TOTPDevice


def as_kept(email: str | None) -> str:
    """An email address in the one form it is kept, looked up and counted in.

    Never compared by the database without regard to case: PostgreSQL takes letters for equal (ı and i, ſ and s) that
    are those of somebody else's address.
    """
    return (email or "").strip().lower()


class People(BaseUserManager["User"]):
    """Makes users with an email address in place of a user name."""

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        user = self.model(email=as_kept(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email=as_kept(email))


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can log in."""

    email = models.EmailField("email address", unique=True)
    name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("may enter the admin", default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sessions_ended = models.PositiveIntegerField(default=0, editable=False)  # how often all others were ended

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = People()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        self.email = as_kept(self.email)

    def get_short_name(self) -> str:
        return str(self).split("@")[0].split(" ")[0]

    @cached_property
    def has_two_factor(self) -> bool:
        """Whether a code is asked for at login; the login backend looks it up together with the user."""
        return TOTPDevice.objects.filter(user=self, confirmed=True).exists()

    def end_sessions(self) -> None:
        """Log out everywhere; the request at hand may renew its own session."""
        User.objects.filter(pk=self.pk).update(sessions_ended=models.F("sessions_ended") + 1)
        self.refresh_from_db(fields=["sessions_ended"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # A session made before the password or this number changed is over.
        key_salt, value = "accounts.User.session", f"{self.password}:{self.sessions_ended}"
        return salted_hmac(key_salt, value, secret=secret, algorithm="sha256").hexdigest()


class Role(models.IntegerChoices):
    """What a member may do; each role may do all that the ones before it may."""

    VIEWER = 1, "viewer"
    EDITOR = 2, "editor"
    MARKETER = 3, "marketer"
    ADMIN = 4, "admin"
    OWNER = 5, "owner"

    def may(self, ability: str) -> bool:
        """Whether this role may "read", "write", "send" or "manage"."""
        return self >= NEEDED[ability]


NEEDED = {"read": Role.VIEWER, "write": Role.EDITOR, "send": Role.MARKETER, "manage": Role.ADMIN}


class Workspace(models.Model):
    """One tenant: every person, campaign and message belongs to exactly one."""

    class RetryPolicy(models.IntegerChoices):
        """How often and after what waits a message that failed is tried again."""

        STANDARD = 1, "standard"
        PATIENT = 2, "patient"
        NONE = 3, "none"

    name = models.CharField(max_length=100)
    time_zone = models.CharField(max_length=64, default="UTC")
    retry_policy = models.SmallIntegerField(choices=RetryPolicy, default=RetryPolicy.STANDARD)
    # In which country a phone number without a country code is (ISO 3166, such as "KE"); "" when none is meant.
    region = models.CharField("country of phone numbers", max_length=2, blank=True)
    requires_two_factor = models.BooleanField(default=False)
    # How long a campaign somebody sends from its page waits before anybody gets it; 0 for not at all.
    undo_seconds = models.PositiveSmallIntegerField(default=10, db_default=10, editable=False)
    # Above this many people whoever sends types their number; null for never.
    typed_above = models.PositiveIntegerField(null=True, default=1000, db_default=1000, editable=False)
    # Null for what the settings of the installation say; 0 for no limit.
    sends_per_minute = models.PositiveIntegerField("campaigns sent a minute", null=True, blank=True)
    open_messages = models.PositiveBigIntegerField("messages waiting at a time", null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="workspaces")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> tzinfo:
        """Its time zone; UTC where no such zone is known to this machine."""
        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            return UTC


class Membership(models.Model):
    """A user's role in a workspace."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.SmallIntegerField(choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.workspace}"

    def may(self, ability: str) -> bool:
        return Role(self.role).may(ability)


class Invitation(models.Model):
    """A link by which one person becomes a member, once; kept as a digest."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    email = models.EmailField("email address")
    role = models.SmallIntegerField(choices=Role, default=Role.VIEWER)
    digest = models.CharField(max_length=64, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="invitation_once"),
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}, {self.get_role_display()} of {self.workspace}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


SECRET_FORM = re.compile(r"cd_[A-Za-z0-9_-]{43}")  # 256 bits


class ApiKey(models.Model):
    """The key of a program: shown once when made, kept as a digest, revocable at once."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    role = models.SmallIntegerField(choices=Role, default=Role.MARKETER)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API key"
        constraints = [models.UniqueConstraint(fields=["digest"], name="api_key_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def make(cls, workspace: Workspace, name: str, role: Role = Role.MARKETER) -> tuple["ApiKey", str]:
        """A new key and its secret, which cannot be had again."""
        secret = f"cd_{secrets.token_urlsafe(32)}"
        key = cls.objects.create(
            workspace=workspace, name=name, role=role, prefix=secret[:10], digest=digest_of(secret)
        )
        return key, secret

    @classmethod
    def of(cls, secret: str) -> "ApiKey | None":
        """The key with this secret, if it can be used now. What cannot be one of ours is not looked for."""
        if not SECRET_FORM.fullmatch(secret):
            return None
        # The index compares digests. How long that takes tells of a digest, from which nobody finds its secret.
        usable = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        keys = cls.objects.filter(usable, digest=digest_of(secret), revoked_at=None)
        return keys.select_related("workspace").first()

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def used(self, at: datetime) -> None:
        """Note the use, at most once a minute."""
        if not self.last_used_at or (at - self.last_used_at).total_seconds() > 60:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=at)

    def may(self, ability: str) -> bool:
        return Role(self.role).may(ability)


class KeptAnswer(models.Model):
    """What a program was answered under its Idempotency-Key, to be answered again for a day."""

    # Instead of a status: there is no answer yet, or it named somebody who was erased since, perhaps.
    BEGUN, FORGOTTEN = 0, -1

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="kept_answers")
    by = models.ForeignKey(ApiKey, models.CASCADE, related_name="kept_answers", db_index=False)
    key = models.CharField(max_length=255)
    asked = models.CharField("digest of the request", max_length=64)
    status = models.SmallIntegerField()
    content_type = models.CharField(max_length=100, blank=True)
    body = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["by", "key"], name="answered_once")]
        indexes = [models.Index(fields=["at"], name="kept_answer_age")]

    def __str__(self) -> str:
        return f"{self.status} under {self.key}"


def digest_of(secret: str) -> str:
    """SHA-256 in hex: enough for a random 256-bit secret, which no dictionary holds."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


Actor = User | ApiKey  # who may ask for something: a person, or the program that holds a key


COUNTED = "counted as"  # what counts as a send though it starts by itself


class AuditEntry(models.Model):
    """One change: when, by whom, to what. Only ever appended; `audit_log.record` writes it.

    It points nowhere by key: it stays when those it tells of are gone.
    """

    class Kind(models.IntegerChoices):
        MACHINE = 0, "the machine"
        PERSON = 1, "person"
        KEY = 2, "API key"

    workspace_id = models.BigIntegerField(null=True)  # null for what concerns a user in all of them
    verb = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    about_id = models.BigIntegerField(null=True)
    about = models.CharField(max_length=200)
    actor_kind = models.SmallIntegerField(choices=Kind)
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    changes = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(models.F("workspace_id"), models.F("id").desc(), name="audit_page"),
            models.Index(fields=["kind", "about_id"], name="audit_about"),
            models.Index(fields=["workspace_id", "at"], condition=models.Q(verb="launch"), name="audit_sends"),
            models.Index(
                fields=["workspace_id", "at"], condition=models.Q(changes__has_key=COUNTED), name="audit_soon"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor or 'the machine'}: {self.verb} {self.kind} {self.about}"


class AuditLink(models.Model):
    """The place of an entry in the chain of its workspace (0 for none); written by the database as it commits."""

    entry = models.OneToOneField(
        AuditEntry, models.DO_NOTHING, primary_key=True, related_name="link", db_constraint=False
    )
    workspace = models.BigIntegerField()
    number = models.BigIntegerField()
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="audit_number_once")]

    def __str__(self) -> str:
        return f"{self.workspace}/{self.number}"
