# Orfèvre's doors. Every target installs what it needs first; a second call is quick.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
MANAGE := $(PYTHON) manage.py
LOCK := config/requirements.lock
DEV_LOCK := config/requirements-dev.lock
# The demo keeps its own folder, so that resetting it can never touch other data.
DEMO_DATA := $(CURDIR)/.data/demo
DEMO := DATA_DIR=$(DEMO_DATA) DATABASE_URL=sqlite:///$(DEMO_DATA)/orfevre.sqlite3 \
	CELERY_BROKER_URL=filesystem:// PRODUCTION=false LOG_LEVEL=$(or $(LOG_LEVEL),WARNING) $(MANAGE) demo

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset run test test-long check types rules servers bench messages lock

help: ## List the doors.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

demo: $(VENV)/.runtime ## Show the product at work on an invented company (PORT=8000, ROWS=5000).
	@$(DEMO) $(if $(ROWS),--rows $(ROWS))

demo-reset: $(VENV)/.runtime ## Delete the demo's data, and nothing else; `make demo` starts over.
	@$(DEMO) --reset

run: $(VENV)/.runtime ## Run web, worker and sweeper on the data that is there.
	@$(MANAGE) up

test: $(VENV)/.dev ## Run every test on SQLite, then those of a database on PostgreSQL and Redis.
	@$(PYTHON) tests/run.py

test-long: $(VENV)/.dev ## Run the tests with many more generated examples.
	@HYPOTHESIS_PROFILE=long $(PYTHON) tests/run.py

check: types rules ## Format, lint, types, imports, templates, migrations (-j 2: side by side).

types: $(VENV)/.dev
	$(VENV)/bin/mypy

rules: $(VENV)/.dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/django-upgrade --target-version 5.2 $$(git ls-files '*.py')
	$(VENV)/bin/djlint --lint --quiet templates
	$(VENV)/bin/lint-imports
	$(MANAGE) makemigrations --check --dry-run

# What the tests need of the machine; `make test` gets it too.
servers: $(VENV)/.dev
	@$(PYTHON) tests/run.py --get-servers

bench: $(VENV)/.runtime ## Measure load, match, golden records and waterfall on demo data.
	@$(PYTHON) -m benchmarks.run $(BENCH)

messages: $(VENV)/.dev ## Collect the strings to translate and compile the catalogues.
	@command -v msgfmt > /dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -q gettext; }
	$(MANAGE) makemessages --locale fr --add-location file --no-wrap \
		--ignore .venv --ignore .data --ignore tests --ignore benchmarks
	$(MANAGE) makemessages --locale fr --domain djangojs --add-location file --no-wrap \
		--ignore .venv --ignore .data --ignore tests --ignore benchmarks
	$(MANAGE) compilemessages --locale fr --ignore .venv

# No index and no host stands in a lock: pip and uv ask whichever index they are set up with.
COMPILE := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" pyproject.toml
lock: $(VENV)/.dev ## Resolve the dependencies again (needs the network; UPGRADE=1 for newer ones).
	$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file $(LOCK)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --constraint $(LOCK) --output-file $(DEV_LOCK)

$(PYTHON):
	@bash config/venv.sh $(VENV)

INSTALL = if command -v uv > /dev/null; \
	then uv pip install --quiet --python $(PYTHON) --require-hashes --requirement $(1); \
	else $(PYTHON) -m pip install --quiet --disable-pip-version-check $(2) --require-hashes --requirement $(1); fi

# What the development lock installed holds the runtime lock too.
$(VENV)/.runtime: $(LOCK) | $(PYTHON)
	@echo "Installing the locked dependencies…"
	@$(call INSTALL,$(if $(wildcard $(VENV)/.dev),$(DEV_LOCK),$(LOCK)))
	@touch $@

$(VENV)/.dev: $(DEV_LOCK) | $(PYTHON)
	@echo "Installing the locked dependencies and the tools…"
	@$(call INSTALL,$(DEV_LOCK),--no-compile) # Tests import a third of it, and compile that.
	@touch $(VENV)/.runtime $@
