# `make demo` and `make test` are all that is needed on a fresh machine with Python 3.11 or newer and Node 20 or newer.

PYTHON := .venv/bin/python
# The first interpreter on the path that is new enough; set it to choose another.
BOOTSTRAP_PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)

# jsii prints a banner for Node 20, which works.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

# Compiled code is kept whatever the shell says: all that runs here runs many times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test worlds lint synth bench mutants examples generate clean
.DELETE_ON_ERROR:

demo: build/python.stamp
	@.venv/bin/pull-responder demo

# The deployment by itself: its queues have short patience, which other tests beside it would use up.
test: build/python.stamp build/node.stamp
	@$(PYTHON) -m pytest -n 2 --dist loadfile --ignore tests/e2e
	@$(PYTHON) -m pytest tests/e2e

# More worlds than the tests try, and other ones each time.
WORLDS ?= 5000
worlds: build/python.stamp
	@PULL_RESPONDER_WORLDS=$(WORLDS) $(PYTHON) -m pytest tests/integration/worlds

lint: build/python.stamp
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports

# With cdk-nag, which fails the synthesis; W3005 is about DependsOn that CDK itself writes.
synth: build/python.stamp build/node.stamp
	@node_modules/.bin/cdk synth --quiet --no-notices --app "$(PYTHON) app.py"
	@.venv/bin/cfn-lint --ignore-checks W3005 -- cdk.out/*.template.json infra/member-role.yaml

bench: build/python.stamp
	@npm ci --prefix bench --silent --no-audit --no-fund || echo "Without npm the other engine is left out" >&2
	@$(PYTHON) -m bench.authorization
	@$(PYTHON) -m bench.diagnosis
	@$(PYTHON) -m bench.function
	@$(PYTHON) -m bench.storm 2>/dev/null

# A sample of small changes to the pure packages, or to those named; each that no unit test of its package notices is
# printed. `make mutants SAMPLE=0 PACKAGES=network/names.py` tries all of one module, another SEED other ones.
SAMPLE ?= 100
SEED ?= 1
PACKAGES ?=
mutants: build/python.stamp
	@$(PYTHON) -m bench.mutation --sample $(SAMPLE) --seed $(SEED) $(PACKAGES)

# A failure and its finding for each cause, from the test estates; only a change of what is shown needs them anew.
# `make examples CAUSE=x` writes the one of cause x, by the tests of its own file, and leaves the others as they are.
examples: build/python.stamp
	@rm -rf build/examples
	@$(PYTHON) -m pytest $(if $(CAUSE),tests/integration/checks/test_$(CAUSE).py,tests/integration) --write-examples build/examples
	@mkdir -p docs/causes/examples && cp build/examples/*.md docs/causes/examples/

# What stands in the repository but is written from the code; tests say when it is out of date. All of it is written into
# build/ first: nothing changes where something is missing.
generate: build/python.stamp
	@rm -rf build/generated && mkdir -p build/generated/infra
	@$(PYTHON) -m infra.permissions > build/scopes.txt
	@$(PYTHON) -m pull_responder.generate --scopes build/scopes.txt build/generated
	@$(PYTHON) -m infra.member_role build/generated/infra/permissions.json > build/generated/infra/member-role.yaml
	@rm -f docs/causes/*.md && cp -R build/generated/. .

clean:
	rm -rf .venv node_modules build cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Most of what is installed is never imported, CDK's services above all: what is, is compiled when it is.
build/python.stamp: requirements.txt lambdas/requirements.txt pyproject.toml
	@test -n "$(BOOTSTRAP_PYTHON)" || { echo "Python 3.11 or newer is needed, and none is on the path" >&2; exit 1; }
	@echo "Installing Python packages into .venv (once)" >&2
	@test -x $(PYTHON) || $(BOOTSTRAP_PYTHON) -m venv .venv
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@mkdir -p build && touch $@

build/node.stamp: package.json package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or newer with npm is needed, and none is on the path" >&2; exit 1; }
	@echo "Installing the CDK command line into node_modules (once)" >&2
	@npm ci --silent --no-audit --no-fund
	@mkdir -p build && touch $@
