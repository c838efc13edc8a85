package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// leastSpace is how many bytes a file system must have left for the nights to come: a first run
// of a large network writes some hundred megabytes.
const leastSpace = 512 << 20

// checkSpace says how much is left where state and archive are kept.
func checkSpace(dirs ...string) (string, error) {
	var found []string
	var faults error
	seen := map[unix.Fsid]bool{}
	for _, dir := range dirs {
		var fs unix.Statfs_t
		if err := statfs(dir, &fs); err != nil {
			faults = errors.Join(faults, fmt.Errorf("%s: %w", dir, err))
			continue
		}
		if seen[fs.Fsid] {
			continue
		}
		seen[fs.Fsid] = true
		left := fs.Bavail * uint64(fs.Bsize)
		if left < leastSpace {
			faults = errors.Join(faults, fmt.Errorf("%s: %d MB are left, less than %d: make room, or take old runs out of the archive with `ownmap site prune`", dir, left>>20, leastSpace>>20))
		}
		found = append(found, fmt.Sprintf("%.1f GB left in %s", float64(left)/1e9, dir))
	}
	return strings.Join(found, ", "), faults
}

// statfs asks for the file system of a directory, or of the one that it would be made in.
func statfs(dir string, fs *unix.Statfs_t) error {
	for {
		err := unix.Statfs(dir, fs)
		if !errors.Is(err, unix.ENOENT) || dir == filepath.Dir(dir) {
			return err
		}
		dir = filepath.Dir(dir)
	}
}

// checkClock says whether the clock can be believed: all that OwnMap tells has a time.
func checkClock(ctx context.Context, h *house, ask func(ctx context.Context, args ...string) string) (string, error) {
	now := h.app.now()
	last, err := h.book.FindRun(ctx, "last")
	var none *persist.NoRunError
	switch {
	case errors.As(err, &none):
	case err != nil:
		return "", err
	case last.StartedAt.After(now.Add(time.Minute)):
		return "", fmt.Errorf("it is %s here, and the last run began at %s: set the clock, or have it set (`timedatectl set-ntp true`)", now.UTC().Format("2006-01-02 15:04 MST"), last.StartedAt.UTC().Format("2006-01-02 15:04 MST"))
	}
	found := now.Format("2006-01-02 15:04 MST")
	switch strings.TrimSpace(ask(ctx, "timedatectl", "show", "--property=NTPSynchronized", "--value")) {
	case "yes":
		found += ", set by time servers"
	case "no":
		found += "; no time server sets it (`timedatectl set-ntp true`)"
	}
	return found, nil
}

// askSystem runs a program of the system's and returns what it prints; empty where there is
// none, or none that answers.
func askSystem(ctx context.Context, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).Output() //nolint:gosec // programs that we name
	if err != nil {
		return ""
	}
	return string(out)
}

// unitScans says whether a unit of systemd's gives the runs raw sockets that this call has not:
// whoever checks an installed OwnMap does so as its user.
func unitScans(ctx context.Context, ask func(ctx context.Context, args ...string) string) bool {
	if os.Geteuid() == 0 {
		return false
	}
	lines := ask(ctx, "systemctl", "show", "ownmap.service", "--property=User", "--property=AmbientCapabilities", "--value")
	return strings.Contains(lines, "cap_net_raw")
}

// describeNmap says what nmap can do, and whether the unit of the runs can do more.
func describeNmap(nmap state.Scanner, unit bool) string {
	switch {
	case nmap.Privileged:
		return nmap.Version + ", SYN and UDP scan"
	case unit:
		return nmap.Version + ", SYN and UDP scan by ownmap.service, which has CAP_NET_RAW; this call has not, and makes connect scans"
	}
	return nmap.Version + ", connect scan only: without root or CAP_NET_RAW there is no SYN and no UDP scan"
}
