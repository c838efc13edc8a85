package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// targetsShown is how many targets a page lists.
const targetsShown = 200

// targetsView is the page of targets and exclusions.
type targetsView struct {
	Rows     []state.TargetRow
	All      int    // that match
	Total    int    // that there are
	Query    string // words that targets are searched by
	Page     int    // from 1
	Pages    int
	Form     targetForm // of a new one
	Exclude  []state.ExcludeSetting
	Excluded excludeForm
}

func (targetsView) title() string   { return "Targets" }
func (targetsView) section() string { return "Targets" }

// excludeForm is what was typed to exclude something.
type excludeForm struct {
	Spec, Reason string
	Faults       []string
}

// Where says where a target was set.
func (targetsView) Where(t state.TargetRow) string { return whereOf(t.Target) }

func whereOf(t state.Target) string {
	switch t.Origin {
	case state.OriginConfig:
		return t.Where
	case state.OriginCLI:
		return "command line"
	case state.OriginWeb:
	}
	return "web page"
}

// targets answers with the page.
func (s *server) targets(w http.ResponseWriter, r *http.Request) error {
	return s.showTargets(w, r, http.StatusOK, targetsView{Form: targetForm{Vantage: state.DefaultVantage}})
}

func (s *server) showTargets(w http.ResponseWriter, r *http.Request, status int, view targetsView) error {
	rows, err := s.Desk.Targets(r.Context())
	if err != nil {
		return err
	}
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	view.Total, view.Query = len(rows), state.OneLine(r.URL.Query().Get("q"), 200)
	view.Form.offer(settings, rows)
	view.Exclude = settings.Exclude
	rows = slices.DeleteFunc(rows, func(t state.TargetRow) bool { return !matches(t, view.Query) })
	view.All, view.Pages = len(rows), max(1, (len(rows)+targetsShown-1)/targetsShown)
	page, err := numberIn(r, "page", 1, 1, 1_000_000)
	if err != nil {
		return err
	}
	view.Page = min(page, view.Pages)
	view.Rows = rows[min(len(rows), (view.Page-1)*targetsShown):min(len(rows), view.Page*targetsShown)]
	return s.show(w, r, status, "targets", view)
}

// matches says whether a target has every one of some words in its spec, tags, owner,
// profile or vantage.
func matches(t state.TargetRow, query string) bool {
	text := strings.ToLower(strings.Join(append([]string{t.Spec.String(), t.Owner, t.Profile, t.Vantage, whereOf(t.Target)}, t.Tags...), " "))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// addTargets adds targets that were typed: one, or several that are alike.
func (s *server) addTargets(w http.ResponseWriter, r *http.Request) error {
	form, targets, err := readTarget(r, true)
	if err != nil {
		return err
	}
	if len(form.Faults) == 0 {
		form.Faults, err = s.present(r, targets)
	}
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	if len(form.Faults) == 0 {
		added, warnings, err := s.Desk.AddTargets(r.Context(), targets, identity(r).Actor())
		if err == nil {
			return s.done(w, r, "/targets", sentences(append([]string{state.Count(added, "target", "targets") + " added, for the next run"}, warnings...)))
		}
		if form.Faults, status, err = reasons(err); err != nil {
			return err
		}
	}
	return s.showTargets(w, r, status, targetsView{Form: form})
}

// present says which of some targets are there already, in words.
func (s *server) present(r *http.Request, targets []state.Target) ([]string, error) {
	rows, err := s.Desk.Targets(r.Context())
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, t := range targets {
		for _, row := range rows {
			if row.Spec == t.Spec && row.Vantage == t.Vantage {
				faults = append(faults, fmt.Sprintf("%s from %s is a target already, set in %s.", t.Spec, t.Vantage, whereOf(row.Target)))
				break
			}
		}
	}
	return faults, nil
}

// targetView is the page of one target.
type targetView struct {
	Row  state.TargetRow
	Form targetForm
}

func (v targetView) title() string { return v.Row.Spec.String() }
func (targetView) section() string { return "Targets" }

// findTarget returns a target that is not of the file, by the number in the path.
func (s *server) findTarget(r *http.Request) (state.TargetRow, []state.TargetRow, error) {
	id, err := idIn(r, "target")
	if err != nil {
		return state.TargetRow{}, nil, err
	}
	rows, err := s.Desk.Targets(r.Context())
	if err != nil {
		return state.TargetRow{}, nil, err
	}
	i := slices.IndexFunc(rows, func(t state.TargetRow) bool { return t.ID == id })
	if i < 0 {
		return state.TargetRow{}, nil, &fault{Status: http.StatusNotFound, Text: "There is no such target any more.", Hint: "Somebody has changed or removed it: the list of targets has it as it is now."}
	}
	return rows[i], rows, nil
}

// target answers with the page of one.
func (s *server) target(w http.ResponseWriter, r *http.Request) error {
	row, rows, err := s.findTarget(r)
	if err != nil {
		return err
	}
	return s.showTarget(w, r, http.StatusOK, targetView{Row: row, Form: formOf(row.Target)}, rows)
}

func (s *server) showTarget(w http.ResponseWriter, r *http.Request, status int, view targetView, rows []state.TargetRow) error {
	settings, err := s.Desk.Settings(r.Context())
	if err != nil {
		return err
	}
	view.Form.offer(settings, rows)
	return s.show(w, r, status, "target_edit", view)
}

// changeTarget puts what was typed in the place of a target.
func (s *server) changeTarget(w http.ResponseWriter, r *http.Request) error {
	row, rows, err := s.findTarget(r)
	if err != nil {
		return err
	}
	form, targets, err := readTarget(r, false)
	if err != nil {
		return err
	}
	status := http.StatusUnprocessableEntity
	if len(form.Faults) == 0 {
		warnings, err := s.Desk.ChangeTarget(r.Context(), row.ID, targets[0], identity(r).Actor())
		if err == nil {
			return s.done(w, r, "/targets", sentences(append([]string{targets[0].Spec.String() + " is changed, for the next run"}, warnings...)))
		}
		if form.Faults, status, err = reasons(err); err != nil {
			return err
		}
	}
	return s.showTarget(w, r, status, targetView{Row: row, Form: form}, rows)
}

// askRemoveTarget asks whether a target is to be removed.
func (s *server) askRemoveTarget(w http.ResponseWriter, r *http.Request) error {
	row, _, err := s.findTarget(r)
	if err != nil {
		return err
	}
	text := "It is not scanned any more; what is known of its hosts is kept."
	if row.Hosts > 0 {
		text = fmt.Sprintf("The %s that it brought %s not watched any more, unless another target has them; what is known of them is kept.", state.Count(row.Hosts, "host", "hosts"), are(row.Hosts))
	}
	return s.show(w, r, http.StatusOK, "confirm", confirmView{
		Title: "Remove " + row.Spec.String() + "?", Text: text, Section: "Targets", Button: "Remove the target",
		Action: "/targets/" + strconv.FormatInt(row.ID, 10) + "/remove", Back: "/targets/" + strconv.FormatInt(row.ID, 10),
	})
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// removeTarget removes a target.
func (s *server) removeTarget(w http.ResponseWriter, r *http.Request) error {
	row, _, err := s.findTarget(r)
	if err != nil {
		return err
	}
	if err := s.Desk.RemoveTarget(r.Context(), row.ID, identity(r).Actor()); err != nil {
		return err
	}
	return s.done(w, r, "/targets", row.Spec.String()+" is no target any more.")
}
