package load

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Find returns the path of the config file: explicit (from --config), else
// $OWNMAP_CONFIG, else ./ownmap.yaml, else /etc/ownmap/ownmap.yaml, else the
// empty path, which stands for the built-in defaults. A file that somebody named
// and that is not there is an error, and so is one that cannot be looked at; but for
// the current directory, which is another user's where somebody changed the user only
// (`runuser -u ownmap` in /root).
func Find(explicit string, env func(string) string) (string, error) {
	return find(explicit, env, "ownmap.yaml", "/etc/ownmap/ownmap.yaml")
}

func find(explicit string, env func(string) string, usual ...string) (string, error) {
	from := "--config"
	if explicit == "" {
		explicit, from = env("OWNMAP_CONFIG"), "$OWNMAP_CONFIG"
	}
	if explicit != "" {
		if _, err := os.Stat(explicit); err != nil {
			return "", fmt.Errorf("config file of %s: %w; correct the path, or leave it out to use the defaults", from, err)
		}
		return explicit, nil
	}
	for _, path := range usual {
		switch _, err := os.Stat(path); {
		case err == nil:
			return path, nil
		case errors.Is(err, fs.ErrPermission) && !filepath.IsAbs(path):
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("config file: %w; make it readable, or name another with --config", err)
		}
	}
	return "", nil
}

// StateDir returns the absolute path of the state directory: explicit (from
// --state-dir), else the config's state_dir, else $STATE_DIRECTORY, which systemd
// sets (systemd.exec(5); the first of several), else /var/lib/ownmap for root and
// for the user whose it is, which is that of the services: who calls a command as
// that user means their state. Else $XDG_STATE_HOME/ownmap or
// ~/.local/state/ownmap (XDG Base Directory Specification; a relative
// XDG_STATE_HOME is ignored, as it asks).
func StateDir(explicit string, config Config, env func(string) string, euid int) (string, error) {
	return stateDir(explicit, config, env, euid, "/var/lib/ownmap")
}

func stateDir(explicit string, config Config, env func(string) string, euid int, system string) (string, error) {
	systemd, _, _ := strings.Cut(env("STATE_DIRECTORY"), ":")
	for _, dir := range []string{explicit, config.StateDir, systemd} {
		if dir != "" {
			return filepath.Abs(dir)
		}
	}
	if euid == 0 || owns(euid, system) {
		return system, nil
	}
	if xdg := env("XDG_STATE_HOME"); filepath.IsAbs(xdg) {
		return filepath.Join(xdg, "ownmap"), nil
	}
	if home := env("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "ownmap"), nil
	}
	return "", errors.New("no state directory: $HOME is not set; name one with --state-dir or state_dir in ownmap.yaml")
}

// owns says whether a directory belongs to a user.
func owns(uid int, dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == uid
}
