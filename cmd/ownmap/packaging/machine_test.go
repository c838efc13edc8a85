//go:build packages

package packaging

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// release is the Debian that packages are tested on.
const release = "bookworm"

// stale is how old the kept Debian may get: its list of packages ages.
const stale = 7 * 24 * time.Hour

// machine is a Debian that has booted in namespaces of its own: its systemd is the process 1 of
// it, and its network has nothing but loopback.
type machine struct {
	root string // its file system, as seen from here
	init int    // its first process, as seen from here
}

// debian returns a fresh file system of a Debian with its systemd, in memory: what dpkg writes
// is to be on no disk. It is bootstrapped once a week and kept as an archive.
func debian(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(cache, "ownmap", "debian-"+release+"-"+runtime.GOARCH+".tar.zst")
	root := t.TempDir()
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=3g,mode=755"); err != nil {
		t.Fatalf("mount (it needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if info, err := os.Stat(kept); err == nil && time.Since(info.ModTime()) < stale {
		here(t, "tar", "--zstd", "-xf", kept, "-C", root)
		return root
	}
	begin := time.Now()
	here(t, "debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", release, root, mirror(t))
	// What the package needs, so that the next run has it without a network.
	within(t, root, "apt-get", "update", "-q")
	within(t, root, "apt-get", "install", "-qy", "--download-only", "nmap", "postgresql", "ca-certificates")
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		t.Fatal(err)
	}
	here(t, "tar", "--zstd", "-cf", kept+".new", "-C", root, ".")
	if err := os.Rename(kept+".new", kept); err != nil {
		t.Fatal(err)
	}
	t.Logf("bootstrapped Debian in %v", time.Since(begin).Round(time.Second))
	return root
}

// mirror is where this machine has its Debian from; DEBIAN_MIRROR goes before.
func mirror(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("DEBIAN_MIRROR"); named != "" {
		return named
	}
	list := here(t, "apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Component: main", "Codename: "+release)
	first, _, _ := strings.Cut(list, "\n")
	if first == "" {
		t.Fatalf("apt knows no mirror with %s here: name one in DEBIAN_MIRROR", release)
	}
	return first
}

// here runs a program on this machine and returns what it prints.
func here(t *testing.T, name string, args ...string) string {
	t.Helper()
	return ran(t, exec.Command(name, args...))
}

// within runs a program in the file system of a machine that has not booted.
func within(t *testing.T, root, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	path := filepath.Join(root, "usr/bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Err, cmd.Dir = "/usr/bin/"+name, nil, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}
	// Names are looked up as this machine does.
	for _, name := range []string{"/etc/resolv.conf", "/etc/hosts"} {
		if text, err := os.ReadFile(name); err == nil {
			if err := os.WriteFile(filepath.Join(root, name), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	ran(t, cmd)
}

func ran(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out.String(), errs.String())
	}
	return out.String()
}

// boot starts the machine, in a PID namespace that ends with this process, however that ends:
// systemd-nspawn alone would leave the machine running when it is killed.
func boot(t *testing.T, root string) *machine {
	t.Helper()
	var console bytes.Buffer
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--",
		"systemd-nspawn", "--quiet", "--boot", "--directory", root, "--private-network", "--register=no", "--keep-unit",
		"--console=pipe", "--resolv-conf=off", "--timezone=off", "--link-journal=no")
	cmd.Stdout, cmd.Stderr = &console, &console
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread() // the death signal is of the thread that started it
		started <- cmd.Start()
		_ = cmd.Wait()
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	m := &machine{root: root}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		<-ended
	})
	until(t, 3*time.Minute, "systemd has started everything", func() (err error) {
		select {
		case <-ended:
			t.Fatalf("the machine did not boot:\n%s", console.String())
		default:
		}
		m.init = cmd.Process.Pid
		for range 2 { // systemd-nspawn, and systemd; the first children only prepare the namespaces
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", m.init))
			if err != nil {
				return err
			}
			if m.init, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
				return err
			}
		}
		out, _ := m.try("systemctl", "is-system-running")
		if state := strings.TrimSpace(out); state != "running" {
			return fmt.Errorf("it is %q", state)
		}
		return nil
	})
	return m
}

// until tries until there is no error any more.
func until(t *testing.T, most time.Duration, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(most)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// try runs a program on the machine as root, in /root and with an empty standard input, and
// returns all that it prints.
func (m *machine) try(args ...string) (string, error) {
	cmd := exec.Command("nsenter", append([]string{
		"--target", strconv.Itoa(m.init), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--root", "--wd=/root",
	}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root", "USER=root"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// run runs a program on the machine that must not fail.
func (m *machine) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := m.try(args...)
	if err != nil {
		log, _ := m.try("journalctl", "--no-pager", "-n", "60")
		t.Fatalf("%s: %v\n%s\nthe journal:\n%s", strings.Join(args, " "), err, out, log)
	}
	return out
}

// ownmap runs OwnMap as its user.
func (m *machine) ownmap(t *testing.T, args ...string) string {
	t.Helper()
	return m.run(t, append([]string{"runuser", "-u", "ownmap", "--", "ownmap"}, args...)...)
}

// inside does something in the network of the machine.
func (m *machine) inside(do func() error) error {
	done := make(chan error, 2)
	go func() {
		defer func() { done <- errors.New("it ended in the middle") }() // a test that failed
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		there, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.init))
		if err != nil {
			done <- err
			return
		}
		defer there.Close()
		if err = unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err == nil {
			err = do()
			if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
				done <- errors.Join(err, back)
				return // the thread ends with this goroutine
			}
		}
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// put copies a file of this machine to the other one.
func (m *machine) put(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	path := filepath.Join(m.root, to)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	target, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
}
