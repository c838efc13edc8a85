# OwnMap's tasks. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# The binary is static and the suite needs no C compiler; only `make race` does.
export CGO_ENABLED := 0
# Where the repository lies must not matter to Go's cache: a fresh clone finds what was compiled in another folder,
# and build, tests and lint find one another's.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
# Services and cron leave HOME empty, and without it Go has nowhere to keep its caches.
ifeq ($(strip $(HOME)),)
export HOME := $(shell getent passwd "$$(id -u)" | cut -d: -f6)
endif
# sudo forgets where Go lives, and Debian's users do not see the tools in sbin.
export PATH := $(PATH):/usr/local/go/bin:/usr/sbin:/sbin

VERSION   = $(shell git describe --tags --always --dirty 2>/dev/null)
LINT      = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.11.4
SQLC      = go tool -modfile=go.tool.mod sqlc
NFPM      = go run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
# Not with our GOFLAGS: .goreleaser.yaml says what it builds with.
RELEASER  = GOFLAGS= go run github.com/goreleaser/goreleaser/v2@v2.15.1
CYCLONEDX = go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
FUZZTIME ?= 10s

# Where things go: `make install PREFIX=/usr DESTDIR=/tmp/tree`.
PREFIX    ?= /usr/local
DESTDIR   ?=
UNITDIR   ?= $(PREFIX)/lib/systemd/system
# What `make manual` makes; a release's tarball has it in folders of its own.
MANUAL    := $(firstword $(wildcard man) bin/manual)
COMPLETIONS := $(firstword $(wildcard completions) bin/completions)
# What packages are made of, and of which version: that of the tag, where -rc1 sorts before the release, else one that
# sorts before the first.
DIST      ?= dist
ARCH      ?= $(shell go env GOARCH)
PROGRAM   ?= $(DIST)/ownmap-$(ARCH)
PACKAGE_VERSION ?= $(shell git describe --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//; s/^\([0-9.]*\)-\([A-Za-z]\)/\1~\2/; s/-/+/; s/-/./g' | grep . || git log -1 --format=0~%cd+%h --date=format:%Y%m%d.%H%M%S 2>/dev/null || echo 0)
MAINTAINER ?= OwnMap <ownmap@example.org>
HOMEPAGE  ?= https://ownmap.example.org/
ENGINE    ?= podman
EPOCH     ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# What each target needs, as PROGRAM:PACKAGE with Debian's and Ubuntu's package names.
setup      := nmap:nmap postgres:postgresql
setup-test := $(setup) ndiff:ndiff ip:iproute2 sshd:openssh-server sudo:sudo netstat:net-tools busybox:busybox iptables:iptables nft:nftables systemd-analyze:systemd man:man-db groff:groff-base \
              chromium:chromium pdftoppm:poppler-utils xsltproc:xsltproc xmllint:libxml2-utils tidy:tidy \
              /usr/share/fonts-droid-fallback/truetype/DroidSansFallback.ttf:fonts-droid-fallback
setup-package := $(setup-test) debootstrap:debootstrap systemd-nspawn:systemd-container zstd:zstd man:man-db
setup-race := $(setup-test) gcc:gcc /usr/include/stdlib.h:libc6-dev

.PHONY: help
help: ## List these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## Build the static binary bin/ownmap
	go build -buildvcs=false -ldflags '-s -w $(if $(VERSION),-X main.version=$(VERSION))' -o bin/ownmap ./cmd/ownmap

.PHONY: run
run: setup build ## Install what is missing, build, and scan this machine (ARGS="--quiet ...")
	bin/ownmap run $(ARGS)

.PHONY: install
install: build manual ## Install program, units, manual, example and completions (PREFIX=/usr/local DESTDIR=)
	@$(MAKE) --no-print-directory install-tree PROGRAM=bin/ownmap

.PHONY: install-tree
install-tree:
	install -Dm755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/ownmap
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5
	for unit in cmd/ownmap/systemd/*; do sed 's|/usr/bin/ownmap|$(PREFIX)/bin/ownmap|' $$unit >$(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	chmod 644 $(DESTDIR)$(UNITDIR)/ownmap*
	for page in $(MANUAL)/man?/*; do gzip -9nc $$page >$(DESTDIR)$(PREFIX)/share/man/$${page#$(MANUAL)/}.gz; done
	chmod 644 $(DESTDIR)$(PREFIX)/share/man/man?/ownmap*
	install -Dm644 config.example.yaml $(DESTDIR)$(PREFIX)/share/doc/ownmap/examples/ownmap.yaml
	install -m644 README.md CHANGELOG.md $(DESTDIR)$(PREFIX)/share/doc/ownmap/
	install -m644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/ownmap/copyright
	install -Dm644 $(COMPLETIONS)/ownmap.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ownmap
	install -Dm644 $(COMPLETIONS)/ownmap.zsh $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_ownmap
	install -Dm644 $(COMPLETIONS)/ownmap.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ownmap.fish

.PHONY: manual
manual: ## Make the pages of the manual and the completions in bin/
	rm -rf bin/manual bin/completions
	mkdir -p bin/completions
	GOARCH= go run ./cmd/ownmap docs man bin/manual config.example.yaml
	for shell in bash zsh fish; do GOARCH= go run ./cmd/ownmap completion $$shell >bin/completions/ownmap.$$shell || exit 1; done

# Always: Go knows best what is behind its source.
$(DIST)/ownmap-%: FORCE
	GOOS=linux GOARCH=$* go build -buildvcs=false -ldflags '-s -w -X main.version=$(PACKAGE_VERSION)' -o $@ ./cmd/ownmap

.PHONY: FORCE
FORCE:

.PHONY: deb rpm
deb: ## Make dist/ownmap_VERSION_ARCH.deb (ARCH=arm64 PACKAGE_VERSION=1.2.3)
rpm: ## Make dist/ownmap-VERSION.ARCH.rpm
deb rpm: $(PROGRAM) $(if $(KEEP_MANUAL),,manual)
	rm -rf $(DIST)/tree-$@-$(ARCH)
	@$(MAKE) --no-print-directory install-tree PREFIX=/usr DESTDIR=$(DIST)/tree-$@-$(ARCH) >/dev/null
	ARCH=$(ARCH) PACKAGE_VERSION='$(PACKAGE_VERSION)' MAINTAINER='$(MAINTAINER)' HOMEPAGE='$(HOMEPAGE)' SOURCE_DATE_EPOCH='$(EPOCH)' TREE=$(DIST)/tree-$@-$(ARCH) \
		$(NFPM) package --config cmd/ownmap/packaging/nfpm.yaml --packager $@ --target $(DIST)/
	rm -rf $(DIST)/tree-$@-$(ARCH)

.PHONY: sbom
sbom: ## List what the program is made of, as CycloneDX (SBOM=dist/ownmap.cdx.json)
	$(CYCLONEDX) app -json -licenses -main ./cmd/ownmap -output $(or $(SBOM),$(DIST)/ownmap.cdx.json) .

.PHONY: dist
dist: ## Make a release in dist/: tarballs, deb, rpm, SBOM, checksums (RELEASE=--snapshot without a tag)
	$(RELEASER) release --clean --skip=publish $(RELEASE)

.PHONY: image
# podman's own format knows no HEALTHCHECK.
image: build ## Build the container image with podman or docker (ENGINE=podman)
	$(ENGINE) build $(if $(filter podman,$(ENGINE)),--format docker) -t ownmap -f cmd/ownmap/packaging/Containerfile bin

.PHONY: test-package
test-package: setup-package ## Install, run, upgrade and purge the package on a Debian that boots, as root
	go test -tags packages -count=1 -timeout 30m $(TESTFLAGS) ./cmd/ownmap/packaging

.PHONY: test
# Without vet: lint runs it, and more. Without what debuggers need: linking is a good part of the time. The packages that
# take longest go first, so that none is left alone at the end.
test: setup-test ## Install what tests need and run all of them (TESTFLAGS="-v -run NAME")
	go test -vet=off -ldflags=-w -timeout 40m $(TESTFLAGS) ./cmd/ownmap ./reports/web ./reports/site ./pipeline/persist ./...

.PHONY: pictures
pictures: setup-test ## Make the pictures of the documentation anew
	OWNMAP_PICTURES=1 go test -count=1 -run TestPictures ./cmd/ownmap
	OWNMAP_PICTURES=$(CURDIR)/reports/web/testdata go test -count=1 -run 'TestPagesInBrowser/(overview-light|ports-dark)' ./reports/web

.PHONY: race
race: setup-race ## Run the tests under the race detector
	CGO_ENABLED=1 go test -race $(TESTFLAGS) ./...

.PHONY: bench
bench: setup-test ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem $(TESTFLAGS) ./...

.PHONY: bench-scan
bench-scan: setup-test build ## Measure scans beside bare nmap, as root (CELLS=ports,all REPEATS=3)
	go run ./pipeline/lab/benchscan -cells '$(CELLS)' -repeats $(or $(REPEATS),3) $(BENCHFLAGS)

.PHONY: bench-web
bench-web: setup-test build ## Measure the web page with 50,000 hosts and 1,000,000 ports (BENCHFLAGS="-clients 8")
	go run ./pipeline/lab/benchweb $(BENCHFLAGS)

.PHONY: bench-inside
bench-inside: setup-test ## Measure looking inside 100 hosts with a real sshd each, as root
	go test -run '^$$' -bench Inside -benchtime 3x ./pipeline/enrich

.PHONY: fuzz
fuzz: setup-test ## Fuzz every parser for FUZZTIME each (10s)
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {name[++n] = $$1} /^ok/ {while (n) print name[n--], $$2}' | \
	while read -r name package; do \
		echo "$$package $$name"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null || exit 1; \
	done

.PHONY: lint
lint: ## Check style, mistakes and who imports whom
	$(LINT) run

.PHONY: fmt
fmt: ## Format the Go code (gofumpt, grouped imports)
	$(LINT) fmt

.PHONY: generate
generate: ## Generate queries/*.gen.go from queries/*.sql, and docs/commands.md from the commands
	$(SQLC) generate
	go run ./cmd/ownmap docs reference >docs/commands.md

.PHONY: verify
verify: ## Fail when generated code or go.mod is behind its source
	$(SQLC) diff
	go mod tidy -diff

.PHONY: clean
clean: ## Remove what was built
	rm -rf bin dist

.PHONY: setup setup-test setup-race setup-package
setup: ## Install what OwnMap needs: nmap and PostgreSQL's server programs
setup-test: ## Install what the tests need besides
setup-race: ## Install the C compiler of the race detector besides
setup-package: ## Install what the test of the packages needs besides
setup setup-test setup-race setup-package:
	@sh -c "$$INSTALL" $@ $($@)

# Installs what is missing with apt-get; asks for nothing and touches nothing when all is there.
# Debian's postgresql would make a database cluster and start it on port 5432, and openssh-server
# would start sshd: nobody asked for those, so both are switched off for as long as the installation
# lasts.
define INSTALL
set -eu
go env GOVERSION >/dev/null || { echo "ownmap: hint: install Go 1.26 or later from https://go.dev/dl/" >&2; exit 1; }
PATH="$$PATH$$(printf ':%s' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin)"
missing= packages=
for need; do
	command -v "$${need%:*}" >/dev/null || [ -f "$${need%:*}" ] || { missing="$$missing $${need%:*}" packages="$$packages $${need#*:}"; }
done
[ -n "$$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	printf 'ownmap: error: not installed:%s\nownmap: hint: install with one of\n%s\n' "$$missing" "$$ELSEWHERE" >&2
	exit 1
fi
sudo=
if [ "$$(id -u)" -ne 0 ]; then
	sudo=sudo
	command -v sudo >/dev/null || { printf 'ownmap: error: not installed:%s\nownmap: hint: as root, run: make %s\n' "$$missing" "$$0" >&2; exit 1; }
fi
echo "installing$$packages with apt-get"
$$sudo sh -eu -c '
	export DEBIAN_FRONTEND=noninteractive
	switch=/etc/postgresql-common/createcluster.d/ownmap-setup.conf
	policy=/usr/sbin/policy-rc.d
	[ ! -e "$$policy" ] || policy=
	trap "rm -f $$switch $$policy; rmdir -p --ignore-fail-on-non-empty $${switch%/*}" EXIT
	trap "exit 130" INT TERM HUP
	[ -z "$$policy" ] || { printf "#!/bin/sh\nexit 101\n" >"$$policy"; chmod 755 "$$policy"; }
	mkdir -p "$${switch%/*}"
	echo "create_main_cluster = false" >"$$switch"
	apt-get update -q >/dev/null || echo "some package lists are old; trying with what is there" >&2
	apt-get install -qy --no-install-recommends -o DPkg::Lock::Timeout=300 "$$@" >/dev/null
' sh $$packages
endef
export INSTALL

define ELSEWHERE
  dnf install nmap postgresql-server iproute
  pacman -S nmap postgresql iproute2
  apk add nmap nmap-scripts nmap-ndiff postgresql iproute2
  brew install nmap postgresql@17
endef
export ELSEWHERE
