package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"ownmap/pipeline/state"
	"ownmap/reports/web/access"
)

// fault is an error that the person at the page is to read.
type fault struct {
	Status int
	Text   string        // a sentence
	Hint   string        // the remedy; may be empty
	After  time.Duration // to wait before the next try; 0: nothing was said
}

// Error returns the sentence.
func (f *fault) Error() string { return f.Text }

// bad says that what was sent cannot be used.
func bad(text, hint string) error {
	return &fault{Status: http.StatusUnprocessableEntity, Text: text, Hint: hint}
}

// missing says that what was asked for is not there.
func missing(text string) error { return &fault{Status: http.StatusNotFound, Text: text} }

// explain makes of any error one that a person is to read. What we do not know is our
// fault, is logged, and its words stay here.
func (s *server) explain(r *http.Request, err error) *fault {
	var known *fault
	var long *http.MaxBytesError
	var refused *access.RefusedError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		return faultOf(refused)
	case errors.As(err, &long):
		return &fault{Status: http.StatusRequestEntityTooLarge, Text: "That is more than " + strconv.FormatInt(long.Limit>>10, 10) + " KiB."}
	}
	if f := deskFault(err); f != nil {
		return f
	}
	if s.Explain != nil {
		if status, text, hint := s.Explain(err); status != 0 {
			return &fault{Status: status, Text: text, Hint: hint}
		}
	}
	if r.Context().Err() == nil {
		s.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", loggedPath(r.URL.Path), "error", err)
	}
	return &fault{Status: http.StatusInternalServerError, Text: "OwnMap could not answer.", Hint: "Its log says why; nothing was done by halves."}
}

// faultOf is what the guard has against something.
func faultOf(e *access.RefusedError) *fault {
	return &fault{Status: e.Status, Text: e.Text, Hint: e.Hint, After: e.After}
}

// retryAfter tells programs when to try again.
func (f *fault) retryAfter(w http.ResponseWriter) {
	if f.After > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.After.Round(time.Second)/time.Second)))
	}
}

// fail answers with an error: a page for people, JSON for programs.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := s.explain(r, err)
	f.Text, f.Hint = state.OneLine(f.Text, 1000), state.OneLine(f.Hint, 1000)
	f.retryAfter(w)
	if isAPI(r) {
		s.writeJSON(w, f.Status, struct {
			Error string `json:"error"`
			Hint  string `json:"hint,omitempty"`
		}{f.Text, f.Hint})
		return
	}
	if err := s.show(w, r, f.Status, "fault", f); err != nil {
		s.Log.ErrorContext(r.Context(), "page of an error", "error", err)
		http.Error(w, f.Text, f.Status)
	}
}

// writeJSON answers with JSON.
func (s *server) writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		s.Log.Debug("answer was not taken", "error", err)
	}
}
