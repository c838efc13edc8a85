package persist

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

// told is what a page tells of a host: all but when it was last looked at where that is
// simply the last run.
func told(h state.HostHistory) state.HostHistory {
	asOf := h.InsideAsOf()
	if h.Inside.LookedAt != nil && asOf == nil {
		asOf = &time.Time{}
	}
	h.Inside.LookedAt = asOf
	if h.State == state.Up && h.Status() == state.Answered {
		h.LastSeen = nil
	}
	h.Findings = forgetNew(h.Findings)
	h.Ports = slices.Clone(h.Ports)
	for i := range h.Ports {
		h.Ports[i].LastSeen = time.Time{}
		h.Ports[i].Findings = forgetNew(h.Ports[i].Findings)
	}
	return h
}

func forgetNew(findings []state.Finding) []state.Finding {
	findings = slices.Clone(findings)
	for i := range findings {
		findings[i].New = false
	}
	return findings
}

// random is a world in which people approve, revoke and look inside too.
type random struct {
	*world
	book    *Book
	targets []int64 // that hosts are of, turn by turn
}

// night lets a night pass. Now and then a run looks at some hosts alone.
func (r random) night(t *testing.T) {
	t.Helper()
	n := r.next()
	var only []string
	if r.rng.IntN(4) == 0 {
		only = []string{"127.3.0.0/28"}
		for i := range n {
			n[i] = slices.DeleteFunc(n[i], func(h state.Host) bool { return h.Address.As4()[3] >= 16 })
		}
	}
	shards := shardsOf(n)
	for _, shard := range shards {
		for i := range shard.Hosts {
			if last := int(shard.Hosts[i].Address.As4()[3]); len(r.targets) > 0 {
				shard.Hosts[i].Target = r.targets[last%len(r.targets)]
			}
		}
	}
	run, err := r.book.Begin(t.Context(), only, shards, nil)
	if err != nil {
		t.Fatal(err)
	}
	var plan []state.PlannedHost
	for _, shard := range undone(t, r.book, run) {
		if shard.Work == state.WorkPorts {
			result(t, r.book, shard, n[shard.No]...)
		}
		for _, h := range shard.Hosts {
			if h.Address.As4()[3]%3 == 0 && r.rng.IntN(5) > 0 {
				plan = append(plan, state.PlannedHost{Address: h.Address, Login: &state.Login{Address: h.Address}})
			}
		}
	}
	was, now, err := r.book.Differing(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	again(t, r.book, run, state.WorkConfirm, diff.Doubts(was, now))
	for _, shard := range undone(t, r.book, run) {
		result(t, r.book, shard, n.sameAgain(shard)...)
	}
	subjects := must[[]state.Subject](t)(r.book.Subjects(t.Context(), run, plan))
	looks := r.lookInside(t, subjects)
	if was, now, err = r.book.Differing(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	outcome := diff.States(was, now)
	outcome.Inside = diff.Insides(subjects, looks, outcome.Changes)
	if err := r.book.Keep(t.Context(), run, outcome); err != nil {
		t.Fatal(err)
	}
	if err := r.book.Finish(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

func (r random) lookInside(t *testing.T, subjects []state.Subject) []state.Look {
	t.Helper()
	looks := make([]state.Look, len(subjects))
	for i, s := range subjects {
		looks[i] = state.Look{HostID: s.HostID, Address: s.Login.Address, Status: state.NotScanned, Reason: state.SSHTimeout}
		if r.rng.IntN(6) == 0 {
			continue
		}
		looks[i].Status, looks[i].Reason = state.Answered, ""
		lines := []string{sshdLine}
		if r.rng.IntN(5) == 0 {
			lines = append(lines, []string{nginxLine, pythonLine}[r.rng.IntN(2)])
		}
		looks[i].Listeners = inner(t, lines...)
		if r.rng.IntN(4) == 0 {
			looks[i].Findings = []state.Finding{{
				Kind: state.RestartWanted, Severity: state.Low, HostID: s.HostID, Vantage: state.DefaultVantage, Address: s.Login.Address,
				Port: state.Port{Protocol: state.TCP, Number: 22}, Detail: strconv.Itoa(r.rng.IntN(2)),
			}}
		}
	}
	return looks
}

// people approve and revoke something; some approvals end by themselves.
func (r random) people(t *testing.T) {
	t.Helper()
	grant := state.Grant{By: "alice", Via: "cli", Reason: strconv.Itoa(r.rng.IntN(9)), Scope: state.Scope{All: true, Ports: []state.Port{r.port()}}}
	if r.rng.IntN(3) == 0 {
		until := time.Now().Add(time.Duration(100+r.rng.IntN(300)) * time.Millisecond)
		grant.Until = &until
	}
	_, _ = r.book.Approve(t.Context(), grant) // the port may be open nowhere
	if r.rng.IntN(2) == 0 {
		_, _ = r.book.Revoke(t.Context(), state.Grant{By: "bob", Via: "cli", Scope: state.Scope{All: true, Ports: []state.Port{r.port()}}})
	}
}

// TestHostsThatAreNotHandedOverAreAsTheyWere holds, in random worlds, that a host which
// Histories leaves out is as it was at the mark.
func TestHostsThatAreNotHandedOverAreAsTheyWere(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := random{world: newWorld(seed, 40), book: locked(t, open(t))}
			r.rng = rand.New(rand.NewPCG(seed, 7))
			var mark state.Mark
			var then map[int64]state.HostHistory
			kept, handed := 0, 0
			for step := range 24 {
				switch r.rng.IntN(4) {
				case 0:
					r.people(t)
				case 1:
					r.people(t)
					time.Sleep(time.Duration(r.rng.IntN(150)) * time.Millisecond) // approvals may end
				default:
					r.night(t)
				}
				now := make(map[int64]state.HostHistory)
				var all []int64
				partly := make(map[int64]bool)
				next, err := r.book.Histories(t.Context(), "", func(h state.HostHistory) error {
					now[h.ID], all = told(h), append(all, h.ID)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				// Second, for an approval may end by itself between the two: what ended before the
				// first is handed over, and what ended after it may be.
				if _, err := r.book.Histories(t.Context(), mark, func(h state.HostHistory) error { partly[h.ID] = true; return nil }); err != nil {
					t.Fatal(err)
				}
				for _, id := range all {
					if partly[id] || mark == "" {
						handed++
						continue
					}
					kept++
					if !reflect.DeepEqual(then[id], now[id]) {
						t.Fatalf("step %d: host %d is not handed over, and was\n%+v\nis\n%+v", step, id, then[id], now[id])
					}
				}
				if mark == "" || r.rng.IntN(3) > 0 {
					mark, then = next, now
				}
			}
			if kept < handed/4 {
				t.Errorf("%d hosts were left out, %d handed over", kept, handed)
			}
		})
	}
}

func TestMarkOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	w := newWorld(1, 5)
	w.next().pass(t, book)
	count := func(since state.Mark) (n int) {
		t.Helper()
		_, err := book.Histories(t.Context(), since, func(state.HostHistory) error { n++; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	now, err := book.Histories(t.Context(), "", func(state.HostHistory) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	m, ok := parseMark(now)
	if !ok || m.encode() != now {
		t.Fatalf("the mark %q is not read back", now)
	}
	later, other, back := m, m, m
	later.rev++
	other.revAt++
	back.at += 1e12
	all := count("")
	for _, since := range []state.Mark{"x", "2.1.2.3.4.5.6", later.encode(), other.encode(), back.encode()} {
		if n := count(since); n != all {
			t.Errorf("since %q: %d hosts, want all %d", since, n, all)
		}
	}
}
