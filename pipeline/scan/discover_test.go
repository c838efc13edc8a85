package scan

import (
	"testing"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// Who does not answer a discovery is asked once more; who is silent then too is
// not there, and who nmap tells nothing of was not looked at.
func TestDiscoveryAsksTwice(t *testing.T) {
	t.Parallel()
	const body = `if ! grep -q '^-sn$' "$DIR/call.$$"; then cat "$DIR/scan.xml"; exit; fi
echo x >> "$DIR/pings"; n=$(wc -l < "$DIR/pings"); cat "$DIR/ping-$((n)).xml"`
	for name, c := range map[string]struct {
		pings [2]string
		calls int
		host  state.HostState
		line  state.CoverageStatus
	}{
		"at once":      {[2]string{answer(true), ""}, 2, state.Up, state.Answered},
		"second time":  {[2]string{answer(false), answer(true)}, 3, state.Up, state.Answered},
		"never":        {[2]string{answer(false), answer(false)}, 2, state.Down, state.Silent},
		"second fails": {[2]string{answer(false), "garbage"}, 2, "", state.NotScanned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := lab.NewFakeNmap(t, body, map[string]string{"ping-1.xml": c.pings[0], "ping-2.xml": c.pings[1], "scan.xml": answer(true, "80 open")})
			shard := shardOf(profile(t, "80"), "192.0.2.1")
			shard.Discover = true
			result := scanOne(t, newScanner(t, Options{Binary: fake.Path}), shard)
			h := result.Hosts[0]
			if calls := len(fake.Calls(t)); calls != c.calls || h.State != c.host || h.Covered(state.TCP).Status != c.line {
				t.Errorf("%d calls, state %q, coverage %+v, notes %q", calls, h.State, h.Coverage, result.Notes)
			}
		})
	}
}
