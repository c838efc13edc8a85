package outbox

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"ownmap/pipeline/state"
)

// address is where a message goes to.
type address struct{ channel, recipient, group string }

// told returns who is to be told of a run: of the second host carol, of the others alice
// and bob. before is the run that was kept before, 0: none.
func told(before, run int64) (list []address) {
	for host, ip := range farm() {
		switch {
		case before != 0 && extra(host, before) == extra(host, run):
		case host == 1:
			list = append(list, address{"spare", carol, ""})
		default:
			list = append(list, address{"mail", alice, "host " + ip.String()}, address{"mail", bob, "host " + ip.String()})
		}
	}
	return list
}

// row is a delivery of the database.
type row struct {
	ID, Run, Instead       int64
	Message, Kind          string
	Channel, Recipient, Of string
	State                  state.DeliveryState
	Attempts               int
}

func (r row) key() string { return r.Message + "@example.org " + r.Recipient }

// books are what an audit reads: the database, and what the mail server has kept.
type books struct {
	number string
	runs   []int64 // that were kept, in order
	opened map[int64][]string
	rows   []row
	kept   map[string]int // by row.key
	first  []string       // those keys, in the order in which they were kept first
}

func list[T any](tb testing.TB, c *pgx.Conn, to pgx.RowToFunc[T], sql string) []T {
	tb.Helper()
	rows, err := c.Query(tb.Context(), sql)
	if err != nil {
		tb.Fatal(err)
	}
	values, err := pgx.CollectRows(rows, to)
	if err != nil {
		tb.Fatal(err)
	}
	return values
}

func (o *ordeal) read(tb testing.TB) books {
	tb.Helper()
	c, err := pgx.Connect(tb.Context(), o.orders.Database)
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(tb.Context())
	b := books{
		number: list(tb, c, pgx.RowTo[string], "select id::text from book")[0],
		runs:   list(tb, c, pgx.RowTo[int64], "select run_id from rev order by id"),
		opened: make(map[int64][]string), kept: o.server.Counts(),
		rows: list(tb, c, pgx.RowToStructByPos[row], `select id, coalesce(run_id, 0), coalesce(instead, 0), message_id, kind, channel, recipient, grp,
			case when sent_at is not null then 'sent' when dropped_at is not null then 'dropped' when parked_at is not null then 'parked' else 'waiting' end, attempts
			from delivery order by id`),
	}
	for _, text := range list(tb, c, pgx.RowTo[string], `select r.run_id || ' ' || host(h.address) || ':' || c.port from port_change c
		join rev r on r.id = c.rev join host h on h.id = c.host_id where c.kind = 'port-opened' order by c.rev, h.address, c.port`) {
		var run int64
		var what string
		_, _ = fmt.Sscan(text, &run, &what)
		b.opened[run] = append(b.opened[run], what)
	}
	if states := list(tb, c, pgx.RowTo[string], "select state || ' ' || count(*) from run group by state"); !slices.Equal(states, []string{fmt.Sprint("done ", len(b.runs))}) {
		tb.Errorf("%d runs were kept, and there are %q", len(b.runs), states)
	}
	seen := make(map[string]bool)
	for _, letter := range o.server.Messages() {
		for _, to := range letter.To {
			if key := letter.ID + " " + to; !seen[key] {
				seen[key] = true
				b.first = append(b.first, key)
			}
		}
	}
	return b
}

// audit compares what the rule of the nights calls for with the database, and that with
// what the mail server kept.
func (o *ordeal) audit(tb testing.TB, kills, stops int) {
	tb.Helper()
	b := o.read(tb)
	b.changes(tb)
	expected, lost, invented := b.expected(tb)
	sent := 0
	for _, r := range b.rows {
		switch {
		case r.State == state.DeliverySent && b.kept[r.key()] > 0:
			sent++
		case r.State != state.DeliveryParked:
			lost = append(lost, fmt.Sprintf("delivery %+v, kept %d times", r, b.kept[r.key()]))
		}
	}
	known := make(map[string]int64)
	for _, r := range b.rows {
		known[r.key()] = r.ID
	}
	for key := range b.kept {
		if known[key] == 0 {
			invented = append(invented, "mail "+key)
		}
	}
	b.order(tb)
	repeats, unexplained := o.repeats(tb)
	all := 0
	for _, n := range repeats {
		all += n
	}
	share := 100 * float64(all) / float64(max(1, len(b.kept)))
	report := fmt.Sprintf("%d kills (%s), %d stops of PostgreSQL, %d nights, %d connections; ", kills, counts(o.hit), stops, len(b.runs), o.server.Connections()) +
		fmt.Sprintf("%d messages of nights expected, %d deliveries with what made up for others (%s), %d tries written down; ", expected, len(b.rows), b.states(), b.attempts()) +
		fmt.Sprintf("%d sent and kept, %d lost, %d invented; repeated %d times, %.2f %%: %s; faults: %s", sent, len(lost), len(invented), all, share, counts(repeats), counts(o.faults))
	tb.Log(strings.ReplaceAll(report, "; ", "\n"))
	for _, what := range [][]string{lost, invented, unexplained} {
		for _, line := range what[:min(len(what), 20)] {
			tb.Error(line)
		}
	}
	if len(lost)+len(invented)+len(unexplained) > 0 {
		tb.Errorf("%d lost, %d invented, %d repeated for no reason", len(lost), len(invented), len(unexplained))
	}
	// Of few messages those that are cut off on purpose can be more by chance.
	if len(b.kept) > 1000 && share >= 6 {
		tb.Errorf("%.2f %% came twice", share)
	}
	if expected < 10 || sent < expected/2 {
		tb.Errorf("%d messages expected, %d sent: the test is void", expected, sent)
	}
}

