package legacy

import (
	"cmp"
	"context"
	"fmt"
	"hash"
	"net/netip"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
)

// legacyHost is a row of hosts, with its ports.
type legacyHost struct {
	address       netip.Addr
	alive         *bool // null: not known
	names         []string
	ssh           bool
	user          string
	ports         []legacyPort
	first, latest time.Time
}

// legacyPort is a row of ports.
type legacyPort struct {
	number                                    int
	protocol, state, service, product, behind string
	approved                                  bool
}

// reading is a database that is being read.
type reading struct {
	sum     hash.Hash
	hosts   map[netip.Addr]*legacyHost
	targets []netip.Prefix
}

func (r *reading) read(ctx context.Context, tx pgx.Tx) error {
	var missing []string
	err := tx.QueryRow(ctx, `select coalesce(array_agg(t), '{}') from unnest(array['hosts', 'ports', 'targets']) as t where to_regclass(t) is null`).Scan(&missing)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("it has no table %s: is it that of the OwnMap in Python?", missing[0])
	}
	for _, step := range []func(context.Context, pgx.Tx) error{r.readHosts, r.readPorts, r.readTargets} {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// rows reads the rows of a query, and takes each into the sum.
func rows(ctx context.Context, r *reading, tx pgx.Tx, query string, into []any, each func() error) error {
	found, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(found, into, func() error {
		for _, raw := range found.RawValues() {
			fmt.Fprintf(r.sum, "%d:%s,", len(raw), raw)
		}
		return each()
	})
	return err
}

func (r *reading) readHosts(ctx context.Context, tx pgx.Tx) error {
	var address netip.Addr
	var alive *bool
	var dns, name, user string
	var ssh bool
	var at *time.Time
	return rows(ctx, r, tx, `select host(host_ip)::inet, alive, coalesce(dns_name, ''), coalesce(host_name, ''), coalesce(ssh_available, false), coalesce(ssh_user, ''),
		last_modified at time zone current_setting('timezone') from hosts order by host_ip`,
		[]any{&address, &alive, &dns, &name, &ssh, &user, &at}, func() error {
			h := r.host(address)
			h.alive, h.ssh, h.user = alive, ssh, state.Clean(user)
			for _, n := range []string{dns, name} {
				if n = state.Clean(n); n != "" && !slices.Contains(h.names, n) {
					h.names = append(h.names, n)
				}
			}
			h.seen(at)
			return nil
		})
}

func (r *reading) readPorts(ctx context.Context, tx pgx.Tx) error {
	var address netip.Addr
	var p legacyPort
	var at *time.Time
	return rows(ctx, r, tx, `select host(host_ip)::inet, port, coalesce(protocol, ''), coalesce(state, ''), coalesce(service, ''), coalesce(product, ''), coalesce(process, ''), coalesce(approved, false),
		last_modified at time zone current_setting('timezone') from ports order by host_ip, port`,
		[]any{&address, &p.number, &p.protocol, &p.state, &p.service, &p.product, &p.behind, &p.approved, &at}, func() error {
			h := r.host(address)
			h.ports = append(h.ports, p)
			h.seen(at)
			return nil
		})
}

func (r *reading) readTargets(ctx context.Context, tx pgx.Tx) error {
	var prefix netip.Prefix
	return rows(ctx, r, tx, `select ip from targets order by ip`, []any{&prefix}, func() error {
		r.targets = append(r.targets, prefix)
		return nil
	})
}

func (r *reading) host(address netip.Addr) *legacyHost {
	h := r.hosts[address]
	if h == nil {
		h = &legacyHost{address: address}
		r.hosts[address] = h
	}
	return h
}

func (h *legacyHost) seen(at *time.Time) {
	if at == nil {
		return
	}
	if h.first.IsZero() || at.Before(h.first) {
		h.first = at.UTC()
	}
	if at.After(h.latest) {
		h.latest = at.UTC()
	}
}

// database puts together what was read.
func (r *reading) database(vantage string) Database {
	d := Database{Approved: map[netip.Addr][]state.Port{}}
	d.Scan.Program, d.Scan.Vantage = "legacy OwnMap", vantage
	list := make([]*legacyHost, 0, len(r.hosts))
	udp := false
	for _, h := range r.hosts {
		list = append(list, h)
		udp = udp || slices.ContainsFunc(h.ports, func(p legacyPort) bool { return protocolOf(p.protocol) == state.UDP })
	}
	slices.SortFunc(list, func(a, b *legacyHost) int { return a.address.Compare(b.address) })
	for _, h := range list {
		d.add(h, udp)
	}
	if !udp && len(list) > 0 {
		d.Lost = append(d.Lost, "no row is of UDP: either nobody scanned UDP, or each UDP port was lost to the TCP port of its number; which of the two cannot be known")
	}
	for _, prefix := range r.targets {
		d.target(prefix, r.hosts[prefix.Addr()])
	}
	return d
}

// target takes in a target.
func (d *Database) target(prefix netip.Prefix, h *legacyHost) {
	text := prefix.Masked().String()
	if prefix.IsSingleIP() {
		text = prefix.Addr().String()
	}
	spec, err := state.ParseSpec(text)
	if err != nil {
		d.Lost = append(d.Lost, "target "+text+" is left out: "+err.Error())
		return
	}
	t := state.Target{Spec: spec, Vantage: cmp.Or(d.Scan.Vantage, state.DefaultVantage), Origin: state.OriginCLI}
	if prefix.IsSingleIP() && h != nil && h.ssh {
		t.SSH = state.TargetSSH{Look: state.LookOn, User: h.user}
	}
	d.Targets = append(d.Targets, t)
}
