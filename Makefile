# The one door for people and for CI. `make help` says what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV ?= .venv
EXAMPLE ?= auth_code_flow
TESTS ?=
SECONDS ?= 60
SERVICE ?= pypi
BIN := $(VENV)/bin

.PHONY: help demo test faults long fuzz check bench docs matrix oldest audit release golden lock format clean

help: ## Say what there is
	@echo "Entrada. Needs Python 3.11 or newer, make and a shell; everything else is set up on first use."
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'
	@echo
	@echo "  PYTHON=python3.13   another interpreter        EXAMPLE=name   another example for make demo"
	@echo "  TESTS=tests/rules   only these tests           PORT=9000      another port for make demo"

demo: $(VENV)/.demo ## Sign in against an emulated Entra tenant, at http://localhost:8000
	@$(BIN)/python -m examples.run $(EXAMPLE)

test: $(VENV)/.dev ## Run every test but the long ones; installs Chromium and the servers it needs when it may
	@.ci/packages
	@.ci/javascript
	@PYTHONDONTWRITEBYTECODE= NODE_COMPILE_CACHE=$(CURDIR)/.cache/node \
		$(BIN)/python -m pytest $(or $(TESTS),-n 4 --dist loadfile --no-loadscope-reorder)

faults: $(VENV)/.dev ## Run the fault tests, those that take long included
	@$(BIN)/python -m pytest -m "long or not long" tests/faults tests/chromium/faults

long: $(VENV)/.dev ## Run what takes long, wherever it is, and nothing else; TESTS=tests/attacks for a part
	@$(BIN)/python -m pytest -m long $(TESTS)

fuzz: $(VENV)-fuzz/.fuzz ## Fuzz the token parser and key sets, guided by coverage; SECONDS=60 for each target
	@$(VENV)-fuzz/bin/python -m tests.fuzz $(SECONDS)

check: $(VENV)/.dev ## Run ruff, mypy --strict and import-linter
	@echo "==> ruff";          $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "==> mypy --strict"; $(BIN)/mypy
	@echo "==> import-linter"; $(BIN)/lint-imports --cache-dir .cache/import-linter

bench: $(VENV)-bench/.bench ## Measure beside bare FastAPI and the peers, as ratios
	@$(VENV)-bench/bin/python -m bench

docs: $(VENV)-docs/.docs ## Build the documentation as a site in site/
	@NO_MKDOCS_2_WARNING=1 $(VENV)-docs/bin/python -m mkdocs build --strict
	@echo "==> site/index.html"

matrix: ## Run the tests that need no browser on every other Python found here
	@PYTHON="$(PYTHON)" .ci/matrix

oldest: $(VENV)-oldest/.oldest ## Run the tests that need no browser with the oldest versions that we admit
	@$(VENV)-oldest/bin/python -m pytest -q -m "not browser and not long" -n 4 --dist loadfile --no-loadscope-reorder

audit: $(VENV)-release/.release ## Look every locked package up among the known vulnerabilities; SERVICE=osv asks another
	@$(VENV)-release/bin/python .ci/audit.py --vulnerability-service $(SERVICE) $(if $(SERVICE_URL),--osv-url $(SERVICE_URL))

release: $(VENV)-release/.release ## Build what is released in dist/: wheels, sources, bill of materials, checksums
	@.ci/release $(VENV)-release

golden: $(VENV)/.dev ## Write the golden files anew; review them as a diff
	@GOLDEN=write $(BIN)/python -m pytest -q tests/golden

lock: $(VENV)/.dev ## Resolve requirements/*.in anew into hash-checked locks without addresses
	@for name in demo dev oldest bench fuzz docs deploy release; do \
		echo "==> requirements/$$name.txt"; \
		$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links --upgrade requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

format: $(VENV)/.dev ## Mend what ruff can mend
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean: ## Remove everything that make made here
	rm -rf $(VENV) $(VENV)-* site dist .cache .pytest_cache .mypy_cache .ruff_cache .entrada .entrada-emulator screenshots examples/*/front/node_modules examples/*/front/dist

$(VENV)/.demo: requirements/demo.txt pyproject.toml emulator/pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV) demo && touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml emulator/pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV) dev && touch $@ $(VENV)/.demo

$(VENV)-oldest/.oldest: requirements/oldest.txt pyproject.toml emulator/pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV)-oldest oldest && touch $@

$(VENV)-bench/.bench: requirements/bench.txt pyproject.toml emulator/pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV)-bench bench && touch $@

$(VENV)-fuzz/.fuzz: requirements/fuzz.txt pyproject.toml emulator/pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV)-fuzz fuzz && touch $@

$(VENV)-release/.release: requirements/release.txt pyproject.toml emulator/pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV)-release release && touch $@

$(VENV)-docs/.docs: requirements/docs.txt pyproject.toml emulator/pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV)-docs docs && touch $@
