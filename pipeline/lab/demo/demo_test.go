package demo

import (
	"reflect"
	"testing"

	"ownmap/pipeline/state"
)

func TestNetworks(t *testing.T) {
	t.Parallel()
	if n := len(Corpus()); n < 60 {
		t.Errorf("the corpus has only %d texts", n)
	}
	d := Saying(Corpus())
	r := d.At(3)
	if len(r.Hosts) != len(Corpus()) || len(r.Changes) < 4*len(r.Hosts) || len(r.Voided) != len(r.Hosts) || r.Hosts[0].Owner != Corpus()[0] {
		t.Errorf("%d hosts, %d changes, %d approvals ended", len(r.Hosts), len(r.Changes), len(r.Voided))
	}
	for _, n := range []Network{d, Nights(49), Large(100, 5, 2)} {
		last, err := n.Report(t.Context(), int64(n.nights))
		if err != nil || !reflect.DeepEqual(last, n.At(n.nights)) || last.Trend[len(last.Trend)-1].Changes != len(last.Changes) {
			t.Errorf("the same night is not the same report (%v)", err)
		}
		if runs, err := n.Runs(t.Context(), 1); err != nil || !reflect.DeepEqual(runs[0], last.Trend[len(last.Trend)-1]) {
			t.Errorf("the list of runs has %+v of the last night, the report %+v (%v)", runs[0], last.Trend[len(last.Trend)-1], err)
		}
	}
	if last := Nights(49).At(49); last.Mood() != state.MoodDisagree || len(last.Trend) != 49 {
		t.Errorf("the last night is %s over %d runs", last.Mood(), len(last.Trend))
	}
}
