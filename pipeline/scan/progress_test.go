package scan

import (
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestPlainProgress(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := clock{time.Unix(1700000000, 0)}
	p := NewPlainProgress(&out, c.now)
	p.Start(300)
	for range 30 {
		c.at = c.at.Add(time.Second)
		p.Update(100, 1, 0.25)
	}
	p.Update(300, 12, 1)
	p.Done()
	want := `scanned 100 of 300 hosts, 1 open port, 25 %, about 30s left
scanned 100 of 300 hosts, 1 open port, 25 %, about 1m0s left
scanned 100 of 300 hosts, 1 open port, 25 %, about 1m30s left
scanned 300 of 300 hosts, 12 open ports in 30s
`
	if out.String() != want {
		t.Errorf("lines:\n%swant:\n%s", out.String(), want)
	}
}

// The bar shows hosts, open ports and time left, and leaves an empty line.
func TestBarProgress(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	c := clock{time.Unix(1700000000, 0)}
	p := NewBarProgress(&out, c.now)
	p.Start(300)
	c.at = c.at.Add(30 * time.Second)
	p.Update(100, 7, 0.25)
	drawn := out.String()
	p.Update(101, 8, 0.26) // too soon after the last picture
	if out.String() != drawn || !strings.Contains(drawn, "scanned 100 of 300 hosts, 7 open ports, 1m30s left") || strings.Contains(drawn, "\n") {
		t.Errorf("drawn: %q", drawn)
	}
	p.Done()
	if end := strings.TrimPrefix(out.String(), drawn); strings.Contains(end, "scanned") || !strings.HasSuffix(end, "\r") && !strings.HasSuffix(end, "\x1b[2K\r") {
		t.Errorf("the line is not cleared: %q", end)
	}
}

// recorder is a Progress that remembers.
type recorder struct {
	total, hosts, open, dones int
	fractions                 []float64
}

func (r *recorder) Start(hosts int) { r.total = hosts }
func (r *recorder) Done()           { r.dones++ }
func (r *recorder) Update(hosts, open int, fraction float64) {
	r.hosts, r.open = hosts, open
	r.fractions = append(r.fractions, fraction)
}

// Progress counts every address, also of shards that failed, and never goes back.
func TestProgress(t *testing.T) {
	t.Parallel()
	tasks := `<taskprogress task="SYN Stealth Scan" time="1" percent="50.00" remaining="1" etc="2"/>
<taskprogress task="SYN Stealth Scan" time="1" percent="40.00" remaining="1" etc="2"/>
`
	fake := lab.NewFakeNmap(t, `case "$TARGETS" in *-2.targets) exit 1;; esac; cat "$DIR/out.xml"`,
		map[string]string{"out.xml": strings.Replace(xmlGood, xmlHost, tasks+xmlHost, 1)})
	var seen recorder
	s := newScanner(t, Options{Binary: fake.Path, Progress: &seen, MaxParallel: 1})
	one := shardOf(profile(t, "22,80"), "192.0.2.1", "192.0.2.2")
	two := one
	two.No = 2
	if err := s.Scan(t.Context(), []state.Shard{one, two}, func(state.ShardResult) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if seen.total != 4 || seen.hosts != 4 || seen.open != 1 || seen.dones != 1 {
		t.Errorf("%+v", seen)
	}
	last := 0.0
	for _, f := range seen.fractions {
		if f < last || f > 1 {
			t.Errorf("fractions %v", seen.fractions)
		}
		last = f
	}
	if last != 1 || seen.fractions[0] < 0.2 {
		t.Errorf("fractions %v", seen.fractions)
	}
}

func TestStderrNotes(t *testing.T) {
	t.Parallel()
	got := strings.Join(stderrNotes(`Failed to resolve "%s%d".
Warning: 192.0.2.1 giving up on port because retransmission cap hit (2).
Warning: 192.0.2.2 giving up on port because retransmission cap hit (2).
TCP/IP fingerprinting (for OS scan) requires root privileges.
`), "\n")
	want := `nmap could not resolve 1 host
nmap gave up on ports of 2 hosts (retransmission cap hit): packets are lost, a lower rate may find more
nmap lacks the rights for this scan: it takes root or CAP_NET_RAW`
	if got != want {
		t.Errorf("notes:\n%s", got)
	}
	var end tail
	for range 100 {
		_, _ = end.Write([]byte(strings.Repeat("x", 1000) + "\n"))
	}
	_, _ = end.Write([]byte("last words\n\nQUITTING!\n"))
	if text := end.String(); len(text) != maxStderr || lastLine(text) != "last words" {
		t.Errorf("%d bytes, last line %q", len(end.String()), lastLine(end.String()))
	}
}
