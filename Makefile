# Two commands do everything on a fresh machine: `make run` and `make test`. `make` alone lists the others.

.DEFAULT_GOAL := help
.NOTPARALLEL:

# Ends tinyforge with the shell that started it: make passes SIGTERM to that shell only. (macOS has no setpriv, and does without.)
TIED := $(if $(shell command -v setpriv 2>/dev/null),setpriv --pdeathsig TERM)

# Some ARGS leave pytest nothing to do in one of its two runs, which it says with exit code 5.
NONE_IS_FINE = $(if $(ARGS),|| [ $$? -eq 5 ])

.PHONY: help setup run test test-long lint format generate bench clean tools

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.current ## make .venv, with .venv/bin/tinyforge in it, and uv if it is missing
	@:

run: setup ## index the local Docker Engine, installed and started if there is none (ARGS="--once --json")
	@scripts/docker-engine
	@trap : INT; $(TIED) .venv/bin/tinyforge run -f manifests/examples $(ARGS) || [ $$? -eq 130 ]

test: setup tools lint ## lint and test everything, on servers that the tests start themselves (ARGS="tests/domain -x")
	@.venv/bin/pytest -n 4 $(ARGS) $(NONE_IS_FINE) # four at once on any machine: most of them wait for a server
	@.venv/bin/pytest -m long -n 2 $(ARGS) $(NONE_IS_FINE) # by themselves: they hold many replicas to seconds

test-long: setup tools ## only test what takes minutes by its nature: leaders that are frozen or cut off for long
	@.venv/bin/pytest -m long -n 2 $(ARGS)

lint: setup ## check style, types, layers, the lock file and that generated files are current
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy -p tinyforge -p tests -p scripts
	@.venv/bin/lint-imports
	@scripts/uv lock --check
	@scripts/check-generated

format: setup ## bring the code into its format
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

generate: setup ## make the files again that come from the code: manifests/crds, charts/tinyforge/dashboards
	@scripts/generate manifests/crds
	@scripts/generate-dashboards charts/tinyforge/dashboards

bench: setup tools ## print the benchmarks' ratios, on real engines and a real PostgreSQL
	@.venv/bin/python -m tests.benchmarks $(ARGS)

clean: ## remove .venv and what the tools left in this folder
	@rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	@find controller scripts tests -name __pycache__ -prune -exec rm -rf {} +

tools:
	@scripts/test-tools
	@scripts/kubernetes >/dev/null
	@scripts/jaeger >/dev/null

.venv/.current: pyproject.toml uv.lock
	@scripts/environment
	@touch $@
