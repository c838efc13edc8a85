package diff_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// TestStories compares the two states of each story in testdata/stories: was
// and now, and what must come of it. A host is a line "ADDRESS up|down NAME...",
// perhaps with "@VANTAGE" at its end, followed by lines of coverage ("tcp
// answered 1-1000") and ports ("22/tcp open ssh|OpenSSH|9.2|extra"; without a
// bar the service was not probed).
func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("stories: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			part := make(map[string]string)
			for _, f := range archive.Files {
				part[f.Name] = string(f.Data)
			}
			got := tell(diff.States(parseHosts(t, part["was"]), parseHosts(t, part["now"])))
			if d := cmp.Diff(part["want"], got); d != "" {
				t.Errorf("%s(-want +got)\n%s", archive.Comment, d)
			}
		})
	}
}

// tell writes an outcome as the stories have it.
func tell(out diff.Outcome) string {
	var b strings.Builder
	if out.Blind != nil {
		fmt.Fprintf(&b, "blind %d of %d on %s\n", out.Blind.Silent, out.Blind.Up, strings.Join(out.Blind.Vantages, " "))
	}
	for _, c := range out.Changes {
		fmt.Fprintf(&b, "%s %s", c.Kind, c.Label())
		if c.Vantage != state.DefaultVantage {
			b.WriteString(" @" + c.Vantage)
		}
		if c.OfPort() {
			fmt.Fprintf(&b, " %s: %s -> %s", c.Port, tellSeen(c.Was), tellSeen(c.Now))
		} else if c.Was.Name != "" {
			fmt.Fprintf(&b, ": %s -> %s", c.Was.Name, c.Now.Name)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func tellSeen(s state.Seen) string {
	if s.State == "" {
		return "nothing"
	}
	text := strings.TrimSpace(string(s.State) + " " + s.Service.String())
	if s.Service.Probed {
		text += "|" + s.Service.Product + "|" + s.Service.Version
	}
	return text
}

func parseHosts(t *testing.T, text string) []state.Host {
	t.Helper()
	var hosts []state.Host
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if addr, err := netip.ParseAddr(fields[0]); err == nil {
			h := state.Host{ID: int64(addr.AsSlice()[len(addr.AsSlice())-1]), Vantage: state.DefaultVantage, Address: addr, State: state.HostState(fields[1]), Names: fields[2:]}
			if n := len(h.Names); n > 0 && h.Names[n-1][0] == '@' {
				h.Vantage, h.Names = h.Names[n-1][1:], h.Names[:n-1]
			}
			hosts = append(hosts, h)
			continue
		}
		h := &hosts[len(hosts)-1]
		if strings.Contains(fields[0], "/") {
			h.Ports = append(h.Ports, parsePort(t, line))
			continue
		}
		h.Coverage = append(h.Coverage, parseCoverage(t, fields))
	}
	return hosts
}

func parseCoverage(t *testing.T, fields []string) state.Coverage {
	t.Helper()
	c := state.Coverage{Protocol: state.Protocol(fields[0]), Status: state.CoverageStatus(fields[1])}
	if len(fields) > 2 {
		set, err := state.ParsePortSet(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		c.Ports = set
	}
	return c
}

func parsePort(t *testing.T, line string) state.PortStatus {
	t.Helper()
	parts := append(strings.SplitN(line, " ", 3), "", "")
	port, err := state.ParsePort(parts[0])
	if err != nil {
		t.Fatal(err)
	}
	seen := append(strings.Split(parts[2], "|"), "", "", "")
	service := state.Service{Name: seen[0], Product: seen[1], Version: seen[2], ExtraInfo: seen[3], Probed: strings.Contains(parts[2], "|")}
	if name, ok := strings.CutPrefix(service.Name, "ssl/"); ok {
		service.Name, service.Tunnel = name, "ssl"
	}
	return state.PortStatus{Port: port, State: state.PortState(parts[1]), Service: service}
}
