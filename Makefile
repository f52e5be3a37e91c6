# `make demo` and `make test` are all that is needed on a fresh machine with Python 3.11 or newer and Node 22 or newer.

PYTHON := .venv/bin/python
# The first interpreter on the path that is new enough; set it to choose another.
BOOTSTRAP_PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)

# Node 20 still works, but is past its end of life: one line says so, instead of jsii's banner at each start.
NODE_MAJOR := $(shell node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
ifeq ($(NODE_MAJOR),20)
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
endif

# Compiled code is kept whatever the shell says: all that runs here runs many times.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-together test-deployed test-other other node-version worlds lint scan synth site bench mutants examples generate locks keep-release clean
.DELETE_ON_ERROR:

demo: build/python.stamp
	@.venv/bin/pull-responder demo

# In the order of the folders: the files that take longest have few tests, and by the number of tests they would come
# last, with one processor idle. One worker more than there are processors: each waits while the emulator that it asked
# works. The deployments by themselves: their queues have short patience, which many tests beside them would use up. Of
# these two can run at once, each with an emulated AWS of its own; those that share a stack stay together.
WORKERS ?= 3
TEST_TOGETHER = $(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --ignore tests/e2e
TEST_DEPLOYED = $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/e2e
test: build/python.stamp build/node.stamp build/browser.stamp node-version
	@$(TEST_TOGETHER)
	@$(TEST_DEPLOYED)

test-together: build/python.stamp build/node.stamp build/browser.stamp node-version
	@$(TEST_TOGETHER)

test-deployed: build/python.stamp build/node.stamp node-version
	@$(TEST_DEPLOYED)

# On another Python than that of .venv, what needs no stack. It leaves the processors to whatever runs beside it.
OTHER_PYTHON ?= python3.13
OTHER := build/other/$(subst /,_,$(OTHER_PYTHON))
LAST := nice -n 19
other: $(OTHER)/ready.stamp

test-other: $(OTHER)/ready.stamp
	@$(LAST) $(OTHER)/bin/python -m pytest -n 2 --dist loadfile tests/unit

# More worlds than the tests try, and other ones each time; and so many estates of several VPCs for each break.
WORLDS ?= 5000
ESTATES ?= 100
worlds: build/python.stamp
	@PULL_RESPONDER_WORLDS=$(WORLDS) $(PYTHON) -m pytest tests/integration/worlds
	@PULL_RESPONDER_ESTATES=$(ESTATES) $(PYTHON) -m pytest tests/unit/network/estates

# Every call to AWS fails in every way (docs/faults.md). FAULTS=300 SEED=7 makes as many runs, chosen by the seed.
FAULTS ?= 0
SEED ?= 1
faults: build/python.stamp
	@$(PYTHON) -m tests.faults --faults $(FAULTS) --seed $(SEED)

lint: build/python.stamp
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports

# What runs elsewhere: workflows and the action by zizmor, scripts by ShellCheck.
scan: build/scanners.stamp
	@build/scanners/bin/zizmor --offline --quiet action.yml .github/workflows
	@build/scanners/bin/shellcheck .ci/run .ci/release-files github-action/ask.sh kubectl-plugin/kubectl-pull_why

# The stack by itself, and as the hub of an organization. With cdk-nag, which fails the synthesis; W3005 is about DependsOn
# that CDK itself writes, W3002 about `package`.
AS_HUB := $(addprefix -c pullResponder.,organizationId=o-a1b2c3d4e5 findingsIn=member memberAuditLogs=true)
SYNTHESIZED := cdk.out/*.template.json build/hub/*.template.json infra/member-role.yaml infra/member.yaml
synth: build/python.stamp build/node.stamp build/scanners.stamp node-version
	@node_modules/.bin/cdk synth --quiet --no-notices --app "$(PYTHON) app.py"
	@node_modules/.bin/cdk synth --quiet --no-notices --app "$(PYTHON) app.py" --output build/hub $(AS_HUB)
	@.venv/bin/cfn-lint --ignore-checks W3005 W3002 -- $(SYNTHESIZED) recipes/incidents/template.yaml
	@LOG_LEVEL=ERROR build/scanners/bin/checkov --quiet --compact --framework cloudformation -f $(SYNTHESIZED)
	@build/scanners/bin/python -W ignore infra/scan_policies.py $(SYNTHESIZED) recipes/incidents/template.yaml

# The documentation as a site, in build/site. Links and anchors that lead nowhere fail it.
site: build/site.stamp
	@NO_MKDOCS_2_WARNING=1 build/site-packages/bin/mkdocs build --strict

node-version:
	@test "$(NODE_MAJOR)" != 20 || echo "Node.js 20 is past its end of life: use 22 or newer" >&2

bench: build/python.stamp
	@npm ci --prefix bench --silent --no-audit --no-fund || echo "Without npm the other engine is left out" >&2
	@$(PYTHON) -m bench.install
	@$(PYTHON) -m bench.start
	@$(PYTHON) -m bench.authorization
	@$(PYTHON) -m bench.diagnosis
	@$(PYTHON) -m bench.cold_start
	@$(PYTHON) -m bench.function
	@$(PYTHON) -m bench.layer
	@$(PYTHON) -m bench.storm 2>/dev/null
	@$(PYTHON) -m bench.roles 2>/dev/null
	@$(PYTHON) -m bench.open_findings 2>/dev/null
	@$(PYTHON) -m bench.scale 2>/dev/null

# A sample of small changes to the pure packages, or to those named; each that no unit test of its package notices is
# printed. `make mutants SAMPLE=0 PACKAGES=network/names.py` tries all of one module, another SEED other ones. With LIMIT=4
# each meets only the fastest tests that take four seconds together.
SAMPLE ?= 100
SEED ?= 1
LIMIT ?= 0
PACKAGES ?=
mutants: build/python.stamp
	@$(PYTHON) -m bench.mutation --sample $(SAMPLE) --seed $(SEED) --seconds $(LIMIT) $(PACKAGES)

# A failure and its finding for each cause, from the test estates; only a change of what is shown needs them anew.
# `make examples CAUSE=x` writes the one of cause x, by the tests of its own file, and leaves the others as they are.
examples: build/python.stamp
	@rm -rf build/examples
	@$(PYTHON) -m pytest $(if $(CAUSE),tests/integration/checks/test_$(CAUSE).py,tests/integration) --write-examples build/examples
	@mkdir -p docs/causes/examples && cp build/examples/*.md docs/causes/examples/
	@test ! -d build/examples/tour || cp build/examples/tour/*.md docs/site/tour/

# What stands in the repository but is written from the code; tests say when it is out of date. All of it is written into
# build/ first: nothing changes where something is missing.
generate: build/python.stamp
	@rm -rf build/generated && mkdir -p build/generated/infra build/generated/lambdas/pull_responder/cli
	@$(PYTHON) -m infra.permissions > build/scopes.txt
	@$(PYTHON) -m pull_responder.generate --scopes build/scopes.txt build/generated
	@$(PYTHON) -m infra.member_role build/generated/infra/permissions.json > build/generated/infra/member-role.yaml
	@$(PYTHON) -m infra.member_template build/generated/infra/permissions.json > build/generated/infra/member.yaml
	@$(PYTHON) -m infra.terminal_scopes > build/generated/lambdas/pull_responder/cli/scopes.py
	@rm -f docs/causes/*.md && cp -R build/generated/. .
	@$(PYTHON) -m tests.unit.docs.samples

# Which versions are installed and packaged: after a change of a requirements.txt. What is packaged is for the functions'
# Python and processor alone, with the hash of each file.
UV := 0.13.9
locks:
	@test -x build/uv/bin/uv || { $(BOOTSTRAP_PYTHON) -m venv build/uv && build/uv/bin/python -m pip install --quiet uv==$(UV); }
	@build/uv/bin/uv pip compile --quiet --no-header --no-annotate --generate-hashes \
		--python-version 3.13 --python-platform aarch64-manylinux2014 lambdas/requirements.txt -o lambdas/requirements.lock
	@build/uv/bin/uv pip compile --quiet --no-header --no-annotate --universal --python-version 3.11 \
		requirements.txt -o requirements.lock
	@build/uv/bin/uv pip compile --quiet --no-header --no-annotate --universal --python-version 3.11 \
		requirements-scanners.txt -o requirements-scanners.lock
	@build/uv/bin/uv pip compile --quiet --no-header --no-annotate --universal --python-version 3.11 \
		requirements-site.txt -o requirements-site.lock

# What this release deploys, for the tests of the next one, which upgrade from it.
keep-release: build/python.stamp
	@$(PYTHON) -m tests.releases .

clean:
	rm -rf .venv node_modules tests/browser/node_modules build cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Most of what is installed is never imported, CDK's services above all: what is, is compiled when it is.
build/python.stamp: requirements.lock lambdas/requirements.lock pyproject.toml | $(PYTHON)
	@echo "Installing Python packages into .venv (once)" >&2
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@mkdir -p build && touch $@

$(PYTHON):
	@test -n "$(BOOTSTRAP_PYTHON)" || { echo "Python 3.11 or newer is needed, and none is on the path" >&2; exit 1; }
	@$(BOOTSTRAP_PYTHON) -m venv .venv

$(OTHER)/packages.stamp: requirements.lock
	@echo "Installing Python packages into $(OTHER) (once)" >&2
	@rm -rf $(OTHER) && $(LAST) $(OTHER_PYTHON) -m venv $(OTHER)
	@$(LAST) $(OTHER)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock
	@touch $@

# Not beside the installation into .venv: both read and write the same folder.
$(OTHER)/ready.stamp: $(OTHER)/packages.stamp pyproject.toml lambdas/requirements.txt | build/python.stamp
	@$(OTHER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# In an environment of their own: they need other versions of the same packages.
build/scanners.stamp: requirements-scanners.lock | $(PYTHON)
	@echo "Installing scanners into build/scanners (once)" >&2
	@rm -rf build/scanners && $(PYTHON) -m venv build/scanners
	@build/scanners/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-scanners.lock
	@touch $@

build/site.stamp: requirements-site.lock | $(PYTHON)
	@echo "Installing what builds the site into build/site-packages (once)" >&2
	@rm -rf build/site-packages && $(PYTHON) -m venv build/site-packages
	@build/site-packages/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-site.lock
	@touch $@

build/node.stamp: package.json package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 22 or newer with npm is needed, and none is on the path" >&2; exit 1; }
	@echo "Installing the CDK command line into node_modules (once)" >&2
	@npm ci --silent --no-audit --no-fund
	@mkdir -p build && touch $@

# Chromium for the tests of pages. Without it they are left out, and the last lines of the tests say so.
build/browser.stamp: tests/browser/package.json tests/browser/package-lock.json
	@echo "Installing a headless Chromium into tests/browser/node_modules (once)" >&2
	@npm ci --prefix tests/browser --silent --no-audit --no-fund && mkdir -p build && touch $@ || \
		echo "Without it the tests of pages are left out" >&2
