# Everything a newcomer needs: `make demo` and `make test`. Both install what they need first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := results/quickstart

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check format bench clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo  ## Evaluate the fashion zoo, correlate every score, write a report
	$(BIN)/zoo-eval run quickstart --store $(DEMO).duckdb
	$(BIN)/zoo-eval report --store $(DEMO).duckdb --out $(DEMO)
	@echo "Open $(DEMO)/report.html in a browser."

test: $(VENV)/.test  ## The tests, without those that take minutes
	$(BIN)/pytest -m "not slow" --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-slow: $(VENV)/.test  ## The tests that take minutes
	$(BIN)/pytest -m slow

bench: $(VENV)/.test  ## Measure every claim about speed: half an hour, on an idle machine
	$(BIN)/python benchmarks/table.py

check: $(VENV)/.test  ## Style, types, and whether the READMEs are in step with the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/cog --check --diff README.md zoo_eval/scores/README.md

format: $(VENV)/.test  ## Put the code in order, and bring the READMEs up to date
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/cog -r README.md zoo_eval/scores/README.md

clean:  ## Remove what was made, but not the environment
	rm -rf results report export build dist .pytest_cache .ruff_cache .hypothesis

# Installed again whenever the files that name the packages change.
$(VENV)/.demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable ".[test,service,imagenet-lite,webdataset,cluster,oracles]"
	touch $(VENV)/.demo $@
