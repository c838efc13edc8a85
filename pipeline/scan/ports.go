package scan

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/Ullaakut/nmap/v3"

	"ownmap/pipeline/state"
)

// ports are the port numbers asked for over each protocol; a protocol that was
// not asked for has no entry.
type ports map[state.Protocol]state.PortSet

// protocols returns the protocols asked for, in protocol order.
func (p ports) protocols() []state.Protocol { return slices.Sorted(maps.Keys(p)) }

// count returns the number of ports over all protocols.
func (p ports) count() int {
	n := 0
	for _, set := range p {
		n += set.Len()
	}
	return n
}

// only returns the ports that are wanted, over the protocols of p.
func (p ports) only(wanted ports) ports {
	out := make(ports, len(p))
	for protocol, set := range p {
		out[protocol] = intersect(set, wanted[protocol])
	}
	return out
}

// portsOf returns what a profile asks for.
func (s *Scanner) portsOf(ctx context.Context, profile state.Profile) (ports, error) {
	asked := ports{}
	tcp := profile.Ports
	if profile.Top > 0 {
		var err error
		if tcp, err = s.topPorts(ctx, profile.Top); err != nil {
			return nil, err
		}
	}
	if tcp.Len() > 0 {
		asked[state.TCP] = tcp
	}
	if profile.UDP.Len() > 0 {
		asked[state.UDP] = profile.UDP
	}
	return asked, nil
}

// topPorts returns the n most common TCP ports. nmap refuses --top-ports beside
// a list of UDP ports, so they have to be known; and it is nmap itself that is
// asked, by a scan of an empty list of targets, which sends nothing and takes
// 40 ms: no file of nmap's has to be found or understood.
func (s *Scanner) topPorts(ctx context.Context, n int) (state.PortSet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set, ok := s.top[n]; ok {
		return set, nil
	}
	run, err := s.dryRun(ctx, n)
	if err != nil {
		return state.PortSet{}, err
	}
	set := run.asked[state.TCP]
	if set.Len() == 0 {
		return set, fmt.Errorf("%s names none of the %d most common ports", s.options.Binary, n)
	}
	s.top[n] = set
	return set, nil
}

// Check starts nmap without a target and returns its version and the rights
// that a scan has. It fails with ErrNoNmap when there is none.
func (s *Scanner) Check(ctx context.Context) (state.Scanner, error) {
	run, err := s.dryRun(ctx, 1)
	return state.Scanner{Version: run.version, Privileged: s.privileged}, err
}

// dryRun runs nmap over no targets.
func (s *Scanner) dryRun(ctx context.Context, top int) (runXML, error) {
	args, err := s.arguments(ctx, nmap.WithTargetInput("/dev/null"), nmap.WithMostCommonPorts(top), nmap.WithConnectScan(),
		nmap.WithUnprivileged(), nmap.WithSkipHostDiscovery(), nmap.WithDisabledDNSResolution())
	if err != nil {
		return runXML{}, err
	}
	var run runXML
	ended, err := s.process(args, s.options.Stall).run(ctx, func(r io.Reader) error {
		var err error
		run, err = decode(r, s.outputCap, handler{})
		return err
	})
	switch {
	case ctx.Err() != nil:
		return run, ctx.Err()
	case err != nil:
		return run, err
	case ended.read != nil || ended.exit != nil:
		return run, fmt.Errorf("%s does not work: %s", s.options.Binary, ended.describe())
	}
	return run, nil
}
