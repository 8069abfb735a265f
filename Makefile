# Everything a newcomer needs: `make demo` runs the main job, `make test` runs the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-study

.DEFAULT_GOAL := help
# Hundreds of processes start in the tests: each would compile every module of ours again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install dev demo viewer test check format lock translations docs bench clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Bingcheng needs Python 3.11 or newer; '$(PYTHON)' is older. Run: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/pip.txt

$(VENV)/.installed: requirements/runtime.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

install: $(VENV)/.installed ## Make .venv with the pinned requirements and the `bingcheng` command

dev: $(VENV)/.dev ## The same, with what tests, checks and docs need

demo: install ## Generate a three-hospital study, assess it, write the report
	$(BIN)/bingcheng demo $(DEMO)

viewer: install ## Bring the viewer that the pages show images with (needs npm or the extra `viewer`)
	$(BIN)/python tools/viewer.py

test: dev ## Run the tests
	$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: dev ## Format, lint, types, floors, translations: all that is checked without running
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/translations.py --check

format: dev ## Put the code into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

translations: dev ## Collect new sentences into the catalogues and compile them
	$(BIN)/python tools/translations.py

docs: dev ## Build the documentation into docs/_build
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

bench: install ## Measure speed and memory against peers (minutes; peers go into their own environment)
	$(BIN)/python -m benchmarks

lock: ## Resolve the requirements anew (needs `uv`)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --custom-compile-command "make lock" pyproject.toml requirements/build.in -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --custom-compile-command "make lock" requirements/pip.in -o requirements/pip.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra dev -c requirements/runtime.txt pyproject.toml requirements/build.in -o requirements/dev.txt

clean: ## Remove what the other targets made
	rm -rf $(VENV) $(DEMO) docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
