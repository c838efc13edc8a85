package scan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Ullaakut/nmap/v3"

	"ownmap/pipeline/state"
)

// maxRetries is how often nmap asks a silent port again. A
// third retry brings nothing where ports are dropped, and costs a third.
const maxRetries = 2

// job is one shard with what was decided about it.
type job struct {
	shard state.Shard
	asked ports
	rate  int // packets a second for this process
}

// scanned returns the ports that will be asked for with the rights at hand: UDP
// takes raw sockets.
func (s *Scanner) scanned(j job) ports {
	if s.privileged {
		return j.asked
	}
	out := ports{}
	for protocol, set := range j.asked {
		if protocol != state.UDP {
			out[protocol] = set
		}
	}
	return out
}

// argumentsFor returns nmap's arguments for a shard whose addresses stand in the
// file targets. Every one of them is built here from typed values.
func (s *Scanner) argumentsFor(ctx context.Context, j job, targets string) ([]string, error) {
	set := s.scanned(j)
	hosts := len(j.shard.Hosts)
	options := []nmap.Option{
		nmap.WithTargetInput(targets),
		nmap.WithPorts(portList(set)),
		nmap.WithTimingTemplate(nmap.Timing(min(max(j.shard.Profile.Timing, 0), 5))),
		nmap.WithMaxRate(j.rate),
		nmap.WithMaxRetries(maxRetries),
		nmap.WithHostTimeout(s.hostTimeout(j, set)),
		nmap.WithMaxHostgroup(hosts),
		nmap.WithMinHostgroup(hosts),
		nmap.WithStatsEvery("2s"),
	}
	_, tcp := set[state.TCP]
	_, udp := set[state.UDP]
	for _, o := range []struct {
		when   bool
		option nmap.Option
	}{
		{s.privileged, nmap.WithPrivileged()},
		{!s.privileged, nmap.WithUnprivileged()},
		{tcp && s.privileged, nmap.WithSYNScan()},
		{tcp && !s.privileged, nmap.WithConnectScan()},
		{udp, nmap.WithUDPScan()},
		{j.shard.IPv6, nmap.WithIPv6Scanning()},
		{!j.shard.Discover, nmap.WithSkipHostDiscovery()},
		{!s.options.ReverseDNS, nmap.WithDisabledDNSResolution()},
		{j.shard.Profile.Services, nmap.WithServiceInfo()},
	} {
		if o.when {
			options = append(options, o.option)
		}
	}
	return s.arguments(ctx, options...)
}

// arguments lets the library turn options into arguments; it runs nothing. With
// -v nmap prints hosts that are down too, each with the reason: so every address
// is accounted for by name.
func (s *Scanner) arguments(ctx context.Context, options ...nmap.Option) ([]string, error) {
	if s.options.Binary == "" {
		return nil, ErrNoNmap
	}
	options = append(options, nmap.WithBinaryPath(s.options.Binary), nmap.WithVerbosity(1))
	built, err := nmap.NewScanner(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("arguments of nmap: %w", err)
	}
	return append(slices.Clone(built.Args()), "-oX", "-"), nil
}

// portList returns the value of -p: "T:22,80,U:53".
func portList(set ports) string {
	var parts []string
	for _, protocol := range set.protocols() {
		letter := strings.ToUpper(string(protocol[:1]))
		parts = append(parts, letter+":"+set[protocol].String())
	}
	return strings.Join(parts, ",")
}

// hostTimeout returns how long nmap may work on one host. The hosts of a shard
// are scanned side by side, so each lasts as long as the rate makes the whole
// shard last; without that share a deep scan at a low rate would cut every host.
func (s *Scanner) hostTimeout(j job, set ports) time.Duration {
	probes := 0
	for _, ports := range set {
		probes += ports.Len() * len(j.shard.Hosts) * (maxRetries + 1)
	}
	return s.options.HostTimeout + time.Duration(probes)*time.Second/time.Duration(j.rate)
}
