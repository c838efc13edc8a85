package web

import (
	"bytes"
	"net/http"
)

// health answers whether the page can do its work: 200 and "ok", or 503. It tells
// nothing else, for anybody may ask.
func (s *server) health(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.Ready != nil {
		if err := s.Ready(r.Context()); err != nil {
			s.Log.WarnContext(r.Context(), "not ready", "error", err)
			w.WriteHeader(http.StatusServiceUnavailable)
			_, err = w.Write([]byte("the database does not answer\n"))
			return err
		}
	}
	_, err := w.Write([]byte("ok\n"))
	return err
}

// metrics answers with what Prometheus reads (text format 0.0.4).
func (s *server) metrics(w http.ResponseWriter, r *http.Request) error {
	if s.Metrics == nil {
		return missing("There are no metrics.")
	}
	var out bytes.Buffer
	if err := s.Metrics(r.Context(), &out); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, err := out.WriteTo(w)
	return err
}
