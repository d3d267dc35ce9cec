"""Settings from the environment, with defaults that run at once on a laptop.

Every setting an operator may change is read through `env` and listed in `.env.example`. A wrong
value stops the start with the name of the setting, and with PRODUCTION on so do unsafe values.
"""

from pathlib import Path

import django_stubs_ext
from django.utils.translation import gettext_lazy as _
from environs import Env, validate

from config.broker import broker_from_url
from config.database import database_from_url
from config.production import refuse_unsafe_settings
from config.setting_checks import known_time_zone, mail_address_of_server, public_url
from config.unfold import UNFOLD  # noqa: F401 - read by django-unfold.

django_stubs_ext.monkeypatch()  # Before any form or admin names its model in brackets.
BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(eager=False)  # Collect every wrong value, so that one start names them all.
env.read_env(BASE_DIR / ".env", recurse=False)

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / ".data")))
PRODUCTION = env.bool("PRODUCTION", False)
DEBUG = env.bool("DEBUG", False)
DEFAULT_SECRET_KEY = "insecure-development-key-that-production-refuses-to-start-with"  # noqa: S105
SECRET_KEY = env.str("SECRET_KEY", DEFAULT_SECRET_KEY)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{DATA_DIR / 'orfevre.sqlite3'}")
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 4, validate=validate.Range(min=1, max=100))
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "filesystem://")
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", 2, validate=validate.Range(min=1, max=64))
WORKER_SWEEPS = env.bool("WORKER_SWEEPS", True)
PORT = env.int("PORT", 0, validate=validate.Range(min=0, max=65_535))

# Jobs: DESIGN of the lease and the sweeper stands in mdm/jobs.py.
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", 60, validate=validate.Range(min=2, max=3600))
JOB_MAX_ATTEMPTS = env.int("JOB_MAX_ATTEMPTS", 5, validate=validate.Range(min=1, max=100))
SWEEP_SECONDS = env.int("SWEEP_SECONDS", 10, validate=validate.Range(min=1, max=600))

# Searches that are shared out among workers: see matching/fan_out.py.
MATCH_SPREAD_FROM_PAIRS = env.int(
    "MATCH_SPREAD_FROM_PAIRS", 10_000_000, validate=validate.Range(min=1)
)
MATCH_PAIRS_PER_PART = env.int(
    "MATCH_PAIRS_PER_PART", 2_000_000, validate=validate.Range(min=131_072, max=20_000_000)
)
# Searches whose effect can be undone: what so many of the latest ones replaced is kept.
MATCH_UNDO_KEPT = env.int("MATCH_UNDO_KEPT", 3, validate=validate.Range(min=1, max=100))

EMAIL_URL = env.str("EMAIL_URL", "", validate=mail_address_of_server)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "orfevre@example.org")
# The doors of the persons themselves: what mails and files link to, who signs them.
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/") or public_url(
    ALLOWED_HOSTS, port=PORT, is_secure=PRODUCTION
)
COMPANY_NAME = env.str("COMPANY_NAME", "Orfèvre")
SUPPRESSION_KEYS: list[str] = env.list("SUPPRESSION_KEYS", [])
LINK_KEYS: list[str] = env.list("LINK_KEYS", [])
LEDGER_KEY = env.str("LEDGER_KEY", "")
LEDGER_SIGNING_KEY = Path(env.str("LEDGER_SIGNING_KEY", "") or DATA_DIR / "keys" / "ledger.pem")
LEDGER_FOLDER = Path(env.str("LEDGER_FOLDER", "") or DATA_DIR / "ledger")
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", [])
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "fr", validate=validate.OneOf(["fr", "en"]))
TIME_ZONE = env.str("TIME_ZONE", "Europe/Paris", validate=known_time_zone)
LOG_LEVEL = env.str(
    "LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])
)
# One in so many doubtful pairs is reviewed without seeing the score, and one in so many automatic
# links is reviewed at all; 0 for none.
BLIND_REVIEW_ONE_IN = env.int("BLIND_REVIEW_ONE_IN", 20, validate=validate.Range(min=0))
AUDIT_LINKS_ONE_IN = env.int("AUDIT_LINKS_ONE_IN", 100, validate=validate.Range(min=0))
# Of the pairs answered blind, one in so many is judged, blind again, by another steward.
SECOND_OPINION_ONE_IN = env.int("SECOND_OPINION_ONE_IN", 1, validate=validate.Range(min=0))
UPLOAD_MAX_MEGABYTES = env.int("UPLOAD_MAX_MEGABYTES", 512, validate=validate.Range(min=1))
UPLOAD_MAX_PENDING = env.int("UPLOAD_MAX_PENDING", 20, validate=validate.Range(min=1))
UPLOAD_KEEP_DAYS = env.int("UPLOAD_KEEP_DAYS", 7, validate=validate.Range(min=1))
REJECTS_KEEP_DAYS = env.int("REJECTS_KEEP_DAYS", 30, validate=validate.Range(min=1))
WATCHED_FOLDERS = Path(env.str("WATCHED_FOLDERS", str(DATA_DIR / "inbox")))
WATCH_SETTLE_SECONDS = env.int("WATCH_SETTLE_SECONDS", 10, validate=validate.Range(min=0))
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", PRODUCTION)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
env.seal()

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "campaigns",
    "consent",
    "matching",
    "mdm",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "config.apps.OrfevreAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "import_export",
    "simple_history",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.uploads.UploadLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASES = {"default": database_from_url(DATABASE_URL, pool_size=DATABASE_POOL_SIZE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# History: nobody "reverts" a record behind the back of the services, and reading history needs
# its own permission.
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
SIMPLE_HISTORY_DATE_INDEX = False  # Read by key; see `mdm.audit.AuditTrail.copy_fields`.
# import-export grants everything to everybody unless these are set (and the permissions exist).
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_SKIP_ADMIN_LOG = True

LANGUAGES = [("fr", _("French")), ("en", _("English"))]
# django-unfold ships no catalogue: its words stand beside ours.
LOCALE_PATHS = [BASE_DIR / "config" / "locale", BASE_DIR / "config" / "unfold_locale"]
FORMAT_MODULE_PATH = "config.formats"  # English dates with the day first.
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns when it is not there.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Without a collectstatic step the finders serve; production compresses and names by content.
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
MEDIA_ROOT = DATA_DIR / "media"
FILE_UPLOAD_PERMISSIONS = 0o600
# What comes in lies where it is swept, not among the files of others.
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

if EMAIL_URL:
    from dj_email_url import parse as parse_email_url

    vars().update(parse_email_url(EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mails"
EMAIL_TIMEOUT = 10  # A mail server that hangs must not hold a worker.

# Celery carries job ids and nothing else; see config/broker.py for the transports.
CELERY_BROKER_TRANSPORT_OPTIONS = broker_from_url(CELERY_BROKER_URL, folder=DATA_DIR / "broker")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = WORKER_CONCURRENCY
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if PRODUCTION:
    refuse_unsafe_settings(
        secret_key=SECRET_KEY,
        default_secret_key=DEFAULT_SECRET_KEY,
        debug=DEBUG,
        allowed_hosts=ALLOWED_HOSTS,
    )
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # It warns at each start that filesystem:// names no host.
        "kombu.connection": {"level": "ERROR"},
        # Two lines for every pulse of the worker; what a job did is said by mdm.jobs.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
