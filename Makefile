# The two commands are `make start` and `make test`; `make help` lists the others.

PYTHON ?= python3
# How many tests run at a time: `auto` is one for each core.
JOBS ?= auto
# Further arguments for pytest, such as `make test ARGS="-k passwords"`.
ARGS ?=

ifeq ($(OS),Windows_NT)
VENV := .venv/Scripts/python.exe
else
VENV := .venv/bin/python
endif

.DEFAULT_GOAL := help
.PHONY: help start test book notebooks lint bench dist environment

help: ## list the commands
	@awk -F ' *:[^#]*## *' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

start: ## set up, build the book, and start it beside JupyterLab; Ctrl-C ends both
	@$(PYTHON) prepare.py start

# Hundreds of processes import the same modules; each would compile them again.
test lint: export PYTHONDONTWRITEBYTECODE =
test: environment ## set up what tests need and run everything, in parallel
	@$(VENV) -m labs.site.chromium
	@$(VENV) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --nbval --nbval-current-env \
		--nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout 120 \
		tests src notebooks $(ARGS)

book: environment ## build the book into build/book
	@$(VENV) -m labs.cli book

notebooks: environment ## run every notebook and write those whose outputs have changed
	@$(VENV) -m labs.cli notebooks

lint: environment ## check style, types and the direction of imports
	@$(VENV) -m pytest -n $(JOBS) tests/house/test_lint.py

bench: environment ## measure what the budgets are about, into benchmarks/README.md
	@$(VENV) benchmarks/run.py

dist: environment ## pack the site, an EPUB and a PDF, with checksums, into dist
	@$(VENV) -m labs.cli dist

environment:
	@$(PYTHON) prepare.py
