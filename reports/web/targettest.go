package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"ownmap/pipeline/state"
)

// testView is the page of a test of a target.
type testView struct {
	Test   state.TargetTest
	Target state.TargetRow // of the test, as it is now; zero: there is none
	Late   []string        // vantages whose worker has not taken its part for a while
}

func (v testView) title() string { return "Test of " + v.Test.Spec }
func (testView) section() string { return "Targets" }

// Steps are those of all parts, in their order.
func (v testView) Steps() []state.TestStep {
	var steps []state.TestStep
	for _, p := range v.Test.Parts {
		steps = append(steps, p.Steps...)
	}
	return steps
}

// testPatience is how long a worker may take until the page says that none is there; a page
// of a test that has not ended after testGiveUp loads itself no more.
const (
	testPatience = 5 * time.Second
	testGiveUp   = 2 * time.Minute
)

// askTest asks for a test; a worker does it.
func (s *server) askTest(w http.ResponseWriter, r *http.Request) error {
	spec, vantage, err := readTest(r)
	if err != nil {
		return err
	}
	id, err := s.Desk.AskTest(r.Context(), spec, vantage, identity(r).Actor())
	if err != nil {
		return err
	}
	http.Redirect(w, r, s.base+"/tests/"+strconv.FormatInt(id, 10), http.StatusSeeOther)
	return nil
}

func readTest(r *http.Request) (state.Spec, string, error) {
	text, err := field(r, "target", 260)
	if err != nil {
		return state.Spec{}, "", err
	}
	vantage, err := field(r, "vantage", 64)
	if err != nil {
		return state.Spec{}, "", err
	}
	spec, err := state.ParseSpec(text)
	if err != nil {
		return spec, "", bad(sentences([]string{err.Error()}), "")
	}
	return spec, vantage, nil
}

// test answers with a test and how far it is. While it goes on the page loads itself again,
// for those without scripts too.
func (s *server) test(w http.ResponseWriter, r *http.Request) error {
	t, err := s.findTest(r)
	if err != nil {
		return err
	}
	rows, err := s.Desk.Targets(r.Context())
	if err != nil {
		return err
	}
	view := testView{Test: t}
	if i := slices.IndexFunc(rows, func(row state.TargetRow) bool { return row.Spec.String() == t.Spec && row.Vantage == t.Vantage }); i >= 0 {
		view.Target = rows[i]
	}
	waited := s.Now().Sub(t.AskedAt)
	for _, p := range t.Parts {
		if p.TakenAt == nil && p.FinishedAt == nil && waited > testPatience {
			view.Late = append(view.Late, p.Vantage)
		}
	}
	if !t.Done() && waited < testGiveUp {
		w.Header().Set("Refresh", "2")
	}
	return s.show(w, r, http.StatusOK, "target_test", view)
}

func (s *server) findTest(r *http.Request) (state.TargetTest, error) {
	id, err := idIn(r, "test")
	if err != nil {
		return state.TargetTest{}, err
	}
	t, found, err := s.Desk.Test(r.Context(), id)
	if err == nil && !found {
		err = &fault{Status: http.StatusNotFound, Text: "There is no such test any more.", Hint: "Tests are kept for a week."}
	}
	return t, err
}
