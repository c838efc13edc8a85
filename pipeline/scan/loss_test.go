package scan

import (
	"strings"
	"testing"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// On a host that loses packets so that nmap gives up, filtered is no evidence:
// only ports that answered are covered.
func TestLossIsNoEvidence(t *testing.T) {
	t.Parallel()
	out := strings.Replace(xmlGood, `portid="80"><state state="closed" reason="reset"`, `portid="80"><state state="filtered" reason="no-response"`, 1)
	for name, c := range map[string]struct{ warning, covered string }{
		"no warning": {"", "22,80"},
		"warning":    {"Warning: 192.0.2.1 giving up on port because retransmission cap hit (2).", "22"},
		"other host": {"Warning: 192.0.2.2 giving up on port because retransmission cap hit (2).", "22,80"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := lab.NewFakeNmap(t, `cat "$DIR/out.xml"; cat "$DIR/warning" >&2`, map[string]string{"out.xml": out, "warning": c.warning + "\n"})
			got := scanOne(t, newScanner(t, Options{Binary: fake.Path}), shardOf(profile(t, "22,80"), "192.0.2.1", "192.0.2.2"))
			covered := got.Hosts[0].Covered(state.TCP).Ports.String()
			if covered != c.covered {
				t.Errorf("covered ports %q, want %q", covered, c.covered)
			}
		})
	}
}
