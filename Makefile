# Every command of the project. `make` alone lists them.
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help run test lint types format bench oracle storm spike docs topics clean venv

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Install what is missing, start everything, show the day's work (DEMO=off starts empty)
	@python3 -m deploy.local.bootstrap

test: ## Run all tests, those on real Kafka, MongoDB and Chromium included (ARGS="tests/qa -x")
	@python3 -m deploy.local.bootstrap --only=test
	$(PYTHON) -m pytest $(ARGS)

lint: venv ## Check style, names and formatting
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types: venv ## Check types, strictly
	$(PYTHON) -m mypy

format: venv ## Put the code into the house's format
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: ## Measure, beside the naive service and the bare drivers (FULL=1: the large sizes)
	@python3 -m deploy.local.bootstrap --only=parts
	$(PYTHON) -m bench

oracle: ## Prove under faults that nothing is lost or doubled (FULL=1: 100,000 commands; ARGS="--seed 7")
	@python3 -m deploy.local.bootstrap --only=test
	$(PYTHON) -m oracle $(if $(FULL),--full) $(ARGS)

storm: ## 25,000 deadlines, 50,000 firings due at once while everything falls (ARGS="--deadlines 1000": a small one)
	@python3 -m deploy.local.bootstrap --only=test
	$(PYTHON) -m oracle.storm --full $(ARGS)

spike: ## A rush of 2,000 questions a minute while a relay and a worker are killed (FULL=1: five minutes of it)
	@python3 -m deploy.local.bootstrap --only=test
	$(PYTHON) -m oracle.spike $(if $(FULL),--full) $(ARGS)

docs: venv ## Write the generated pages of docs/ anew
	$(PYTHON) -m tools.docs

topics: venv ## Create missing Kafka topics (KAFKA=host:port)
	$(PYTHON) -m deploy.kafka.topics --bootstrap $(or $(KAFKA),127.0.0.1:19092)

clean: ## Remove the demo's data and the tools' caches (.venv and .tools stay)
	rm -rf .data .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

venv:
	@python3 -m deploy.local.bootstrap --only=venv
