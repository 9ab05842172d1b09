"""Every setting, read once from the environment; `.env.example` lists the variables."""

from datetime import timedelta
from pathlib import Path

import dj_email_url
from csp.constants import NONE, SELF
from environs import Env, EnvError, validate

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(Env):
    """Names the variable that holds no pairs, where the library only fails."""

    def dict(self, name: str, *args, **kwargs):  # type: ignore[override]
        try:
            return super().dict(name, *args, **kwargs)
        except ValueError as error:
            if isinstance(error, EnvError):
                raise
            raise EnvError(f'Environment variable "{name}" invalid: write it as name=value,name=value.') from None


env = Environment()
env.read_env(str(BASE_DIR / ".env"), recurse=False)
# Written by bin/dev, so that a command in a second terminal meets the running services.
env.read_env(str(BASE_DIR / ".local" / "env"), recurse=False)

DEV = env.bool("DEV", False)
DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")  # an empty one is refused by Django at the first use
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])  # those before it, still taken for a while
# The first seals new links to unsubscribe; links made with any of the others, or with the keys above, go on working.
UNSUBSCRIBE_KEYS: list[str] = env.list("UNSUBSCRIBE_KEYS", [])
# Never to be changed once somebody was erased: the suppression list would no longer know them.
SUPPRESSION_KEY = env.str("SUPPRESSION_KEY", "") or SECRET_KEY
# Where people reach us: every link in a message begins with it.
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8000" if DEV else "").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
TRUSTED_PROXY = env.bool("TRUSTED_PROXY", False)
MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", 12 * 1024 * 1024)

# --- where things are kept -------------------------------------------------------------------------------

DATABASES = {"default": env.dj_db_url("DATABASE_URL", "postgresql:///campaign")}
DATABASES["default"] |= {"ATOMIC_REQUESTS": False, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# A worker that was suspended in the middle of a transaction must not hold everybody else for ever.
SESSION = {"idle_in_transaction_session_timeout": "15s", "lock_timeout": "10s"}
DATABASE_POOLER = env.bool("DATABASE_POOLER", False)
if DATABASE_POOLER:
    # Each transaction may meet another session, so nothing may be left in one: no cursor, no prepared statement, and
    # no setting. dispatcher.pooler makes SESSION the default of our role instead.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    for_session: dict[str, object] = {"prepare_threshold": None}
else:
    for_session = {"options": " ".join(f"-c {name}={value}" for name, value in SESSION.items())}
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 2,
    "tcp_user_timeout": 10_000,
    **for_session,
    **DATABASES["default"].get("OPTIONS", {}),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
# Pub/sub ignores Redis database numbers: the prefix alone keeps two installations on one server apart.
REDIS_PREFIX = env.str("REDIS_PREFIX", "campaigns")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": REDIS_PREFIX},
    }
}
# A name that is not absolute is meant from here; the files hold what people were written.
ARCHIVE_DIR = BASE_DIR / env.str("ARCHIVE_DIR", ".local/archive")
KEEP_MESSAGES_DAYS = env.int("KEEP_MESSAGES_DAYS", 0)
RQ = {"JOB_CLASS": "wires.queue.AllowedJob", "COMMIT_MODE": "auto"}
RQ_QUEUES = {
    name: {
        "URL": REDIS_URL,
        "SERIALIZER": "rq.serializers.JSONSerializer",
        "DEFAULT_TIMEOUT": seconds,
        "DEFAULT_RESULT_TTL": 0,
    }
    for name, seconds in {"dispatch": 60, "chores": 3600}.items()
}

# --- sending ---------------------------------------------------------------------------------------------

BATCH_SIZE = env.int("BATCH_SIZE", 500)
DISPATCH_WINDOW = env.int("DISPATCH_WINDOW", 1000)  # calls a worker may have intended and not yet settled
LEASE_SECONDS = env.int("LEASE_SECONDS", 15)
GENERATE_SECONDS = env.float("GENERATE_SECONDS", 10.0)  # the longest a personaliser may take for 500 people
CALL_SECONDS = env.float("CALL_SECONDS", 10.0)  # the longest a provider may take to answer
STOP_SECONDS = env.float("STOP_SECONDS", 5.0)  # how long a worker that is told to stop waits for answers
SENDERS = env.dict("SENDERS", {"email": "simulated", "sms": "simulated", "whatsapp": "simulated"})
CRASH_AT = env.str("CRASH_AT", "")  # for tests: the process dies at this named point
FROM_EMAIL = env.str("FROM_EMAIL", "campaigns@example.com")

