package persist

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

func TestFlapsAreCounted(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	host := answers(t, "127.0.0.1", "22/tcp ssh")
	host.Names = []string{"a.example.org"}
	one(host).pass(t, book)
	for range 2 {
		confirmed(t, book, []state.Host{answers(t, "127.0.0.1")}, []state.Host{only(t, host, "22")}, "")
		one(host).pass(t, book)
	}
	second, fourth := must[state.Report](t)(book.Report(t.Context(), 2)), must[state.Report](t)(book.Report(t.Context(), 4))
	flap := state.Flap{HostID: 1, Vantage: "local", Address: host.Address, Name: "a.example.org", Port: host.Ports[0].Port, Count: 1, First: *second.Run.FinishedAt}
	if !reflect.DeepEqual(second.Flaps, []state.Flap{flap}) {
		t.Errorf("flaps of run 2: %+v", second.Flaps)
	}
	if flap.Count = 2; !reflect.DeepEqual(fourth.Flaps, []state.Flap{flap}) {
		t.Errorf("flaps of run 4: %+v", fourth.Flaps)
	}
	if third := must[state.Report](t)(book.Report(t.Context(), 3)); len(third.Flaps) != 0 || len(second.Changes)+len(third.Changes)+len(fourth.Changes) != 0 {
		t.Errorf("run 3 has flaps %v; changes %v %v %v", third.Flaps, second.Changes, third.Changes, fourth.Changes)
	}
}

func TestHostWithAllPortsOpenIsOneFinding(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	liar := asked(t, answers(t, "127.0.0.1"), "", state.Answered, "")
	var err error
	if liar.Spoofed, err = state.ParsePortSet("1-65535"); err != nil {
		t.Fatal(err)
	}
	run, _ := one(liar, answers(t, "127.0.0.2", "22/tcp ssh")).pass(t, book)
	r := must[state.Report](t)(book.Report(t.Context(), run.ID))
	finding := state.Finding{Kind: state.AllPortsOpen, Severity: state.Medium, First: *r.Run.FinishedAt, New: true, HostID: r.Hosts[0].ID, Vantage: "local", Address: liar.Address, Detail: "65,535 TCP ports answer as open, which no host has: 1-65535"}
	if open, _ := r.OpenPorts(); !reflect.DeepEqual(r.Findings, []state.Finding{finding}) || open != 1 {
		t.Errorf("findings %+v, %d ports open: want one of each", r.Findings, open)
	}
	for night, want := range []struct {
		host state.Host
		days int // that the finding lasts; 0: it is over
	}{{liar, 2}, {asked(t, liar, "", state.NotScanned, state.HostTimeout), 3}, {answers(t, "127.0.0.1", "22/tcp ssh"), 0}, {liar, 1}} {
		if want.host.Coverage[0].Status == state.NotScanned {
			want.host.Spoofed = state.PortSet{}
		}
		run, _ := one(want.host).pass(t, book)
		r := must[state.Report](t)(book.Report(t.Context(), run.ID))
		if len(r.Findings) != min(want.days, 1) || want.days > 0 && r.Findings[0].New != (want.days == 1) {
			t.Errorf("night %d: findings %+v", night+2, r.Findings)
		}
	}
	want(t, book, "(1,4)\n(5,)", "select rev, rev_to from finding order by rev") // a row for as long as it lasts
}

