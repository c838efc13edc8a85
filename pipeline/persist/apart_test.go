package persist

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"ownmap/pipeline/state"
)

// behind puts a host behind a firewall that lets only these ports through, whether
// something listens there or not.
func behind(tb testing.TB, host state.Host, through string) state.Host {
	tb.Helper()
	set, err := state.ParsePortSet(through)
	if err != nil {
		tb.Fatal(err)
	}
	c := &host.Coverage[0]
	c.Filtered, c.Apart = c.Ports.Without(set).Without(openOver(host.Ports, c.Protocol)), true
	return host
}

// filteredIn returns what a report tells of each host: the filtered ports of TCP, or
// "?".
func filteredIn(r state.Report) map[string]string {
	told := make(map[string]string)
	for _, h := range r.Hosts {
		c, text := h.Covered(state.TCP), "?"
		if c.Apart {
			var open []uint16
			for _, p := range h.Ports {
				open = append(open, p.Number)
			}
			text = c.Filtered.Without(state.PortsOf(open...)).String()
		}
		told[h.Address.String()] = text
	}
	return told
}

// TestFilteredAsOf holds that a report tells filtered ports from closed ones as of its
// run, for ever, and that a port that opens behind a firewall and a quiet night cost
// nothing.
func TestFilteredAsOf(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	all := asked(t, state.Host{}, "1-1000", state.Answered, "").Coverage[0].Ports.String()
	var hosts []state.Host
	want := make(map[string]string)
	add := func(last int, through, filtered string, ports ...string) {
		h := behind(t, answers(t, fmt.Sprintf("127.0.5.%d", last), ports...), through)
		hosts, want[h.Address.String()] = append(hosts, h), filtered
	}
	add(1, "22,80,443", "1-21,23-79,81-442,444-1000", "22/tcp ssh")
	add(2, "22,80,443", "1-21,23-79,81-442,444-1000", "80/tcp http")
	add(3, "22", "1-21,23-1000", "22/tcp ssh")                        // nothing is closed
	add(4, "25,465", "1-24,26-464,466-1000", "25/tcp s", "465/tcp s") // nor there
	add(5, "1-1000", "", "22/tcp ssh")
	add(6, "1-1000", "", "80/tcp http")
	add(7, "1-299,311-1000", "300-310", "22/tcp ssh")
	add(8, "1-299,311-1000", "300-310", "80/tcp http", "81/tcp http")
	old := answers(t, "127.0.5.9", "22/tcp ssh") // of a worker that does not tell
	hosts, want["127.0.5.9"] = append(hosts, old), "?"
	first, _ := one(hosts...).pass(t, book)
	var rows, sets int
	if err := book.pool.QueryRow(t.Context(), "select (select count(*) from coverage), (select count(*) from port_set)").Scan(&rows, &sets); err != nil {
		t.Fatal(err)
	}
	if rows != 1 || sets != 4 { // sets: all, none, 22 and 80 and 443, 300 to 310
		t.Errorf("%d rows of the ledger and %d port sets, want 1 and 4", rows, sets)
	}
	told := func(run int64) map[string]string {
		return filteredIn(must[state.Report](t)(book.Report(t.Context(), run)))
	}
	if got := told(first.ID); !maps.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}

	hosts[1].Ports = append(answers(t, "127.0.5.2", "22/tcp ssh").Ports, hosts[1].Ports...)
	hosts[1], want["127.0.5.2"] = behind(t, hosts[1], "22,80,443"), want["127.0.5.1"]
	one(hosts...).pass(t, book)
	if err := book.pool.QueryRow(t.Context(), "select count(*) from filtered").Scan(&rows); err != nil || rows != len(hosts)-1 {
		t.Errorf("%d rows tell of filtered ports, want %d: %v", rows, len(hosts)-1, err)
	}

	hosts[0], hosts[4] = behind(t, hosts[0], "22"), behind(t, hosts[4], "22")
	second, _ := one(hosts...).pass(t, book)
	if got := told(first.ID); !maps.Equal(got, want) {
		t.Errorf("the first run after the second: %v", got)
	}
	want["127.0.5.1"], want["127.0.5.5"] = "1-21,23-1000", "1-21,23-1000"
	if got := told(second.ID); !maps.Equal(got, want) {
		t.Errorf("the second run: got  %v\nwant %v", got, want)
	}
	if all != "1-1000" {
		t.Errorf("the ports are %s", all)
	}
}

