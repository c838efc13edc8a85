// Package packaging holds what packages and container images are made of, and the tests of
// the packages, which `make test-package` runs: on a Debian that has booted, with its systemd.
package packaging