func TestAlertsAndPace(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	book.StaleAfter(2)
	var up, dark []state.Host
	for i := range 4 {
		h := answers(t, fmt.Sprintf("127.0.0.%d", 10+i), "22/tcp ssh")
		up, dark = append(up, h), append(dark, silent(t, h.Address.String()))
	}
	one(up...).pass(t, book)
	alerts := func(hosts ...state.Host) string {
		run, _ := one(hosts...).pass(t, book)
		var text strings.Builder
		for _, a := range must[state.Report](t)(book.Report(t.Context(), run.ID)).Run.Alerts {
			text.WriteString(string(a.Kind) + ": " + a.Text + "\n")
		}
		return text.String()
	}
	const blind = "blind: 4 of 4 hosts seen from local fell silent at once: more likely the scanner's own network than theirs, so none of them is told as down\n"
	own := asked(t, state.Host{Vantage: "local", Address: up[0].Address}, "", state.NotScanned, state.OwnSide)
	for i, test := range []struct {
		hosts []state.Host
		want  string
	}{
		{dark, blind},
		{[]state.Host{own}, "own-side: the gateway of the scanner did not answer at local: 1 host was not scanned, and nothing is concluded about them\n"},
		{dark[:3], "blind: 3 of 3 hosts seen from local fell silent at once: more likely the scanner's own network than theirs, so none of them is told as down\n" +
			"stale: 1 host has not been covered for more than 2 runs, the longest for 3: what is known of them may be old\n"},
		{[]state.Host{own}, "own-side: the gateway of the scanner did not answer at local: 1 host was not scanned, and nothing is concluded about them\n"},
		{up, ""},
	} {
		if got := alerts(test.hosts...); got != test.want {
			t.Errorf("run %d: alerts %q, want %q", i+2, got, test.want)
		}
	}

	if rate, knee, err := book.Rate(t.Context(), "nowhere"); rate != 0 || knee != 0 || err != nil {
		t.Errorf("rate of a vantage that nobody knows: %d, %v", rate, err)
	}
	n := night{up[:2], up[2:]}
	run, err := book.Begin(t.Context(), nil, shardsOf(n), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, shard := range undone(t, book, run) {
		pace := state.Pace{Rate: 4000 + 1000*i, Next: 6000 - 1000*i, Knee: 8000 - 1000*i, Repeated: 1}
		if err := book.Stage(t.Context(), "w1", state.ShardResult{Shard: shard, Hosts: n[i], Pace: pace}, nil); err != nil {
			t.Fatal(err)
		}
	}
	n.pass(t, book)
	if rate, knee, err := book.Rate(t.Context(), "local"); rate != 5000 || knee != 7000 || err != nil {
		t.Errorf("learned rate %d, %v, want 5000", rate, err)
	}
	r := must[state.Report](t)(book.Report(t.Context(), run.ID))
	if want := map[string]state.Pace{"local": {Rate: 5000, Next: 5000, Knee: 7000, Repeated: 2}}; !reflect.DeepEqual(r.Run.Pace, want) {
		t.Errorf("pace %+v, want %+v", r.Run.Pace, want)
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()
	book := locked(t, open(t))
	from := func(vantage string, h state.Host) state.Host {
		h.Vantage = vantage
		return h
	}
	office := from("office", answers(t, "127.0.0.1", "22/tcp ssh", "80/tcp http", "443/tcp https", "2000/tcp late"))
	internet := from("internet", answers(t, "127.0.0.1", "80/tcp http"))
	closed := from("internet", silent(t, "127.0.0.2"))
	n := night{{office, from("office", answers(t, "127.0.0.2", "25/tcp smtp"))}, {internet, closed}}
	shards := shardsOf(n)
	shards[0].Vantage, shards[1].Vantage = "office", "internet"
	run, err := book.Begin(t.Context(), nil, shards, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, shard := range undone(t, book, run) {
		result(t, book, shard, n[i]...)
	}
	finishRun(t, book, run)
	var got strings.Builder
	for _, e := range must[state.Report](t)(book.Report(t.Context(), run.ID)).Elsewhere {
		fmt.Fprintf(&got, "%s %s %v\n", e.Address, e.Port, e.Views)
	}
	want := "127.0.0.1 22/tcp [{internet closed|filtered} {office open}]\n" +
		"127.0.0.1 443/tcp [{internet closed|filtered} {office open}]\n" +
		"127.0.0.2 25/tcp [{internet filtered} {office open}]\n"
	if got.String() != want {
		t.Errorf("elsewhere:\n%swant\n%s", got.String(), want)
	}
	one(answers(t, "127.0.0.9", "22/tcp ssh")).pass(t, book)
	if r := must[state.Report](t)(book.Report(t.Context(), 2)); r.Elsewhere != nil {
		t.Errorf("a host that one vantage knows is elsewhere: %v", r.Elsewhere)
	}
}
