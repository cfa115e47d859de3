# Every target sets up what it needs: a virtual environment in .venv, the pinned packages, nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup demo up test check lint lock bench

setup: .venv/ready
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) scripts/setup.py

demo: setup
	@$(BIN)/ssa demo

up: setup
	@$(BIN)/ssa up

test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/faults
	@$(BIN)/python -m pytest tests/faults

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint test

lock: setup
	@$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --all-extras --group weights pyproject.toml -o requirements.lock --custom-compile-command "make lock"

bench: setup
	@$(BIN)/python -m benchmarks
