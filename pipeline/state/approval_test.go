package state

import "testing"

func TestApprovalDrifted(t *testing.T) {
	t.Parallel()
	probed := func(name, tunnel, product, version string) Service {
		return Service{Name: name, Tunnel: tunnel, Product: product, Version: version, Probed: true}
	}
	nginx := probed("http", "", "nginx", "1.22.1")
	for _, tc := range []struct {
		name     string
		approved Service
		now      Service
		want     bool
	}{
		{"the same", nginx, nginx, false},
		{"a version bump", nginx, probed("http", "", "nginx", "1.24.0"), false},
		{"a version in the product", probed("ms-sql-s", "", "Microsoft SQL Server 2019", ""), probed("ms-sql-s", "", "Microsoft SQL Server 2022", ""), false},
		{"extra information", nginx, Service{Name: "http", Product: "nginx", ExtraInfo: "Ubuntu", Probed: true}, false},
		{"another product", nginx, probed("http", "", "Apache httpd", ""), true},
		{"the product is gone", nginx, probed("http", "", "", ""), true},
		{"another service", nginx, probed("ssh", "", "OpenSSH", ""), true},
		{"TLS is gone", probed("http", "ssl", "nginx", ""), nginx, true},
		{"approved before the product was known", probed("http", "", "", ""), nginx, false},
		{"approved before detection looked", Service{Name: "http"}, probed("ssh", "", "OpenSSH", ""), false},
		{"a pass that did not look", nginx, Service{Name: "ssh"}, false},
	} {
		var a Approval
		a.Pin(tc.approved, Process{})
		if got := a.Drifted(tc.now); got != tc.want {
			t.Errorf("%s: drifted %v, want %v", tc.name, got, tc.want)
		}
		if a.Drifted(tc.approved) {
			t.Errorf("%s: drifts from what it was given for", tc.name)
		}
	}
}
