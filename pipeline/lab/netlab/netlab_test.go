package netlab_test

import (
	"os"
	"testing"
	"time"

	"ownmap/pipeline/lab/netlab"
)

func TestTry(t *testing.T) {
	top, err := netlab.TopPorts(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	l := netlab.Start(t, netlab.Options{Hosts: netlab.Network(1, 256, top), Wire: netlab.Wire{RTT: 5 * time.Millisecond}})
	for _, args := range [][]string{
		{"ping", "-c", "2", "10.77.0.3"},
		{"nmap", "-n", "-sn", "10.77.0.0/24"},
		{"bash", "-c", os.Getenv("CMD")},
	} {
		start := time.Now()
		before := l.Packets()
		out, err := l.Command(t.Context(), args[0], args[1:]...).CombinedOutput()
		if len(out) > 1500 {
			out = out[len(out)-1500:]
		}
		t.Logf("%v %s\n%s\n%v %+v -> %+v", time.Since(start), args, out, err, before, l.Packets())
	}
}
