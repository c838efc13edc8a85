package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// scanBook is what the page of scans reads and writes.
type scanBook interface {
	UnderWay(ctx context.Context) (*state.Run, error)
	Progress(ctx context.Context) (*state.ScanProgress, error)
	Requests(ctx context.Context, limit int) ([]state.ScanRequest, error)
	Request(ctx context.Context, r state.ScanRequest) (id int64, err error)
	CancelRun(ctx context.Context, id int64, by state.Actor) (runID int64, err error)
	CancelRequest(ctx context.Context, id int64, by state.Actor) (bool, error)
}

// scanView is the page on which scans are asked for and watched.
type scanView struct {
	live

	Typed     string // into the form
	Fault     string // what is wrong with it
	Workers   []Worker
	Workerful bool // one takes what is asked for here, or nobody can tell
	Follow    bool // the page loads itself again while something is under way
}

func (scanView) title() string   { return "Scan" }
func (scanView) section() string { return "Scan" }

// The bounds of what can be asked for in one go.
const (
	scanTargets = 100
	scanTyped   = 4000 // characters
)

// scan answers with the page.
func (s *server) scan(w http.ResponseWriter, r *http.Request) error {
	view := scanView{Typed: state.OneLine(r.URL.Query().Get("only"), 200), Follow: r.URL.Query().Get("follow") != ""}
	return s.showScan(w, r, http.StatusOK, view)
}

func (s *server) showScan(w http.ResponseWriter, r *http.Request, status int, view scanView) error {
	now, err := s.underWay(r.Context())
	if err != nil {
		return err
	}
	view.live, view.Workerful = now, true
	if s.Workers != nil {
		if view.Workers, err = s.Workers(r.Context()); err != nil {
			return err
		}
		view.Workerful = slices.ContainsFunc(view.Workers, func(w Worker) bool { return w.Takes })
	}
	if view.Follow && now.Busy() {
		w.Header().Set("Refresh", "5") // for who has asked for it, and has no script to do it better
	}
	return s.show(w, r, status, "scan", view)
}

// requestScan asks for a scan. What cannot be scanned is told on the page, beside what was
// typed.
func (s *server) requestScan(w http.ResponseWriter, r *http.Request) error {
	typed, err := field(r, "only", scanTyped)
	if err != nil {
		return err
	}
	only := strings.FieldsFunc(typed, func(c rune) bool { return c == ' ' || c == ',' || c == '\n' || c == '\r' || c == '\t' })
	refuse := func(text string) error {
		return s.showScan(w, r, http.StatusUnprocessableEntity, scanView{Typed: typed, Fault: state.OneLine(text, 1000)})
	}
	switch everything := r.PostFormValue("what") == "all"; {
	case everything:
		only = nil
	case len(only) == 0:
		return refuse("Say what is to be scanned.")
	case len(only) > scanTargets:
		return refuse(fmt.Sprintf("These are %d targets; ask for %d at most.", len(only), scanTargets))
	}
	if s.CheckScan != nil {
		if err := s.CheckScan(r.Context(), only); err != nil {
			f := s.explain(r, err)
			if f.Status != http.StatusUnprocessableEntity {
				return f
			}
			return refuse(strings.TrimSpace(f.Text + " " + f.Hint))
		}
	}
	who := identity(r)
	if _, err := s.Book.Request(r.Context(), state.ScanRequest{Only: only, By: who.Name, Via: "web"}); err != nil {
		return err
	}
	return s.done(w, r, "/scan", "Requested: a scan of "+targetWords(only)+".")
}

// targetWords says what a request is about.
func targetWords(only []string) string {
	if len(only) == 0 {
		return "all targets"
	}
	return state.OneLine(strings.Join(only, " "), 200)
}

// cancelled is what is to be cancelled: one of them.
type cancelled struct{ run, request int64 }

func readCancelled(value func(string) string) (cancelled, error) {
	run, _ := strconv.ParseInt(value("run"), 10, 64)
	request, _ := strconv.ParseInt(value("request"), 10, 64)
	if run < 0 || request < 0 || (run == 0) == (request == 0) {
		return cancelled{}, bad("It is not said what is to be cancelled.", "")
	}
	return cancelled{run, request}, nil
}

// askCancel asks whether a run or request is to be cancelled.
func (s *server) askCancel(w http.ResponseWriter, r *http.Request) error {
	c, err := readCancelled(r.URL.Query().Get)
	if err != nil {
		return err
	}
	ask := confirmView{Section: "Scan", Action: "/scan/cancel", Back: "/scan"}
	if c.run != 0 {
		ask.Title, ask.Text, ask.Button = fmt.Sprintf("Cancel run %d?", c.run), "What it found so far is dropped: the state stays as it was before it. The hosts that it did not get to are scanned by the next run.", "Cancel the run"
		ask.Fields = []hidden{{"run", strconv.FormatInt(c.run, 10)}}
	} else {
		ask.Title, ask.Text, ask.Button = fmt.Sprintf("Cancel request %d?", c.request), "No worker has begun with it yet.", "Cancel the request"
		ask.Fields = []hidden{{"request", strconv.FormatInt(c.request, 10)}}
	}
	return s.show(w, r, http.StatusOK, "confirm", ask)
}

// cancel ends the run under way, if it is the one that was meant, or a request.
func (s *server) cancel(w http.ResponseWriter, r *http.Request) error {
	c, err := readCancelled(r.PostFormValue)
	if err != nil {
		return err
	}
	by := identity(r).Actor()
	if c.request != 0 {
		ended, err := s.Book.CancelRequest(r.Context(), c.request, by)
		switch {
		case err != nil:
			return err
		case !ended:
			return conflict(fmt.Sprintf("Request %d waits no more: it is done, or its run is under way.", c.request), "The page of scans says how far it is; there you can cancel the run.")
		}
		return s.done(w, r, "/scan", fmt.Sprintf("Request %d is cancelled.", c.request))
	}
	id, err := s.Book.CancelRun(r.Context(), c.run, by)
	switch {
	case err != nil:
		return err
	case id == 0:
		return conflict(fmt.Sprintf("Run %d is not under way any more.", c.run), "The list of runs says how it ended.")
	}
	if s.Withdraw != nil {
		if err := s.Withdraw(r.Context(), id); err != nil {
			return err
		}
	}
	return s.done(w, r, "/scan", fmt.Sprintf("Run %d is cancelled; the state is as it was before it.", id))
}

func conflict(text, hint string) error {
	return &fault{Status: http.StatusConflict, Text: text, Hint: hint}
}
