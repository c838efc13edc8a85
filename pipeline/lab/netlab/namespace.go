package netlab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// namespaces are a scanner's network namespace each, and the rings on the far ends of their cables. None has a
// name: they live as long as somebody holds them, so that nothing is left of a test that was killed.
type namespaces struct {
	scanners []*os.File
	rings    []*ring
}

// makeNamespaces makes n scanners. Namespaces belong to threads: the thread that it works on goes home afterwards, or
// ends if it cannot. Ending is the exception, since the kernel kills whatever other tests started from that thread
// (PR_SET_PDEATHSIG in prctl(2)).
func makeNamespaces(ctx context.Context, n int) (spaces *namespaces, err error) {
	done := make(chan error, 1)
	spaces = &namespaces{}
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		err = spaces.make(ctx, n)
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		spaces.close()
		return nil, fmt.Errorf("network namespaces (they need root, or the right to make them): %w", err)
	}
	return spaces, nil
}

func (s *namespaces) make(ctx context.Context, n int) error {
	far, err := unshare()
	if err != nil {
		return err
	}
	defer far.Close()
	for i := range n {
		space, err := unshare()
		if err != nil {
			return err
		}
		s.scanners = append(s.scanners, space)
		if err := ip(ctx,
			"link set lo up",
			fmt.Sprintf("link add wire type veth peer name far%d netns %s", i, path(far)),
			"link set wire addrgenmode none up",
			fmt.Sprintf("addr add %s/30 dev wire", scannerAddress(i)),
		); err != nil {
			return err
		}
	}
	if err := unix.Setns(int(far.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	for i := range n {
		device := fmt.Sprintf("far%d", i)
		if err := ip(ctx, "link set "+device+" addrgenmode none up"); err != nil {
			return err
		}
		r, err := openRing(device)
		if err != nil {
			return err
		}
		s.rings = append(s.rings, r)
	}
	for i, space := range s.scanners { // a route needs the cable's other end to be up
		if err := unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		if err := ip(ctx, fmt.Sprintf("route add default via %s", Gateway(i))); err != nil {
			return err
		}
	}
	return nil
}

// unshare moves the thread into a new network namespace.
func unshare() (*os.File, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	return os.Open("/proc/thread-self/ns/net")
}

// path names a namespace to other programs.
func path(space *os.File) string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), space.Fd())
}

// ip runs commands of ip(8) in the thread's namespace.
func ip(ctx context.Context, commands ...string) error {
	cmd := exec.CommandContext(ctx, "ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	return nil
}

func (s *namespaces) close() {
	var err error
	for _, space := range s.scanners {
		err = errors.Join(err, space.Close())
	}
	for _, r := range s.rings {
		r.close()
	}
	s.scanners, s.rings = nil, nil
}