// changes holds that the changes of each run are those that its number calls for.
func (b books) changes(tb testing.TB) {
	tb.Helper()
	for i, run := range b.runs[min(1, len(b.runs)):] {
		var want []string
		for host, ip := range farm() {
			if port := extra(host, run); port != extra(host, b.runs[i]) {
				want = append(want, netip.AddrPortFrom(ip, port).String())
			}
		}
		if got := b.opened[run]; !slices.Equal(got, want) {
			tb.Errorf("run %d after %d opened %q, want %q", run, b.runs[i], got, want)
		}
	}
}

// expected compares the deliveries with what the runs call for, and those that were parked
// with what makes up for them.
func (b books) expected(tb testing.TB) (n int, lost, invented []string) {
	tb.Helper()
	want := make(map[string]string)
	before := int64(0)
	for _, run := range b.runs {
		for _, a := range told(before, run) {
			n++
			want[state.DeliveryID(b.number, state.RunEvent(run), a.channel, a.recipient, a.group)] = fmt.Sprintf("run %d %v", run, a)
		}
		before = run
	}
	may := make(map[string]bool)
	for _, r := range b.rows {
		for _, a := range []address{{"mail", alice, ""}, {"mail", bob, ""}, {"spare", carol, ""}} {
			if a.channel != r.Channel {
				may[state.DeliveryID(b.number, "stuck-"+r.Message, a.channel, a.recipient, "")] = r.Kind != string(state.MessageTrouble)
			}
		}
		if r.State != state.DeliveryParked || r.Instead != 0 && r.Kind == string(state.MessageTrouble) {
			continue // of a word about a refusal that is refused too, nothing is said
		}
		instead := []address{{"spare", carol, r.Of}}
		if r.Channel == "spare" {
			instead = []address{{"mail", alice, ""}, {"mail", bob, ""}}
		}
		for _, a := range instead {
			want[state.DeliveryID(b.number, "refused-"+r.Message, a.channel, a.recipient, a.group)] = fmt.Sprintf("in place of delivery %d %v", r.ID, a)
		}
	}
	for _, r := range b.rows {
		if _, ok := want[r.Message]; !ok && !may[r.Message] {
			invented = append(invented, fmt.Sprintf("delivery %+v", r))
		}
		delete(want, r.Message)
	}
	for id, what := range want {
		lost = append(lost, id+" "+what)
	}
	return n, lost, invented
}

// order holds that each recipient got a channel's messages in order.
func (b books) order(tb testing.TB) {
	tb.Helper()
	rows := make(map[string]row)
	for _, r := range b.rows {
		rows[r.key()] = r
	}
	last := make(map[address]row)
	for _, key := range b.first {
		r := rows[key]
		to := address{r.Channel, r.Recipient, ""}
		if r.ID < last[to].ID {
			tb.Errorf("%s got delivery %d after %d", r.Recipient, r.ID, last[to].ID)
		}
		last[to] = r
	}
}

// repeats counts what was kept twice by its cause: what lay between. Of each channel an
// incident can repeat one message, that which was in the hands of the server.
func (o *ordeal) repeats(tb testing.TB) (counted map[cause]int, unexplained []string) {
	tb.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	counted = make(map[cause]int)
	ends := make(map[int]int) // of incidents, among the marks
	for i, m := range o.marks {
		if m.end {
			ends[m.incident] = i
		}
	}
	type blame struct {
		incident int
		spare    bool
	}
	blamed := make(map[blame]int)
	last := make(map[string]int)
	for i, m := range o.marks {
		if m.id == "" {
			continue
		}
		before, again := last[m.id+" "+m.to]
		last[m.id+" "+m.to] = i
		if !again {
			continue
		}
		if o.marks[before].untold {
			counted[byAck]++
			continue
		}
		at := slices.IndexFunc(o.marks[:i], func(m mark) bool { return m.id == "" && !m.end && ends[m.incident] > before })
		if at < 0 {
			unexplained = append(unexplained, "came twice, and nothing lay between: "+m.id+" "+m.to)
			continue
		}
		counted[o.marks[at].cause]++
		to := blame{o.marks[at].incident, m.to == carol}
		if blamed[to]++; blamed[to] > 1 {
			unexplained = append(unexplained, fmt.Sprintf("%s let more than one message come twice: %s %s", o.marks[at].cause, m.id, m.to))
		}
	}
	return counted, unexplained
}

func (b books) states() string {
	n := make(map[state.DeliveryState]int)
	for _, r := range b.rows {
		n[r.State]++
	}
	return counts(n)
}

func (b books) attempts() (n int) {
	for _, r := range b.rows {
		n += r.Attempts
	}
	return n
}

func counts[K cmp.Ordered](n map[K]int) string {
	var list []string
	for _, key := range slices.Sorted(maps.Keys(n)) {
		list = append(list, fmt.Sprintf("%d %v", n[key], key))
	}
	return strings.Join(list, ", ")
}
