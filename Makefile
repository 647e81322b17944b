# Everything needs only python3 (3.11 or newer) and make; the rest comes from the lock files.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip --disable-pip-version-check -qq

# Time zones come from the locked tzdata package, never from the machine.
export PYTHONTZPATH :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check format lock bench soak clean

help:
	@echo "make setup   create $(VENV) from requirements-dev.lock"
	@echo "make run     start Perennial (ONCE=1: run what is due, then stop)"
	@echo "make test    check, then all tests on SQLite and PostgreSQL"
	@echo "make check   lint, format, types, import contracts"
	@echo "make format  put the code into the agreed format"
	@echo "make bench   measure throughput"
	@echo "make soak    the long tests"
	@echo "make lock    write the lock files anew (UPGRADE=1: with newer versions)"
	@echo "make clean   remove $(VENV) and caches"

setup: $(STAMP)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Perennial needs Python 3.11 or newer; '$(PYTHON)' is not. Try: make PYTHON=python3.11"; exit 1; }
	@echo "setup: creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(STAMP): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "setup: installing the locked packages"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.lock
	@echo "setup: installing perennial itself (editable)"
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

# exec: signals reach the process itself.
run: setup
	@exec $(BIN)/perennial run $(if $(ONCE),--once,)

test: check
	@echo "test: pytest"
	@$(BIN)/python -m pytest

check: setup
	@echo "check: ruff"
	@$(BIN)/ruff check -q
	@$(BIN)/ruff format --check -q || { echo "Not formatted: run 'make format'."; exit 1; }
	@echo "check: mypy"
	@$(BIN)/mypy --no-error-summary
	@echo "check: import contracts"
	@$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.log 2>&1 || { cat $(VENV)/lint-imports.log; exit 1; }

format: setup
	@$(BIN)/ruff check -q --fix-only
	@$(BIN)/ruff format -q

bench: setup
	@$(BIN)/python -m bench

soak: setup
	@$(BIN)/python -m pytest -m soak

# uv comes with the lock itself; the very first lock of a fresh tree fetches it by name.
$(BIN)/uv: | $(BIN)/python
	@echo "lock: installing uv"
	@$(PIP) install --only-binary :all: uv

COMPILE = $(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	$(if $(UPGRADE),--upgrade,)

lock: | $(BIN)/uv
	@echo "lock: requirements.lock"
	@$(COMPILE) --group build -o requirements.lock
	@echo "lock: requirements-dev.lock"
	@$(COMPILE) --group build --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	find app jobs tests -name __pycache__ -type d -prune -exec rm -rf {} +