SIMULATOR_PROFILE = env.str("SIMULATOR_PROFILE", "leopard")
SIMULATOR_SEED = env.int("SIMULATOR_SEED", 1)
SIMULATOR_HONOURS_KEYS = env.bool("SIMULATOR_HONOURS_KEYS", True)
# The share of calls that each fault befalls, for example "busy=0.01,hang=0.001".
SIMULATOR_FAULTS: dict[str, float] = env.dict("SIMULATOR_FAULTS", {}, subcast_values=float)

# The mail server of workspaces that chose the sender "smtp" and named none of their own.
SMTP_HOST = env.str("SMTP_HOST", "")
SMTP_PORT = env.int("SMTP_PORT", 587)
SMTP_SECURITY = env.str("SMTP_SECURITY", "starttls")
SMTP_USER = env.str("SMTP_USER", "")
SMTP_PASSWORD = env.str("SMTP_PASSWORD", "")
SMTP_HELLO = env.str("SMTP_HELLO", "")  # the name we greet with; that of this machine if empty
SMTP_CA_FILE = env.str("SMTP_CA_FILE", "")  # authorities to trust instead of the system's

# --- limits ----------------------------------------------------------------------------------------------

# 0 is for no limit.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", 600)  # of one key
API_REQUESTS_AT_ONCE = env.int("API_REQUESTS_AT_ONCE", 30)  # of one key, in each web process
API_WRONG_KEYS_PER_MINUTE = env.int("API_WRONG_KEYS_PER_MINUTE", 20)  # from one address
API_SENDS_PER_MINUTE = env.int("API_SENDS_PER_MINUTE", 5)  # of one workspace, by its pages as well
MAX_OPEN_MESSAGES = env.int("MAX_OPEN_MESSAGES", 20_000_000)  # waiting in one workspace

# --- mail to our own users: invitations, forgotten passwords -----------------------------------------------

# In development it is written to the log; anywhere else nothing is mailed until a server is named.
EMAIL_URL = env.str("EMAIL_URL", "console://" if DEV else "")
CAN_MAIL = bool(EMAIL_URL)
vars().update(dj_email_url.parse(EMAIL_URL or "dummy://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", FROM_EMAIL)

# --- the house -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "csp",
    "django_htmx",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "django_rq",
    "ninja",
    "accounts",
    "people",
    "campaigns",
    "simulator",
    "dispatcher",
]
MIDDLEWARE = [
    "accounts.origin.with_origin",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.access.refuse_unprintable",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.access.nobody_halfway",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.access.with_workspace",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "dispatcher.busy.SayWhenBusy",
]
ROOT_URLCONF = "dispatcher.urls"
ASGI_APPLICATION = "dispatcher.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["accounts.templatetags.drawn"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True  # no collectstatic step stands between a clone and a working page
WHITENOISE_AUTOREFRESH = DEV

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "accounts.backends.Passwords"]
PASSWORD_RESET_TIMEOUT = 24 * 3600  # seconds
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "campaigns"
LOGOUT_REDIRECT_URL = "login"

# Somebody who guesses is locked out for a while: one user from one address, or the address as a whole.
AXES_HANDLER = "accounts.lockout.Lockout"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "ip_address"]
AXES_FAILURE_LIMIT = 5
AXES_FAILURES_PER_ADDRESS = 50
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "accounts.lockout.username_of"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.address_of"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
AXES_DISABLE_ACCESS_LOG = True  # the audit log knows
AXES_ENABLE_ADMIN = False  # accounts.admin shows it, to read only
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Campaign Dispatcher"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = True

# --- safety ----------------------------------------------------------------------------------------------

SECURE_HTTPS = env.bool("SECURE_HTTPS", not DEV)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^metrics$"]  # asked from within, where no proxy speaks https
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HTTPS
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES  # a pasted list of 100,000 people
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

RELEASE = env.str("RELEASE", "")  # what /metrics says is running
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

LEVELS = validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], error="Write one of {choices}.")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=LEVELS)
FORMATS = validate.OneOf(["lines", "json"], error="Write lines, for people, or json, for programs.")
LOG_FORMAT = env.str("LOG_FORMAT", "lines" if DEV else "json", validate=FORMATS)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"origin": {"()": "accounts.origin.WithOrigin"}},
    "formatters": {"lines": {"()": "accounts.log_lines.Lines"}, "json": {"()": "accounts.log_lines.Objects"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["origin"]}},
    "loggers": {
        "axes": {"level": "WARNING"},  # it tells of every login three times
        # Django's own handlers write in forms of their own. Below INFO it tells of statements with their values.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "propagate": True},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
