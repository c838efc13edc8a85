package state

import (
	"net/netip"
	"testing"
	"time"
)

func TestElsewhereWords(t *testing.T) {
	t.Parallel()
	e := Elsewhere{Address: netip.MustParseAddr("192.0.2.1"), Port: Port{TCP, 443}, Views: []View{
		{"dmz", ""}, {"internet", Filtered}, {"lan", Filtered}, {"office", Open},
	}}
	if got, want := e.Words(), "open from office, filtered from internet and lan, not looked at from dmz"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFlapWords(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC)
	for want, f := range map[string]Flap{
		"seen not open at first, open when it was asked again":                           {Count: 1, First: first},
		"seen closed at first, open when it was asked again; 3 times since 2026-11-20":   {Saw: Closed, Count: 3, First: first},
		"seen open at first, not open when it was asked again; 2 times since 2026-11-20": {Saw: Open, Count: 2, First: first},
	} {
		if got := f.Words(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCoverageWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	since := func(days int) *time.Time { at := now.AddDate(0, 0, -days); return &at }
	gap := func(label string, p Protocol, s CoverageStatus, reason string, days, open int) Gap {
		return Gap{Label: label, Protocol: p, Status: s, Reason: reason, Since: since(days), Open: open}
	}
	for want, r := range map[string]Report{
		"No host was asked.":     {},
		"3 of 3 hosts answered.": {Coverage: Totals{Hosts: 3, Answered: 3}},
		"998 of 1000 hosts answered, 2 not scanned (host timeout); their 31 open ports are as of 3 days ago.": {
			Coverage: Totals{Hosts: 1000, Answered: 998, NotScanned: 2},
			Gaps: []Gap{
				gap("a", TCP, NotScanned, HostTimeout, 3, 20), gap("a", UDP, NotScanned, HostTimeout, 3, 1),
				gap("b", TCP, NotScanned, HostTimeout, 3, 10),
			},
		},
		"7 of 10 hosts answered, 2 silent (no answer), 1 not scanned (no worker for its vantage); their 3 open ports are as of 2 to 9 days ago.": {
			Coverage: Totals{Hosts: 10, Answered: 7, Silent: 2, NotScanned: 1},
			Gaps: []Gap{
				gap("a", TCP, Silent, NoAnswer, 2, 1), gap("b", TCP, Silent, NoAnswer, 5, 0), gap("c", TCP, NotScanned, NoWorker, 9, 2),
			},
		},
	} {
		r.Run.StartedAt = now
		if got := r.CoverageWords(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPaceWords(t *testing.T) {
	t.Parallel()
	r := Run{Pace: map[string]Pace{"local": {Rate: 12000, Repeated: 1}}}
	if got, want := r.PaceWords()[0], "The link carried 12000 packets a second; 1 part of the scan was repeated, slower."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	r.Pace["dmz"] = Pace{Rate: 500}
	if got, want := r.PaceWords()[0], "The link of dmz carried 500 packets a second."; got != want || len(r.PaceWords()) != 2 {
		t.Errorf("%q, want %q", got, want)
	}
}
