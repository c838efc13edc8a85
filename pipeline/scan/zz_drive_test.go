package scan

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func TestZZDrive(t *testing.T) {
	if os.Getenv("DRV") == "" {
		t.Skip("driver")
	}
	atoi := func(k string, d int) int {
		if v, err := strconv.Atoi(os.Getenv(k)); err == nil {
			return v
		}
		return d
	}
	var truth struct {
		Hosts []struct {
			Addr  string
			Ports []struct{ Port int }
		}
	}
	raw, _ := os.ReadFile(os.Getenv("TRUTH"))
	if err := json.Unmarshal(raw, &truth); err != nil {
		t.Fatal(err)
	}
	s := New(Options{Rate: atoi("CAP", 70000), Start: atoi("START", 0), Dir: t.TempDir(), Log: nil})
	prof := state.Profile{Name: "x", Top: atoi("TOP", 1000), Timing: 4}
	if os.Getenv("ALL") != "" {
		prof.Top = 0
		prof.Ports, _ = state.ParsePortSet("-")
	}
	set, _ := s.portsOf(t.Context(), prof)
	shard := state.Shard{RunID: 1, No: 1, Vantage: "local", Profile: prof}
	want := map[netip.Addr][]state.Port{}
	total := 0
	for i, h := range truth.Hosts {
		if i >= atoi("HOSTS", 256) {
			break
		}
		a := netip.MustParseAddr(h.Addr)
		sh := state.ShardHost{Address: a, Listed: true, New: os.Getenv("NEW") != ""}
		for _, q := range h.Ports {
			if set[state.TCP].Contains(uint16(q.Port)) {
				p := tcp(uint16(q.Port))
				want[a] = append(want[a], p)
				total++
				if os.Getenv("KNOWN") != "" {
					sh.Known = append(sh.Known, state.PortStatus{Port: p, State: state.Open})
					sh.Up = true
				}
			}
		}
		shard.Hosts = append(shard.Hosts, sh)
	}
	start := time.Now()
	last := -1
	r, err := s.Scan(t.Context(), shard, func(f float64, h, o int) {
		if int(f*10) != last {
			last = int(f * 10)
			rate, _ := s.budget().pace()
			fmt.Printf("   %4.1fs %3.0f%% open %d rate %d\n", time.Since(start).Seconds(), f*100, o, rate)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := open(r.Hosts)
	missed, phantom, cov := 0, 0, 0
	for a, ps := range want {
		have := map[state.Port]bool{}
		for _, p := range got[a] {
			have[p] = true
		}
		for _, p := range ps {
			if !have[p] {
				missed++
			}
			delete(have, p)
		}
		phantom += len(have)
	}
	for _, h := range r.Hosts {
		cov += h.Covered(state.TCP).Ports.Len()
	}
	fmt.Printf("RESULT %.2fs missed %d of %d phantom %d covered %.4f pace %+v notes %q\n", time.Since(start).Seconds(), missed, total, phantom,
		float64(cov)/float64(len(r.Hosts)*set[state.TCP].Len()), r.Pace, r.Notes)
}
