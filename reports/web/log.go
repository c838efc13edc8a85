package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"ownmap/pipeline/state"
)

// secretPaths are the beginnings of paths whose rest is a secret: who has it may act.
func secretPaths() []string { return []string{"/a/", "/signin/"} }

// loggedPath is a path as the log may have it: without tokens, without characters that
// do not show themselves, and without the query, in which people search for hosts.
func loggedPath(path string) string {
	for _, secret := range secretPaths() {
		if i := strings.Index(path, secret); i >= 0 {
			return state.OneLine(path[:i+len(secret)], 200) + "..."
		}
	}
	return state.OneLine(path, 200)
}

// watched notes what was answered.
type watched struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush what is streamed.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// from is who makes a request, also behind a trusted proxy.
func (s *server) from(r *http.Request) string {
	if s.Guard != nil {
		if address := s.Guard.From(r); address.IsValid() {
			return address.String()
		}
	}
	return r.RemoteAddr
}

// logged writes a line for each request to the access log.
func (s *server) logged(h http.Handler) http.Handler {
	if s.Access == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, out := s.Now(), &watched{ResponseWriter: w}
		path := loggedPath(r.URL.Path)
		h.ServeHTTP(out, r)
		s.Access.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", state.OneLine(r.Method, 20)), slog.String("path", path),
			slog.Int("status", out.status), slog.Int64("bytes", out.bytes), slog.Duration("took", s.Now().Sub(began)), slog.String("from", s.from(r)))
	})
}

// recovered answers where a page panics: the others go on.
func (s *server) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch why := recover(); why {
			case nil:
			case http.ErrAbortHandler:
				panic(why)
			default:
				s.Log.ErrorContext(r.Context(), "page panicked", "path", loggedPath(r.URL.Path), "why", fmt.Sprint(why), "stack", string(debug.Stack()))
				http.Error(w, "OwnMap could not answer; its log says why.", http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}
