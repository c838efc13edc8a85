package scan

import (
	"testing"

	"ownmap/pipeline/state"
)

// Known ports that the profile leaves out are asked for, in whichever of the two
// open states they are.
func TestOutside(t *testing.T) {
	t.Parallel()
	shard := shardOf(profile(t, "2200-2299"), "127.73.0.1", "127.73.0.2", "127.73.0.3")
	shard.Hosts[0].Known = []state.PortStatus{
		{Port: state.Port{Protocol: state.UDP, Number: 2201}, State: state.OpenFiltered}, {Port: tcp(2201), State: state.Open}, {Port: tcp(2301), State: state.Open},
	}
	shard.Hosts[1].Known = []state.PortStatus{{Port: tcp(2299), State: state.Open}}
	wants := outside(shard, ports{state.TCP: portSet(t, "2200-2299")})
	if len(wants) != 1 || wants[0].address != shard.Hosts[0].Address || wants[0].ports.count() != 2 ||
		!wants[0].ports.has(tcp(2301)) || !wants[0].ports[state.UDP].Contains(2201) {
		t.Errorf("%+v", wants)
	}
}
