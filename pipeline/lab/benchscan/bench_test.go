package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/netlab"
)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestJudge(t *testing.T) {
	t.Parallel()
	ssh := netlab.Services()["ssh"]
	truth := map[netip.AddrPort]netlab.Service{at("10.77.0.1:22"): ssh, at("10.77.0.2:22"): ssh, at("10.77.0.2:99"): {}}
	all := map[netip.AddrPort]string{at("10.77.0.1:22"): "OpenSSH", at("10.77.0.2:22"): "OpenSSH", at("10.77.0.2:99"): ""}
	less := map[netip.AddrPort]string{at("10.77.0.1:22"): "", at("10.77.0.2:99"): "", at("10.77.0.9:80"): "nginx"}
	r := row{judged: true, wantNamed: 2}
	r.judge(sample{seen: all}, truth)
	if r.missed != 0 || r.invented != 0 || r.named != 2 || !r.good() {
		t.Errorf("the whole truth: %+v", r)
	}
	r.judge(sample{seen: less}, truth)
	if r.missed != 1 || r.invented != 1 || r.named != 0 || r.good() || r.repeats != 2 {
		t.Errorf("less than the truth: %+v", r)
	}
	r.judge(sample{seen: all}, truth)
	if r.missed != 1 || r.good() {
		t.Error("a good repeat takes back a bad one")
	}
}

func TestCompareChanges(t *testing.T) {
	t.Parallel()
	var r row
	r.compare([]netip.AddrPort{at("10.77.0.1:22")}, []netip.AddrPort{at("10.77.0.1:22")})
	if r.untold != 0 || r.falsely != 0 {
		t.Errorf("%+v", r)
	}
	r.compare([]netip.AddrPort{at("10.77.0.1:22")}, []netip.AddrPort{at("10.77.0.1:23"), at("10.77.0.1:24")})
	if r.untold != 2 || r.falsely != 1 {
		t.Errorf("%+v", r)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row  row
		good bool
	}{
		"at the limit":       {row{judged: true, ratio: 0.25, limit: 0.25, nmaps: 200, memoryLimit: 200}, true},
		"too slow":           {row{judged: true, ratio: 0.26, limit: 0.25}, false},
		"too large":          {row{judged: true, nmaps: 201, memoryLimit: 200}, false},
		"false change":       {row{judged: true, falsely: 1}, false},
		"no service":         {row{judged: true, wantNamed: 1}, false},
		"others may miss":    {row{missed: 5, invented: 5}, true},
		"nothing to compare": {row{judged: true, limit: 0.25}, true},
	} {
		if c.row.good() != c.good {
			t.Errorf("%s: good is %t", name, !c.good)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	var r row
	r.median([]sample{{took: 9 * time.Second}, {took: time.Second}, {took: 3 * time.Second}})
	if r.took != 3*time.Second {
		t.Errorf("median of 9, 1 and 3: %s", r.took)
	}
}

func TestParseResults(t *testing.T) {
	t.Parallel()
	list, err := parseList([]byte("#masscan\nopen tcp 22 10.77.0.1 1700000000\n10.77.0.2:80\n# end\n"))
	if err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	if _, seen := list[at("10.77.0.1:22")]; !seen {
		t.Errorf("masscan's line: %v", list)
	}
	scan, err := parseXML([]byte(`<nmaprun><host><address addr="10.77.0.1" addrtype="ipv4"/><ports>` +
		`<port protocol="tcp" portid="22"><state state="open"/><service product="OpenSSH"/></port>` +
		`<port protocol="tcp" portid="23"><state state="filtered"/></port></ports></host></nmaprun>`))
	if err != nil || len(scan) != 1 || scan[at("10.77.0.1:22")] != "OpenSSH" {
		t.Errorf("%v, %v", scan, err)
	}
	if _, err := parseXML([]byte("<nmaprun><host>")); err == nil {
		t.Error("half an XML file is taken for a whole one")
	}
}

// TestPlant plants the changes of three nights: as many as wanted, each one a change of the truth.
func TestPlant(t *testing.T) {
	t.Parallel()
	b, c := &bench{}, cell{hosts: 16, changes: 10}
	if err := b.findPorts(t.Context(), []cell{c}); err != nil || len(b.top[1000]) != 1000 {
		t.Fatalf("%d ports, %v", len(b.top[1000]), err)
	}
	l, err := b.lab(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for night := range 3 {
		before := b.truth(c, l)
		planted := b.plant(c, l, night)
		after := b.truth(c, l)
		if len(planted) != 10 || len(slices.Compact(slices.SortedFunc(slices.Values(planted), netip.AddrPort.Compare))) != 10 {
			t.Errorf("planted %v", planted)
		}
		for _, at := range planted {
			_, was := before[at]
			if _, is := after[at]; was == is {
				t.Errorf("%s did not change", at)
			}
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	text := table([]row{{cell: "a", tool: "nmap", took: time.Second}, {cell: "a", tool: "OwnMap", judged: true, missed: 1}, {cell: "b", tool: "naabu", absent: "not installed"}})
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 5 || !strings.Contains(lines[3], "NOT GOOD") || !strings.Contains(lines[4], "not installed") {
		t.Errorf("%s", text)
	}
	for _, line := range lines {
		if strings.Count(line, "|") != strings.Count(lines[0], "|") {
			t.Errorf("not as many columns as the head: %s", line)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	chosen, err := choose(cells(), "all,services-first")
	if err != nil || len(chosen) != 3 {
		t.Errorf("%d cells, %v", len(chosen), err)
	}
	if _, err := choose(cells(), "nothing"); err == nil {
		t.Error("a cell that there is not was chosen")
	}
}

func TestGain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ratios []float64
		good   bool
	}{
		"fast enough":                     {[]float64{0.30, 0.27, 0.35}, true},
		"too slow":                        {[]float64{0.34, 0.27, 0.35}, false},
		"faster than four workers can be": {[]float64{0.096, 0.10, 0.29}, false},
		"one disturbed pair":              {[]float64{0.096, 0.28, 0.29}, true},
	} {
		r := row{judged: true, limit: 1 / 3.2}
		if r.gain(c.ratios); r.good() != c.good {
			t.Errorf("%s: %t, %s %s", name, r.good(), r.remark, r.doubt)
		}
	}
}
