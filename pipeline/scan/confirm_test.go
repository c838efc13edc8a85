package scan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// confirmShard asks one host again.
func confirmShard(t *testing.T, address string, known []uint16, ask ...state.Port) state.Shard {
	t.Helper()
	shard := shardOf(profile(t, "1-65535"), address)
	shard.Work, shard.Of = state.WorkConfirm, 1
	shard.Hosts[0].Ask = ask
	for _, n := range known {
		shard.Hosts[0].Known = append(shard.Hosts[0].Known, state.PortStatus{
			Port: tcp(n), State: state.Open, Service: state.Service{Name: "ssh", Product: "OpenSSH", Probed: true}, Banner: "b",
		})
	}
	return shard
}

// confirm runs a confirm shard of one host.
func confirm(t *testing.T, s *Scanner, shard state.Shard, watch func(float64, int, int)) (state.Host, state.ShardResult) {
	t.Helper()
	result, err := s.scanConfirm(t.Context(), shard, watch)
	if err != nil || len(result.Hosts) != 1 {
		t.Fatalf("%d hosts, %v", len(result.Hosts), err)
	}
	return result.Hosts[0], result
}

// What is open is open after one try, with the service that was known; what is
// closed takes two of three. Nothing else is covered, be it open.
func TestConfirm(t *testing.T) {
	t.Parallel()
	lab.Listen(t, endpoint("127.71.0.1", tcp(2201), lab.SSH()), endpoint("127.71.0.1", tcp(2202), lab.SSH()), endpoint("127.71.0.1", tcp(2203), lab.SSH()))
	s := newScanner(t, Options{ConfirmPause: 50 * time.Millisecond})
	h, result := confirm(t, s, confirmShard(t, "127.71.0.1", []uint16{2201, 2203}, tcp(2201), tcp(2202), tcp(2299)), nil)
	line := h.Covered(state.TCP)
	if h.State != state.Up || line.Status != state.Answered || line.Ports.String() != "2201-2202,2299" || len(result.Notes) > 0 || result.Scanner.Version == "" {
		t.Errorf("state %s, coverage %+v, notes %q", h.State, line, result.Notes)
	}
	if len(h.Ports) != 2 || h.Ports[0].Service.Product != "OpenSSH" || h.Ports[0].Banner != "b" || h.Ports[1].Port != tcp(2202) {
		t.Errorf("ports: %+v", h.Ports)
	}
}

// A port that opens between two tries is open: no try may be outvoted.
func TestConfirmFlaky(t *testing.T) {
	t.Parallel()
	listeners := lab.Listen(t, endpoint("127.71.0.2", tcp(2201), lab.SSH()))
	s := newScanner(t, Options{ConfirmPause: 50 * time.Millisecond})
	tries, opened := 0, false
	h, _ := confirm(t, s, confirmShard(t, "127.71.0.2", []uint16{2201}, tcp(2202)), func(fraction float64, _, _ int) {
		if fraction < 1 {
			tries++
		}
		if !opened {
			opened = true
			listeners.Open(endpoint("127.71.0.2", tcp(2202), lab.SSH()))
		}
	})
	if _, found := h.Find(tcp(2202)); !found || !h.Covered(state.TCP).Conclusive(tcp(2202)) || tries != 2 {
		t.Errorf("after %d tries: %+v", tries, h)
	}
}

func TestConfirmHostIsThere(t *testing.T) {
	t.Parallel()
	lab.Listen(t, endpoint("127.71.0.3", tcp(2201), lab.SSH()))
	s := newScanner(t, Options{ConfirmPause: time.Hour}) // one try is enough
	h, _ := confirm(t, s, confirmShard(t, "127.71.0.3", []uint16{2201, 2202}, state.Port{}), nil)
	line := h.Covered(state.TCP)
	if h.State != state.Up || line.Status != state.Answered || line.Ports.String() != "2201" || len(h.Ports) != 1 {
		t.Errorf("%+v", h)
	}
	h, _ = confirm(t, s, confirmShard(t, "127.71.0.4", nil, state.Port{}), nil)
	if line := h.Covered(state.TCP); h.State != state.Up || line.Status != state.Answered || line.Ports.Len() > 0 {
		t.Errorf("without known ports: %+v", h)
	}
}

// fakeAnswers is a body of a fake nmap that answers a ping from ping.xml and the
// n-th scan from scan-n.xml.
const fakeAnswers = `if grep -q '^-sn$' "$DIR/call.$$"; then cat "$DIR/ping.xml"; exit; fi
echo x >> "$DIR/scans"; n=$(wc -l < "$DIR/scans"); cat "$DIR/scan-$((n)).xml"`

