package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"ownmap/pipeline/state"
)

// The bounds of a file of targets, and of what is shown of it.
const (
	importLimit   = 8 << 20 // bytes of the file
	importedShown = 500
)

// importView is the page on which files of targets are read.
type importView struct {
	Text   string // of the file, once it was read
	Name   string // of the file
	Faults []string
	More   string // faults that are not shown

	Notes     []string // what of the file is no target
	MoreNotes string

	Read      bool // the file is whole
	Rows      []state.TargetImport
	Left      string // rows that are not shown
	New, Same int
	Changed   int
	Addresses uint64
}

func (importView) title() string   { return "Import targets" }
func (importView) section() string { return "Targets" }

// importForm answers with the form.
func (s *server) importForm(w http.ResponseWriter, r *http.Request) error {
	return s.show(w, r, http.StatusOK, "targets_import", importView{})
}

// importTargets reads a file, which was sent or pasted, and shows what would come of it;
// once that was seen it adds the targets. The text is sent along and read again: nothing is
// kept in between.
func (s *server) importTargets(w http.ResponseWriter, r *http.Request) error {
	view, err := readImport(w, r)
	if err != nil {
		return err
	}
	rows, notes, err := s.Desk.ReadTargets(r.Context(), strings.NewReader(view.Text), view.Name, "", state.Target{Origin: state.OriginWeb})
	if err == nil && len(rows) == 0 {
		err = &state.RefusedError{Reasons: []string{"there is no target in it"}}
	}
	if err == nil && r.PostFormValue("step") == "add" {
		targets := make([]state.Target, len(rows))
		for i, row := range rows {
			targets[i] = row.Target
		}
		added, warnings, adding := s.Desk.AddTargets(r.Context(), targets, identity(r).Actor())
		if adding == nil {
			return s.done(w, r, "/targets", sentences(append([]string{state.Count(added, "target", "targets") + " added or changed, for the next run"}, warnings...)))
		}
		err = adding
	}
	status := http.StatusOK
	if err != nil {
		if view.Faults, status, err = reasons(err); err != nil {
			return err
		}
		all := len(view.Faults)
		view.Faults = view.Faults[:min(50, all)]
		view.More = state.MoreOf(len(view.Faults), all, "mistakes")
		return s.show(w, r, status, "targets_import", view)
	}
	view.count(rows)
	view.Notes = notes[:min(50, len(notes))]
	view.MoreNotes = state.MoreOf(len(view.Notes), len(notes), "remarks")
	return s.show(w, r, status, "targets_import", view)
}

// count says what would come of the rows.
func (v *importView) count(rows []state.TargetImport) {
	v.Read = true
	for _, row := range rows {
		switch {
		case row.Was == nil:
			v.New++
		case row.Same():
			v.Same++
		default:
			v.Changed++
		}
		v.Addresses += row.Spec.Count()
	}
	v.Rows = rows[:min(importedShown, len(rows))]
	v.Left = state.MoreOf(len(v.Rows), len(rows), "targets")
}

// readImport reads the form: a file, or else the text that was pasted.
func readImport(w http.ResponseWriter, r *http.Request) (importView, error) {
	const form = importLimit + 1<<20
	r.Body = http.MaxBytesReader(w, r.Body, form)
	if err := r.ParseMultipartForm(form); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return importView{}, err
		}
		return importView{}, bad("The form cannot be read.", "")
	}
	view := importView{Text: r.PostFormValue("text"), Name: "the text"}
	file, header, err := r.FormFile("file")
	switch {
	case errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && header.Size == 0:
	case err != nil:
		return view, bad("The file cannot be read.", "")
	default:
		text, err := io.ReadAll(io.LimitReader(file, importLimit+1))
		if err = errors.Join(err, file.Close()); err != nil {
			return view, err
		}
		view.Text, view.Name = string(text), "the file"
	}
	return view, nil
}
