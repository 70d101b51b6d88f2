# Everything from a bare machine with Python 3.11+ and make: the environment is built here, from the lock file.
PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
# Processes that share the tests; each has a PostgreSQL of its own.
WORKERS ?= 2
export UV_PYTHON_DOWNLOADS := never

.PHONY: demo test check format campaign bench bench-quick contracts screenshots sbom clean

demo: .venv/ready  ## serve the demo story on http://127.0.0.1:8000
	$(BIN)/registry demo $(ARGS)

test: .venv/ready  ## all tests, fault and fuzz campaigns at a tenth of their size
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term-missing:skip-covered $(ARGS)

campaign: .venv/ready  ## the fault and fuzz campaigns at their full size
	CAMPAIGN=full $(BIN)/python -m pytest -m campaign -s $(ARGS)

check: .venv/ready  ## style, types, import floors, generated files, known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/registry contracts --check
	$(UV) export --frozen --no-dev --no-emit-project --quiet | $(BIN)/python .ci/audit.py

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: .venv/ready  ## write the generated contracts and pages
	$(BIN)/registry contracts

screenshots: .venv/ready  ## pictures of the demo's pages, into screenshots/
	$(BIN)/python tests/ui/screenshots.py $(ARGS)

sbom: $(UV)  ## what the service runs on, with hashes, as CycloneDX: sbom.json
	$(UV) export --frozen --no-dev --format cyclonedx1.5 --quiet --output-file sbom.json

bench: .venv/ready  ## every figure side by side, with ratios
	$(UV) sync --frozen --quiet --group bench
	$(BIN)/python -m benchmarks $(ARGS)

bench-quick: .venv/ready
	$(UV) sync --frozen --quiet --group bench
	$(BIN)/python -m benchmarks --quick $(ARGS)

.venv/ready: pyproject.toml uv.lock $(UV)
	$(UV) sync --frozen --quiet --python "$$(command -v $(PYTHON))"
	@touch $@

$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check "uv>=0.9,<1"

clean:
	rm -rf .venv .tools .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-data