// answer is the XML of one host, which is there or not, with ports and their
// states; ping tells that the document is one of a ping.
func answer(there bool, states ...string) string {
	var b strings.Builder
	b.WriteString(xmlProlog + `<nmaprun scanner="nmap" args="nmap" start="1700000000" version="7.93" xmloutputversion="1.05">`)
	reason, status, up := "user-set", "up", 1
	if len(states) == 0 {
		if reason = "echo-reply"; !there {
			reason, status, up = "no-response", "down", 0
		}
	}
	var numbers, lines []string
	for _, text := range states {
		number, is, _ := strings.Cut(text, " ")
		numbers = append(numbers, number)
		why := map[string]string{"open": "syn-ack", "closed": "reset", "filtered": "no-response"}[is]
		lines = append(lines, fmt.Sprintf(`<port protocol="tcp" portid="%s"><state state="%s" reason="%s"/></port>`, number, is, why))
	}
	if len(states) > 0 {
		fmt.Fprintf(&b, `<scaninfo type="syn" protocol="tcp" numservices="%d" services="%s"/>`, len(numbers), strings.Join(numbers, ","))
	}
	fmt.Fprintf(&b, `<host><status state="%s" reason="%s"/><address addr="192.0.2.1" addrtype="ipv4"/><ports>%s</ports></host>`, status, reason, strings.Join(lines, ""))
	fmt.Fprintf(&b, `<runstats><finished time="1700000001" elapsed="1" exit="success"/><hosts up="%d" down="%d" total="1"/></runstats></nmaprun>`, up, 1-up)
	return b.String()
}

// What the tries say and what is concluded from it.
func TestConfirmEvidence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		known   []uint16
		ping    string
		tries   []string // of port 80, and 22 that is known
		status  state.CoverageStatus
		settled string
		open    int
		host    state.HostState
	}{
		{"filtered beside an open port", []uint16{22}, "", []string{answer(true, "22 open", "80 filtered"), answer(true, "22 open", "80 filtered"), answer(true, "22 open", "80 filtered")}, state.Answered, "80", 0, state.Up},
		{"filtered, and the witness once", []uint16{22}, "", []string{answer(true, "22 open", "80 filtered"), answer(true, "22 filtered", "80 filtered"), answer(true, "22 open", "80 filtered")}, state.Answered, "80", 0, state.Up},
		{"filtered, and the witness twice", []uint16{22}, "", []string{answer(true, "22 open", "80 filtered"), answer(true, "22 filtered", "80 filtered"), answer(true, "22 filtered", "80 filtered")}, state.Answered, "", 0, state.Up},
		{"open in the last", []uint16{22}, "", []string{answer(true, "22 open", "80 closed"), answer(true, "22 open", "80 closed"), answer(true, "22 open", "80 open")}, state.Answered, "80", 1, state.Up},
		{"all silent", []uint16{22}, "", []string{answer(true, "22 filtered", "80 filtered"), answer(true, "22 filtered", "80 filtered"), answer(true, "22 filtered", "80 filtered")}, state.Silent, "", 0, state.Down},
		{"closed twice, once lost", []uint16{22}, "", []string{answer(true, "22 open", "80 closed"), "", answer(true, "22 open", "80 closed")}, state.Answered, "80", 0, state.Up},
		{"closed once, else lost", []uint16{22}, "", []string{answer(true, "22 open", "80 closed"), "", ""}, state.Answered, "", 0, state.Up},
		{"nmap does not work", []uint16{22}, "", []string{"", "", ""}, state.NotScanned, "", 0, ""},
		{"no witness, answers a ping", nil, answer(true), []string{answer(true, "80 filtered"), answer(true, "80 filtered"), answer(true, "80 filtered")}, state.Answered, "80", 0, state.Up},
		{"no witness, no ping", nil, answer(false), []string{answer(true, "80 filtered"), answer(true, "80 filtered"), answer(true, "80 filtered")}, state.Silent, "", 0, state.Down},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"ping.xml": c.ping}
			for i, text := range c.tries {
				files[fmt.Sprintf("scan-%d.xml", i+1)] = text
			}
			fake := lab.NewFakeNmap(t, fakeAnswers, files)
			s := newScanner(t, Options{Binary: fake.Path, ConfirmPause: time.Millisecond})
			h, result := confirm(t, s, confirmShard(t, "192.0.2.1", c.known, tcp(80)), nil)
			line := h.Covered(state.TCP)
			if h.State != c.host || line.Status != c.status || line.Ports.String() != c.settled || len(h.Ports) != c.open {
				t.Errorf("state %q, ports %v, coverage %+v, notes %q", h.State, h.Ports, line, result.Notes)
			}
		})
	}
}

// The host is asked slowly, again and again, and for nothing that it is not asked
// for or known for.
func TestConfirmIsSlow(t *testing.T) {
	t.Parallel()
	silent := answer(true, "22 filtered", "80 filtered")
	fake := lab.NewFakeNmap(t, fakeAnswers, map[string]string{"scan-1.xml": silent, "scan-2.xml": silent, "scan-3.xml": silent})
	s := newScanner(t, Options{Binary: fake.Path, ConfirmPause: time.Millisecond, Rate: 50000})
	shard := confirmShard(t, "192.0.2.1", []uint16{22}, tcp(80))
	shard.Limits.MaxRate = 700
	_, _ = confirm(t, s, shard, nil)
	calls := fake.Calls(t)
	if len(calls) != 3 {
		t.Fatalf("%d calls", len(calls))
	}
	for _, call := range calls {
		if text := strings.Join(call, " "); !strings.Contains(text, "--max-rate 665") || !strings.Contains(text, "--max-retries 3") || !strings.Contains(text, "-Pn") || !strings.Contains(text, "-p T:22,80") {
			t.Errorf("arguments: %s", text)
		}
	}
}