// TestApart holds that what the database keeps says the same of every port that is not
// open.
func TestApart(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 2))
	some := func(share float64) state.PortSet {
		var numbers []uint16
		for n := range uint16(60) {
			if random.Float64() < share {
				numbers = append(numbers, n+1)
			}
		}
		return state.PortsOf(numbers...)
	}
	for range 2000 {
		ports, open := some(random.Float64()), some(random.Float64()/3)
		c := state.Coverage{Protocol: state.TCP, Status: state.Answered, Ports: ports, Filtered: ports.Without(some(random.Float64())), Apart: true}
		a := apartOf(c, open)
		number := a.number(map[string]int64{a.set.String(): 7})
		got := state.Coverage{Protocol: state.TCP, Status: state.Answered, Ports: ports}
		tell(&got, number, map[int64]state.PortSet{7: a.set})
		if want, got := c.Filtered.Without(open), got.Filtered.Without(open); !want.Equal(got) || number == 0 {
			t.Fatalf("of %s, open %s: filtered %s became %s by %d %s", ports, open, want, got, number, a.set)
		}
	}
}

// TestPortNamesAsOf holds that a report names ports as the table did at that time.
func TestPortNamesAsOf(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	night := one(answers(t, "127.0.5.1", "22/tcp ssh"))
	pass := func(name string) int64 {
		run := must[state.Run](t)(book.Begin(t.Context(), nil, shardsOf(night), nil))
		result := state.ShardResult{Shard: undone(t, book, run)[0], Hosts: night[0]}
		if name != "" {
			result.PortNames = map[state.Port]string{{Protocol: state.TCP, Number: 25}: name, {Protocol: state.UDP, Number: 53}: "domain"}
		}
		if err := book.Stage(t.Context(), "w1", result, nil); err != nil {
			t.Fatal(err)
		}
		finishRun(t, book, run)
		return run.ID
	}
	runs := []int64{pass(""), pass("smtp"), pass("smtp"), pass("mail\x1b"), pass("")}
	for i, want := range []string{"map[]", "map[25/tcp:smtp 53/udp:domain]", "map[25/tcp:smtp 53/udp:domain]", `map[25/tcp:mail\x1b 53/udp:domain]`, `map[25/tcp:mail\x1b 53/udp:domain]`} {
		if got := fmt.Sprint(must[state.Report](t)(book.Report(t.Context(), runs[i])).PortNames); got != want {
			t.Errorf("run %d: %s, want %s", i+1, got, want)
		}
	}
	var rows, staged int
	if err := book.pool.QueryRow(t.Context(), "select (select count(*) from port_name), (select count(*) from stage_port_name)").Scan(&rows, &staged); err != nil || rows != 3 || staged != 0 {
		t.Errorf("%d names are kept and %d staged, %v; want 3 and 0", rows, staged, err)
	}
}

// TestMACsAsOf holds that a report has the hardware address of its time, also when a
// later run did not see one.
func TestMACsAsOf(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	for i, c := range []struct{ seen, told string }{{"", ""}, {"02:00:00:00:00:01", "02:00:00:00:00:01"}, {"", "02:00:00:00:00:01"}, {"02:00:00:00:00:02", "02:00:00:00:00:02"}} {
		h := answers(t, "127.0.5.1", "22/tcp ssh")
		h.MAC = c.seen
		run, _ := one(h).pass(t, book)
		if i == 1 {
			defer func() {
				if got := must[state.Report](t)(book.Report(t.Context(), run.ID)).Hosts[0].MAC; got != c.told {
					t.Errorf("run 2 later: %q, want %q", got, c.told)
				}
			}()
		}
		if got := must[state.Report](t)(book.Report(t.Context(), run.ID)).Hosts[0].MAC; got != c.told {
			t.Errorf("run %d: %q, want %q", i+1, got, c.told)
		}
	}
}

// TestDeliveriesWaiting counts messages in each state.
func TestDeliveriesWaiting(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	one(answers(t, "127.0.5.1", "22/tcp ssh")).pass(t, book)
	for i, columns := range []string{"null, null", "null, null", "now(), null", "null, now()"} {
		exec1(t, book, fmt.Sprintf("insert into delivery (channel, recipient, message_id, kind, created_at, due_at, next_at, sent_at, parked_at) values ('c', 'r%d', 'm%d', 'test', now(), 'today', 'today', %s)", i, i, columns))
	}
	if waiting, parked, err := book.DeliveriesWaiting(t.Context()); waiting != 2 || parked != 1 || err != nil {
		t.Errorf("%d waiting, %d parked, %v; want 2 and 1", waiting, parked, err)
	}
}
