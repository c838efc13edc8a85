package scan

import (
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/lab"
)

// The share that is done rises with nmap's own word and never falls; at the end
// every host counts, and the open ports.
func TestWatch(t *testing.T) {
	t.Parallel()
	tasks := `<taskprogress task="SYN Stealth Scan" time="1" percent="50.00" remaining="1" etc="2"/>
<taskprogress task="SYN Stealth Scan" time="1" percent="40.00" remaining="1" etc="2"/>
`
	for name, c := range map[string]struct {
		body string
		open int
	}{"good": {`cat "$DIR/out.xml"`, 1}, "fails": {`cat "$DIR/out.xml"; exit 1`, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := lab.NewFakeNmap(t, c.body, map[string]string{"out.xml": strings.Replace(xmlGood, xmlHost, tasks+xmlHost, 1)})
			var fractions []float64
			hosts, open := 0, 0
			_, err := newScanner(t, Options{Binary: fake.Path}).Scan(t.Context(), shardOf(profile(t, "22,80"), "192.0.2.1", "192.0.2.2"),
				func(fraction float64, h, o int) {
					fractions = append(fractions, fraction)
					hosts, open = h, o
				})
			if err != nil || hosts != 2 || open != c.open {
				t.Errorf("%v, %d hosts, %d open", err, hosts, open)
			}
			if !slices.IsSorted(fractions) || fractions[0] != 0.5 || fractions[len(fractions)-1] != 1 {
				t.Errorf("fractions %v", fractions)
			}
		})
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
