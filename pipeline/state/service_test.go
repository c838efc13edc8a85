package state

import (
	"testing"
)

func TestServiceWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		s                         Service
		name, described, ofFamily string
	}{
		{Service{}, "", "", ""},
		{Service{Name: "http", Product: "nginx", Version: "1.22.1"}, "http", "nginx 1.22.1", "nginx"},
		{Service{Name: "http", Tunnel: "ssl", Product: "Apache httpd", Version: "2.4.57", ExtraInfo: "Debian"}, "ssl/http", "Apache httpd 2.4.57 (Debian)", "apache httpd"},
		{Service{Name: "ms-sql-s", Product: "Microsoft SQL Server 2019"}, "ms-sql-s", "Microsoft SQL Server 2019", "microsoft sql server"},
		{Service{Name: "ms-sql-s", Product: "Microsoft SQL Server 2022 16.00"}, "ms-sql-s", "Microsoft SQL Server 2022 16.00", "microsoft sql server"},
		{Service{Product: "3Com switch"}, "", "3Com switch", "3com switch"},
		{Service{Product: "  "}, "", "  ", ""},
		{Service{ExtraInfo: "protocol 2.0"}, "", "(protocol 2.0)", ""},
	} {
		if tc.s.String() != tc.name || tc.s.Described() != tc.described || tc.s.Family() != tc.ofFamily {
			t.Errorf("%+v: %q, %q, %q", tc.s, tc.s, tc.s.Described(), tc.s.Family())
		}
	}
}

// TestFingerprint holds that every material field counts, that no two fields can
// be mistaken for one another, and that volatile or unordered things do not count.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	base := Service{Name: "http", Product: "nginx", Version: "1.22.1", Tunnel: "ssl", CPE: []string{"cpe:/a:b", "cpe:/a:a"}, Probed: true}
	seen := map[Fingerprint]string{base.Fingerprint(): "base"}
	for name, change := range map[string]func(*Service){
		"name":      func(s *Service) { s.Name = "https" },
		"product":   func(s *Service) { s.Product = "" },
		"version":   func(s *Service) { s.Version = "1.22.2" },
		"tunnel":    func(s *Service) { s.Tunnel = "" },
		"cpe":       func(s *Service) { s.CPE = []string{"cpe:/a:a"} },
		"probed":    func(s *Service) { s.Probed = false },
		"shift":     func(s *Service) { s.Name, s.Product = "httpn", "ginx" },
		"move":      func(s *Service) { s.Product, s.Version = s.Version, s.Product },
		"join cpe":  func(s *Service) { s.CPE = []string{"cpe:/a:acpe:/a:b"} },
		"no fields": func(s *Service) { *s = Service{} },
	} {
		s := base
		change(&s)
		if other, taken := seen[s.Fingerprint()]; taken {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[s.Fingerprint()] = name
	}
	same := base
	same.ExtraInfo, same.CPE = "uptime 3 days", []string{"cpe:/a:a", "cpe:/a:b"}
	if same.Fingerprint() != base.Fingerprint() {
		t.Error("extra information or the order of CPEs changes the fingerprint")
	}
	if base.CPE[0] != "cpe:/a:b" {
		t.Error("the fingerprint sorts the service's own CPEs")
	}
	// The database keeps it: another algorithm would make every port look changed.
	if got := (Service{Name: "ssh"}).Fingerprint().String(); got != "048ef85c1d3b15364138cb5b1fcb70df" {
		t.Errorf("the fingerprint of ssh is now %s", got)
	}
}
