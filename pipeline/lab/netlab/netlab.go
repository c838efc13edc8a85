// Package netlab is a network with a known truth, for tests and benchmarks of scans: scanners in network namespaces
// of their own, and a wire with a round-trip time, loss and capacity to hosts whose open ports and services are
// known. Hosts and wire are this package's own code: it writes every answer itself, and counts every packet.
//
// It needs Linux, root and ip(8), touches nothing outside of its namespaces, and leaves nothing when it is killed.
package netlab

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Options say what a lab is.
type Options struct {
	Wire
	Hosts    []Host
	Scanners int    // namespaces to scan from; 0: one
	Seed     uint64 // of the losses
}

// Lab is a network that can be scanned. Its methods may be called at any time, also during a scan.
type Lab struct {
	spaces *namespaces
	wire   *wire
	carry  sync.WaitGroup
	close  sync.Once
}

// New makes a network. Close must be called.
func New(ctx context.Context, options Options) (*Lab, error) {
	spaces, err := makeNamespaces(ctx, max(options.Scanners, 1))
	if err != nil {
		return nil, err
	}
	l := &Lab{spaces: spaces}
	if l.wire, err = newWire(spaces, options.Seed); err != nil {
		spaces.close()
		return nil, err
	}
	l.wire.set(options.Wire)
	for _, h := range options.Hosts {
		if err := l.wire.truth.add(h); err != nil {
			l.Close()
			return nil, err
		}
	}
	l.carry.Go(l.wire.carry)
	return l, nil
}

// Start makes a network for a test, and closes it at its end.
func Start(tb testing.TB, options Options) *Lab {
	tb.Helper()
	l, err := New(tb.Context(), options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(l.Close)
	return l
}

// Close takes the network away. Commands that still run are alone in their namespace then.
func (l *Lab) Close() {
	l.close.Do(func() {
		_ = unix.Close(l.wire.end)
		l.carry.Wait()
		_ = unix.Close(l.wire.stop)
		l.spaces.close()
	})
}

// Command prepares a command in the namespace of the first scanner. It is killed when the program that made the
// lab ends.
func (l *Lab) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return l.CommandAt(ctx, 0, name, args...)
}

// CommandAt prepares a command in the namespace of a scanner, counted from 0.
func (l *Lab) CommandAt(ctx context.Context, scanner int, name string, args ...string) *exec.Cmd {
	enter := append([]string{"--net=" + path(l.spaces.scanners[scanner]), "--", name}, args...)
	cmd := exec.CommandContext(ctx, "nsenter", enter...) //nolint:gosec // the test says what it runs
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Do calls f on a thread in the namespace of the first scanner: a socket that f makes belongs there for as long as
// it is open.
func (l *Lab) Do(f func()) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			done <- err
			return
		}
		defer home.Close()
		if err = unix.Setns(int(l.spaces.scanners[0].Fd()), unix.CLONE_NEWNET); err == nil {
			f()
		}
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// Packets tells what was counted until now.
func (l *Lab) Packets() Packets {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	return l.wire.count.packets()
}

// SetWire changes how the network behaves.
func (l *Lab) SetWire(to Wire) {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	l.wire.set(to)
}

// Throttle changes how many packets a second the wire carries; 0: all.
func (l *Lab) Throttle(rate int) {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	to := l.wire.now
	to.Rate = rate
	l.wire.set(to)
}

// Open opens a port, or changes what speaks there. A host that there was not is made.
func (l *Lab) Open(at netip.AddrPort, service Service) error {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	h := l.wire.truth.at(at.Addr())
	if h == nil {
		if err := l.wire.truth.add(Host{Address: at.Addr()}); err != nil {
			return err
		}
		h = l.wire.truth.at(at.Addr())
	}
	h.Ports[at.Port()] = service
	return nil
}

// Shut closes a port.
func (l *Lab) Shut(at netip.AddrPort) {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	if h := l.wire.truth.at(at.Addr()); h != nil {
		delete(h.Ports, at.Port())
	}
}

// Silence takes a host off the network, or puts it back. The gateway of a scanner can be silenced too.
func (l *Lab) Silence(address netip.Addr, down bool) error {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	for _, g := range l.wire.gateways {
		if g.Address == address {
			g.down = down
			return nil
		}
	}
	h := l.wire.truth.at(address)
	if h == nil {
		return fmt.Errorf("the lab has no host %s", address)
	}
	h.down = down
	return nil
}

// Truth is every open port of the hosts that are not silenced, but for the ports that Host.Spoof speaks on.
func (l *Lab) Truth() map[netip.AddrPort]Service {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	open := map[netip.AddrPort]Service{}
	for _, h := range l.wire.truth {
		if h == nil || h.down {
			continue
		}
		for port, service := range maps.All(h.Ports) {
			open[netip.AddrPortFrom(h.Address, port)] = service
		}
	}
	return open
}

// ResetPeak begins to count the peaks of Packets anew.
func (l *Lab) ResetPeak() {
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	c := &l.wire.count
	c.all.reset()
	c.sent.reset()
	c.long.reset()
}
