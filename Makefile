# The two commands of the README are `make demo` and `make test`; everything
# they need is installed below this folder (.venv, .cache, var) and nowhere else.
SHELL := /bin/bash
# Debian's own where it will do: what the README tells people to install is what is tested.
PYTHON ?= $(shell for each in /usr/bin/python3 python3.11 python3; do \
  "$$each" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    && command -v "$$each" && break; done || echo python3)
BIN := .venv/bin
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=
# One more than the cores of a small machine: some tests wait.
WORKERS ?= 3
# Every file of the checkout, also where there is no git to ask.
FILES = $(shell git ls-files --cached --others --exclude-standard 2>/dev/null || \
  find . -type f -not -path './.*/*' -not -path './var/*')

.PHONY: help install demo test test-clock coverage check faults faults-again pages soak soak-webhook webhook-js bench bench-small deploy-check mails messages pin-images wheel sbom reference audit audit-record lock clean

help:           ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed   ## build .venv from the lock file

.venv/.installed: requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: apt-get install python3 python3-venv"; exit 1; }
	@"$(PYTHON)" -m venv .venv || { echo "Python's venv module is needed: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: install   ## the whole service on embedded parts, on generated dossiers
	@$(BIN)/wif demo

# What starts, kills and stops the whole service as processes goes with the faults.
PROCESSES = tests/cli/test_celery.py tests/cli/test_demo.py tests/cli/test_up.py tests/cli/test_up_flower.py \
  tests/deploy/test_compose_commands.py \
  tests/deploy/test_exploitation.py tests/privacy/test_canaries.py tests/privacy/test_canaries_v2.py \
  tests/service/guards/test_bounded_redis.py tests/store/test_partitions.py \
  tests/tasks/test_flower.py tests/tasks/test_logs.py tests/tasks/test_stopping.py
test: install   ## every test but the fault suite, both database engines
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --ignore=tests/faults --ignore=tests/pages $(PROCESSES:%=--ignore=%)

# All but what starts programs and servers of its own, which have clocks of their own.
CLOCKED = tests/routing tests/config tests/simulator tests/service tests/connectors tests/store \
  tests/cli tests/contract tests/web $(PROCESSES:%=--ignore=%) \
  --ignore=tests/store/test_pooling.py --ignore=tests/store/audit/test_timestamps.py \
  --ignore=tests/cli/test_guide.py -k "not postgres"
test-clock: install ## the suite 400 days ahead in Martinique, and at the end of a year in La Réunion
	TEST_CLOCK=$$(date -u -d '400 days' +%FT%T+00:00) TZ=America/Martinique \
	  $(BIN)/pytest -q -n $(WORKERS) $(CLOCKED)
	TEST_CLOCK=2027-12-31T23:59:00+04:00 TZ=Indian/Reunion $(BIN)/pytest -q -n $(WORKERS) $(CLOCKED)

coverage: install ## the same with branch coverage, which takes twice as long
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup --ignore=tests/pages --cov --cov-report=term:skip-covered

FAULTS =
faults: install ## the whole fault suite, with real workers killed and cut off (minutes)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(FAULTS) tests/faults $(PROCESSES)

faults-again: install ## what failed in the last run of `make faults`, alone
	$(BIN)/pytest -n 0 --last-failed --last-failed-no-failures none tests/faults $(PROCESSES)

pages: install  ## look at the web pages in Chromium (apt-get install chromium w3m), with axe
	$(BIN)/pip install --quiet --require-hashes --no-deps -r tests/pages/requirements.lock
	$(BIN)/pytest -n $(WORKERS) --dist loadfile tests/pages

MINUTES ?= 10
soak: install   ## random faults with random seeds for MINUTES=10, and what happened in figures
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES)

MESSAGES ?= 10000
soak-webhook: install ## MESSAGES=10000 webhooks under faults to a receiver of the official library
	WEBHOOK_MESSAGES=$(MESSAGES) $(BIN)/pytest -q -s tests/faults/test_webhook.py -k processed_once

webhook-js:     ## the official JavaScript library, for the test that verifies with it
	npm install --silent --no-fund --no-audit --prefix .cache/node standardwebhooks@1.1.1

check: install  ## lint, format, types, import contracts, secrets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@$(BIN)/detect-secrets-hook --no-verify --baseline .secrets.baseline $(wildcard $(filter-out tests/config/wrong/% ./tests/config/wrong/% tests/privacy/% ./tests/privacy/% deploy/kubernetes/% ./deploy/kubernetes/%,$(FILES)))

bench: install  ## measure, as benchmarks/README.md explains
	$(BIN)/python -m benchmarks

bench-small: install  ## the bench of CI: fails when a ratio is twice the recorded one
	$(BIN)/python -m benchmarks --check

deploy-check: install ## run the image's build steps and every command of the deployment files
	DEPLOY_CHECK=1 $(BIN)/pytest -q tests/deploy/test_compose.py tests/deploy/test_compose_commands.py \
	  tests/deploy/test_image.py tests/deploy/test_kubernetes.py tests/deploy/test_prometheus.py

mails: install  ## write the gallery of mails into docs/mails; `make pages` takes the pictures
	$(BIN)/python -m release.mails

messages: install ## bring the catalogue of translations up to date, and compile it
	$(BIN)/python -m release.messages

pin-images: install ## pin the foreign images to the digests that their tags have now (needs docker)
	$(BIN)/python -m release.images

# The wheel's dates: the last commit's, or that of the last release where there is no git.
EPOCH = $(shell git log -1 --format=%ct 2>/dev/null || echo 1795824000)
wheel: install  ## build the wheel into dist/, the same bytes each time
	@rm -f dist/*.whl
	SOURCE_DATE_EPOCH=$(EPOCH) $(BIN)/python -m hatchling build --target wheel
	@cd dist && sha256sum *.whl

sbom: install   ## the bill of materials of what runs (CycloneDX) into dist/
	@mkdir -p dist
	$(BIN)/python -m release.sbom > dist/sbom.cdx.json

reference: install ## write the pages made from the commands: manual, JSON Schemas, exit codes
	$(BIN)/python -m release.reference

audit: install  ## compare the lock with the recorded security advisories, offline
	$(BIN)/python -m release.audit

audit-record: install ## record what osv.dev knows of the locked versions (needs the network)
	$(BIN)/python -m release.audit --record

UPGRADE =
lock: install   ## lock what pyproject.toml asks for; UPGRADE=--upgrade takes the newest of all
	$(BIN)/uv pip compile pyproject.toml $(UPGRADE) --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet -o requirements.lock

clean:          ## remove everything that the targets above made
	rm -rf .venv .cache var dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* htmlcov
