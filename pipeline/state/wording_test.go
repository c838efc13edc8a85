package state

import (
	"net/netip"
	"testing"
)

func TestDetail(t *testing.T) {
	t.Parallel()
	nginx := Service{Name: "http", Product: "nginx", Version: "1.22.1", ExtraInfo: "Debian"}
	newer := Service{Name: "http", Product: "nginx", Version: "1.26.0"}
	for _, c := range []struct {
		change Change
		want   string
	}{
		{Change{Kind: HostNew}, ""},
		{Change{Kind: HostDown}, ""},
		{Change{Kind: HostBack}, ""},
		{Change{Kind: HostRenamed, Now: Seen{Name: "web-1.example.org"}}, "no name → web-1.example.org"},
		{Change{Kind: PortOpened, Now: Seen{State: Open, Service: nginx}}, "http nginx 1.22.1 (Debian)"},
		{Change{Kind: PortClosed, Was: Seen{State: Open, Service: Service{Name: "ftp", Tunnel: "ssl"}}}, "was ssl/ftp"},
		{Change{Kind: PortUncertain, Now: Seen{State: OpenFiltered}}, "not open → open|filtered"},
		{Change{Kind: VersionChanged, Was: Seen{Service: nginx}, Now: Seen{Service: newer}}, "nginx 1.22.1 → 1.26.0"},
		{Change{Kind: VersionChanged, Was: Seen{Service: Service{Product: "nginx"}}, Now: Seen{Service: newer}}, "nginx unknown → 1.26.0"},
		{Change{Kind: ServiceChanged, Was: Seen{Service: nginx}, Now: Seen{Service: Service{Name: "ssh"}}}, "http nginx 1.22.1 (Debian) → ssh"},
		{Change{Kind: ServiceIdentified, Now: Seen{Service: newer}}, "http nginx 1.26.0"},
	} {
		if got := c.change.Detail(); got != c.want {
			t.Errorf("%s: %q, want %q", c.change.Kind, got, c.want)
		}
	}
}

func TestFoldByHost(t *testing.T) {
	t.Parallel()
	a, b, c := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.3")
	port := func(n uint16) Port { return Port{TCP, n} }
	changes := []Change{
		{Kind: PortOpened, Address: c, Name: "c.example.org", Port: port(80)},
		{Kind: VersionChanged, Address: b, Port: port(22)},
		{Kind: HostNew, Address: c, Name: "c.example.org"},
		{Kind: PortOpened, Address: a, Port: port(8080)},
		{Kind: PortClosed, Address: a, Port: port(21)},
	}
	var got []string
	for _, h := range FoldByHost(changes) {
		for _, change := range h.Changes {
			got = append(got, string(h.Severity)+" "+h.Label+" "+string(change.Kind))
		}
	}
	want := []string{
		"high 192.0.2.1 port-opened", "high 192.0.2.1 port-closed",
		"high c.example.org (192.0.2.3) port-opened", "high c.example.org (192.0.2.3) host-new",
		"info 192.0.2.2 version-changed",
	}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %q, want %q", i, got[i], want[i])
		}
	}
	if changes[0].Kind != PortOpened || changes[0].Address != c {
		t.Error("the caller's list was sorted")
	}
}
