package web

import (
	"context"
	"net/http"

	"ownmap/pipeline/state"
)

// overviewBook is what the first page reads.
type overviewBook interface {
	Status(ctx context.Context) (state.Status, error)
}

// overviewView is the first page.
type overviewView struct {
	Status state.Status
}

func (overviewView) title() string   { return "Overview" }
func (overviewView) section() string { return "Overview" }

// overview answers with how things stand: what an administrator reads in the morning.
func (s *server) overview(w http.ResponseWriter, r *http.Request) error {
	status, err := s.Book.Status(r.Context())
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "overview", overviewView{status})
}
