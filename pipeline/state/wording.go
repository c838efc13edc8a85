package state

import (
	"cmp"
	"net/netip"
	"slices"
)

// Sign returns the sign that stands before a change of this kind in every
// report: + for what came, - for what went, ~ for what became different. Colour
// is only ever added to it.
func (k Kind) Sign() string {
	switch k {
	case HostNew, HostBack, PortOpened, PortFound, ListenerNew:
		return "+"
	case HostDown, PortClosed, ListenerGone:
		return "-"
	case HostRenamed, PortUncertain, ServiceChanged, ProductChanged, VersionChanged, ServiceIdentified,
		ProcessChanged, ProcessUpdated, BindChanged:
		return "~"
	}
	return "~"
}

// Summary returns service, product, version and extra information in one text,
// as the last two columns of nmap's port table have them.
func (s Service) Summary() string { return join(s.String(), s.Described()) }

// Detail says in a few words what a change is, beside its kind and port:
// "nginx 1.22.0 → 1.22.1", "was ftp vsftpd 3.0.3". It is empty where the kind
// says all.
func (c Change) Detail() string {
	was, now := c.Was.Service, c.Now.Service
	switch c.Kind {
	case HostNew, HostDown, HostBack:
		return ""
	case HostRenamed:
		return arrow(cmp.Or(c.Was.Name, "no name"), cmp.Or(c.Now.Name, "no name"))
	case PortOpened, PortFound, ServiceIdentified:
		return now.Summary()
	case PortClosed:
		return join("was", was.Summary())
	case PortUncertain:
		return arrow(cmp.Or(string(c.Was.State), "not open"), cmp.Or(string(c.Now.State), "not open"))
	case ServiceChanged, ProductChanged:
		return arrow(was.Summary(), now.Summary())
	case VersionChanged:
		return join(now.Product, arrow(cmp.Or(was.Version, "unknown"), cmp.Or(now.Version, "unknown")))
	case ProcessChanged, ProcessUpdated:
		return arrow(c.Was.Process.Described(), c.Now.Process.Described())
	case ListenerNew:
		return join(c.Now.Process.Described(), "on "+BindWords(c.Now.Bind))
	case ListenerGone:
		return join("was", join(c.Was.Process.Described(), "on "+BindWords(c.Was.Bind)))
	case BindChanged:
		return join(c.Now.Process.String(), arrow(BindWords(c.Was.Bind), BindWords(c.Now.Bind)))
	}
	return ""
}

func arrow(was, now string) string { return cmp.Or(was, "unknown") + " → " + cmp.Or(now, "unknown") }

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// HostChanges is what changed on one host.
type HostChanges struct {
	HostID   int64 // 0 outside of the database
	Label    string
	Severity Severity // of the most severe change
	Changes  []Change // most severe first, then in CompareChanges order
}

// FoldByHost groups changes by host: the order in which a reader wants them.
// Hosts with the most severe changes come first, then those with the lowest
// addresses.
func FoldByHost(changes []Change) []HostChanges {
	sorted := slices.SortedFunc(slices.Values(changes), CompareChanges)
	var folded []HostChanges
	for i, c := range sorted {
		if i == 0 || c.Address != sorted[i-1].Address || c.Vantage != sorted[i-1].Vantage {
			folded = append(folded, HostChanges{HostID: c.HostID, Label: c.Label(), Severity: Info})
		}
		host := &folded[len(folded)-1]
		host.Changes = append(host.Changes, c)
		if c.Kind.Severity().Rank() < host.Severity.Rank() {
			host.Severity = c.Kind.Severity()
		}
	}
	for _, h := range folded {
		slices.SortStableFunc(h.Changes, func(a, b Change) int { return cmp.Compare(a.Kind.Severity().Rank(), b.Kind.Severity().Rank()) })
	}
	slices.SortStableFunc(folded, func(a, b HostChanges) int { return cmp.Compare(a.Severity.Rank(), b.Severity.Rank()) })
	return folded
}

// BindWords says on which address something listens: "all IPv4 addresses",
// "10.0.0.7".
func BindWords(bind netip.Addr) string {
	switch {
	case !bind.IsValid():
		return ""
	case !bind.IsUnspecified():
		return bind.String()
	case bind.Is4():
		return "all IPv4 addresses"
	}
	return "all addresses"
}
