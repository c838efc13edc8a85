package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"ownmap/pipeline/state"
)

// Resolver looks up the addresses of a DNS name; *net.Resolver is one. network
// is "ip", which asks for IPv4 and IPv6 alike.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const lookupsAtOnce = 16

// answer is what came of looking up a name: addresses, sorted, or the reason why
// there are none.
type answer struct {
	addresses []netip.Addr
	err       error
}

// resolve looks up the name of every target that is one, each once. It fails
// only when ctx ends; a name without addresses is an answer too.
func (p *Planner) resolve(ctx context.Context, targets []state.Target) (map[state.Spec]answer, error) {
	var names []state.Spec
	answers := map[state.Spec]answer{}
	for _, t := range targets {
		if _, asked := answers[t.Spec]; t.Spec.Kind() == state.SpecName && !asked {
			answers[t.Spec] = answer{}
			names = append(names, t.Spec)
		}
	}
	found := make([]answer, len(names))
	var group errgroup.Group
	group.SetLimit(lookupsAtOnce)
	for i, name := range names {
		group.Go(func() error {
			found[i] = p.lookup(ctx, name.String())
			return nil
		})
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return nil, err
	}
	for i, name := range names {
		answers[name] = found[i]
	}
	return answers, nil
}

func (p *Planner) lookup(ctx context.Context, name string) answer {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(p.config.Scan.ResolveTimeout))
	defer cancel()
	addresses, err := p.resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return answer{err: plainly(err)}
	}
	var usable []netip.Addr
	for _, a := range addresses {
		if a = a.Unmap(); scannable(a) {
			usable = append(usable, a)
		}
	}
	slices.SortFunc(usable, netip.Addr.Compare)
	usable = slices.Compact(usable)
	switch limit := p.config.Scan.MaxAddresses; {
	case len(addresses) == 0:
		return answer{err: errors.New("it has no address")}
	case len(usable) == 0:
		return answer{err: fmt.Errorf("it has no address that can be scanned: %v", addresses[0])}
	case len(usable) > limit:
		return answer{err: fmt.Errorf("it has %d addresses, limit %d", len(usable), limit)}
	}
	return answer{addresses: usable}
}

// scannable says whether an address can be of a host: 0.0.0.0 is what filters
// answer for a name that they block, and to nmap it is this machine.
func scannable(a netip.Addr) bool {
	return a.IsValid() && a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// plainly returns the reason of a failed lookup without the name and the server,
// so that the same fault reads the same every night.
func plainly(err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer from DNS in time")
	case !errors.As(err, &dns):
		return err
	case dns.IsNotFound:
		return errors.New("no such host")
	case dns.IsTimeout:
		return errors.New("no answer from DNS in time")
	}
	return errors.New(dns.Err)
}
