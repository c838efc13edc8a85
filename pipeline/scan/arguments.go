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

// How nmap is told to ask.
const (
	// maxRetries is how often nmap asks a silent port again. A third retry brings
	// nothing where ports are dropped, and costs a third.
	maxRetries = 2
	// initialRTT and maxRTT bound how long a brisk nmap waits for an answer before
	// it asks again. An answer that comes later counts as long as nmap has not asked
	// for the last time: links of up to three times initialRTT are carried, such as
	// those over a satellite. Who is there is asked with nmap's own, longer ones.
	initialRTT = 300 * time.Millisecond
	maxRTT     = time.Second
	// gentleDelay is the pause between two probes to a fragile host.
	gentleDelay = 50 * time.Millisecond
)

// argumentsFor returns nmap's arguments for a look whose addresses stand in the
// file targets. Every one of them is built here from typed values.
func (s *Scanner) argumentsFor(ctx context.Context, l look, targets string) ([]string, error) {
	options := []nmap.Option{
		nmap.WithTargetInput(targets),
		nmap.WithTimingTemplate(nmap.Timing(min(max(l.timing, 0), 5))),
		nmap.WithMaxRate(paced(l.rate)),
		nmap.WithMaxRetries(l.retries),
		nmap.WithHostTimeout(s.patience(l)),
		nmap.WithMaxHostgroup(len(l.addresses)),
		nmap.WithMinHostgroup(len(l.addresses)),
		nmap.WithStatsEvery("2s"),
	}
	_, tcp := l.ask[state.TCP]
	_, udp := l.ask[state.UDP]
	for _, o := range []struct {
		when    bool
		options []nmap.Option
	}{
		{s.privileged, []nmap.Option{nmap.WithPrivileged()}},
		{!s.privileged, []nmap.Option{nmap.WithUnprivileged()}},
		{len(l.ask) > 0, []nmap.Option{nmap.WithPorts(portList(l.ask))}},
		{len(l.ask) == 0, []nmap.Option{nmap.WithPingScan()}},
		{tcp && s.privileged, []nmap.Option{nmap.WithSYNScan()}},
		{tcp && !s.privileged, []nmap.Option{nmap.WithConnectScan()}},
		{udp, []nmap.Option{nmap.WithUDPScan()}},
		{l.ipv6, []nmap.Option{nmap.WithIPv6Scanning()}},
		{len(l.ask) > 0 && !l.discover, []nmap.Option{nmap.WithSkipHostDiscovery()}},
		{!s.options.ReverseDNS, []nmap.Option{nmap.WithDisabledDNSResolution()}},
		{l.brisk && !l.gentle, []nmap.Option{nmap.WithMinRate(paced(l.rate))}},
		{l.brisk && !l.gentle && len(l.ask) > 0, []nmap.Option{nmap.WithInitialRTTTimeout(initialRTT), nmap.WithMaxRTTTimeout(maxRTT)}},
		{l.gentle, []nmap.Option{nmap.WithMaxParallelism(1), nmap.WithScanDelay(gentleDelay)}},
		{l.intensity >= 0, []nmap.Option{nmap.WithServiceInfo(), nmap.WithVersionIntensity(int16(min(l.intensity, 9)))}},
		{l.slots > 0, []nmap.Option{nmap.WithMinParallelism(l.slots), nmap.WithMaxParallelism(l.slots)}},
		{len(l.scripts) > 0, []nmap.Option{nmap.WithScripts(l.scripts...)}},
	} {
		if o.when {
			options = append(options, o.options...)
		}
	}
	return s.arguments(ctx, options...)
}

// paced returns the rate that nmap is told: a twentieth less than it may send, for
// it makes up for time in which a busy machine kept it waiting.
func paced(rate int) int { return max(1, rate-rate/20) }

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

// deadline returns how long the nmap of a look may take in all: every host its
// patience, side by side, but in service detection maybe one after the other.
func (s *Scanner) deadline(l look) time.Duration {
	turns := 2
	if l.intensity >= 0 {
		turns += len(l.addresses)
	}
	return s.options.Stall + time.Duration(turns)*s.patience(l)
}

// patience returns how long nmap may work on one host. The hosts of a look are
// scanned side by side, so each lasts as long as the rate makes the whole look
// last; without that share a deep scan at a low rate would cut every host. A
// gentle look asks one port after the other.
func (s *Scanner) patience(l look) time.Duration {
	if l.patience > 0 {
		return l.patience
	}
	probes := l.ask.count() * len(l.addresses) * (l.retries + 1)
	patience := s.options.HostTimeout + time.Duration(probes)*time.Second/time.Duration(max(l.rate, 1))
	if l.gentle {
		patience += time.Duration(l.ask.count()*(l.retries+1)) * (gentleDelay + maxRTT)
	}
	return patience
}
