package persist

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"ownmap/pipeline/lab"
	"ownmap/pipeline/state"
)

// someFilters are filters of each kind of word, and of several.
func someFilters() []string {
	return []string{
		"", "22", "1-30/tcp", "-1-30/tcp", "53,9,11/udp", "127.3.0.0/28", "127.3.0.1-9 -127.3.0.4", "host-1*", "-host:host-2.example.org", "tag:odd", "tag:", "-tag:odd owner:ann",
		"owner:", "vantage:local", "vantage:dmz", "service:ssh", "service:s* -service:ssh", "product:producta", "product:*b", "process:sshd", "process:", "-process:",
		"state:open", "state:open|filtered", "state:down", "state:up -stale", "unapproved", "approved", "approved unapproved", "-unapproved", "drifted", "stale", "new", "-new", "snoozed", "-snoozed unapproved",
		"since:1h", "older:1h", "example", "http -producta", "http example", "tag:even ssh unapproved -stale",
	}
}

// passTime lets something happen: a night, or what people do.
func (r random) passTime(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	switch r.rng.IntN(7) {
	case 0, 1, 2:
		r.night(t)
	case 3:
		_, _ = r.book.Approve(ctx, state.Grant{By: "alice", Via: "web", Scope: state.Scope{All: true, Ports: []state.Port{r.port()}}})
	case 4:
		_, _ = r.book.Revoke(ctx, state.Grant{By: "bob", Via: "web", Scope: state.Scope{All: true, Ports: []state.Port{r.port()}}})
	case 5: // nobody says so when it is over
		until := time.Now().Add(time.Hour)
		_, _ = r.book.Approve(ctx, state.Grant{By: "alice", Via: "web", Until: &until, Scope: state.Scope{Filter: filterOf(t, "unapproved service:http"), Unapproved: true}})
		if _, err := r.book.pool.Exec(ctx, "update approval set expires_at = clock_timestamp() where ended_at is null and expires_at is not null and id % 2 = 0"); err != nil {
			t.Fatal(err)
		}
	case 6:
		host, ports := fmt.Sprintf("127.3.0.%d", 1+r.rng.IntN(30)), []state.Port(nil)
		if r.rng.IntN(2) == 0 {
			ports = []state.Port{r.port()}
		}
		_, _ = r.book.Snooze(ctx, host, ports, state.Snooze{By: "carol", Reason: "moves", Via: "web", Until: time.Now().Add(time.Hour)})
		if r.rng.IntN(3) == 0 {
			_, _ = r.book.EndSnoozes(ctx, host, nil, "carol")
		}
	}
}

// TestPagesAreTheInventory holds, in random worlds, that pages show what a walk over the
// whole inventory finds: those of a book that has made many, and those of one that was just
// opened.
func TestPagesAreTheInventory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			url := lab.Database(t)
			r := random{world: newWorld(seed, 30), book: locked(t, openURL(t, url))}
			r.rng = rand.New(rand.NewPCG(seed, 9))
			for i, target := range must[[]state.Target](t)(r.book.Targets(t.Context(), []state.Target{target(t, "127.3.0.0/25", "ann", "odd"), target(t, "127.3.0.0/24", "", "even", "odd"), target(t, "127.0.0.0/8", "bob@example.org")})) {
				if i < 2 {
					r.targets = append(r.targets, target.ID)
				}
			}
			r.targets = append(r.targets, 0)
			r.night(t)
			for step := range 20 {
				r.passTime(t)
				want := naively(t, r.book)
				checkPages(t, r, r.book, want, 8)
				if step%5 == 4 {
					fresh := openURL(t, url)
					checkPages(t, r, fresh, want, 40)
				}
				if t.Failed() {
					t.Fatalf("seed %d, step %d", seed, step)
				}
			}
		})
	}
}

// checkPages compares some pages with those that they are to be.
func checkPages(t *testing.T, r random, book *Book, want naive, some int) {
	t.Helper()
	ctx, filters := t.Context(), someFilters()
	matched := make(map[string]bool)
	for range some {
		text := filters[r.rng.IntN(len(filters))]
		sorts, orders := state.PortSorts(), state.HostSorts()
		q := state.PortQuery{Filter: *filterOf(t, text), Sort: sorts[r.rng.IntN(len(sorts))], Descending: r.rng.IntN(2) == 0, Page: r.rng.IntN(4), Limit: 1 + r.rng.IntN(20)}
		got := must[state.PortPage](t)(book.Ports(ctx, q))
		if expected := want.ports(q); !equalPages(got, expected) {
			t.Errorf("ports %q by %s, page %d of %d:\n%s\n%+v\nwant\n%s\n%+v", text, q.Sort, q.Page, q.Limit, portLabels(got.Rows), got, portLabels(expected.Rows), expected)
		}
		h := state.HostQuery{Filter: q.Filter, Sort: orders[r.rng.IntN(len(orders))], Descending: q.Descending, Page: q.Page, Limit: q.Limit}
		hosts := must[state.HostPage](t)(book.HostsPage(ctx, h))
		if expected := want.hostsPage(h); len(hosts.Rows)+len(expected.Rows) > 0 && !reflect.DeepEqual(hosts, expected) {
			t.Errorf("hosts %q by %s, page %d of %d:\n%+v\nwant\n%+v", text, h.Sort, h.Page, h.Limit, hosts, expected)
		}
		matched[text] = got.Total > 0
		preview := must[state.Preview](t)(book.Preview(ctx, state.Scope{Filter: &q.Filter, Unapproved: true}))
		if preview.Ports != got.Unapproved {
			t.Errorf("preview of %q: %+v, want %d ports", text, preview, got.Unapproved)
		}
	}
	all := want.ports(state.PortQuery{Limit: 1})
	o := must[state.Overview](t)(book.Overview(ctx))
	if o.Hosts != len(want.hosts) || o.Open != all.Open || o.Unapproved != all.Unapproved || o.Waiting.All != all.Unapproved ||
		o.Drifted != len(want.selected(*filterOf(t, "drifted"))) || o.Stale != len(want.selected(*filterOf(t, "stale"))) || o.Snoozed != len(want.selected(*filterOf(t, "snoozed unapproved"))) {
		t.Errorf("overview %+v, want %+v", o, all)
	}
	if waiting := want.ports(state.PortQuery{Filter: *filterOf(t, "unapproved"), Sort: state.ByAge, Limit: 1}); len(waiting.Rows) > 0 && !reflect.DeepEqual(*o.Oldest, waiting.Rows[0]) {
		t.Errorf("oldest %+v, want %+v", o.Oldest, waiting.Rows[0])
	}
}

func equalPages(a, b state.PortPage) bool {
	if len(a.Rows) != len(b.Rows) {
		return false
	}
	for i := range a.Rows {
		if !reflect.DeepEqual(a.Rows[i], b.Rows[i]) {
			return false
		}
	}
	a.Rows, b.Rows = nil, nil
	return reflect.DeepEqual(a, b)
}
