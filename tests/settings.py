"""The settings under test: the project's own, in a folder of their own and with fast passwords.

Without DATABASE_URL and CELERY_BROKER_URL in the environment the tests run on SQLite and a broker
in a folder; a developer's `.env` is never read for these. TEST_DB_NAME names the test database,
so that several people can share one PostgreSQL server.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "ORFEVRE_TEST_DATA_DIR" not in os.environ:  # Workers of pytest-xdist share their parent's.
    _folder = tempfile.mkdtemp(prefix="orfevre-tests-")
    os.environ["ORFEVRE_TEST_DATA_DIR"] = _folder
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
_data_dir = Path(os.environ["ORFEVRE_TEST_DATA_DIR"]) / os.environ.get("PYTEST_XDIST_WORKER", "")
_data_dir.mkdir(exist_ok=True)
(_data_dir / "static").mkdir(exist_ok=True)  # Whitenoise warns when it is missing.
os.environ["DATA_DIR"] = str(_data_dir)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_data_dir / 'orfevre.sqlite3'}")
os.environ.setdefault("CELERY_BROKER_URL", "filesystem://")
# On a Redis, each worker of pytest-xdist has a database of its own.
if os.environ["CELERY_BROKER_URL"].endswith("/0"):
    _number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    os.environ["CELERY_BROKER_URL"] = f"{os.environ['CELERY_BROKER_URL'][:-1]}{_number}"
# What a developer's .env may say otherwise.
os.environ.update(PRODUCTION="false", DEBUG="false", EMAIL_URL="", LANGUAGE_CODE="fr")
# Which pairs are drawn depends on their keys, which differ from run to run.
os.environ.update(BLIND_REVIEW_ONE_IN="0", AUDIT_LINKS_ONE_IN="0", SECOND_OPINION_ONE_IN="0")

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if "ORFEVRE_TEST_MAILS" in os.environ:  # Processes of their own write where the test reads.
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = Path(os.environ["ORFEVRE_TEST_MAILS"])
# A file, not memory: a live server and worker processes open the same database.
_test_name = os.environ.get("TEST_DB_NAME", "test_orfevre")
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    _test_name = str(_data_dir / f"{_test_name}.sqlite3")
DATABASES["default"]["TEST"] = {"NAME": _test_name}
# Looked for when asked for: each client would list every file, a twentieth of the whole run.
WHITENOISE_AUTOREFRESH = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
LOGGING = {"version": 1, "disable_existing_loggers": False}
