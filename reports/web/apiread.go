package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/netip"

	"ownmap/pipeline/state"
)

// readBook is what the API reads.
type readBook interface {
	Status(ctx context.Context) (state.Status, error)
	Ports(ctx context.Context, query state.PortQuery) (state.PortPage, error)
	HostsPage(ctx context.Context, query state.HostQuery) (state.HostPage, error)
	HistoryOf(ctx context.Context, address netip.Addr, vantage string) (state.HostHistory, error)
	Approvals(ctx context.Context, scope state.Scope, ended bool) ([]state.Approval, error)
	Audit(ctx context.Context, limit int) ([]state.AuditLine, error)
	Runs(ctx context.Context, limit int) ([]state.RunSummary, error)
	Report(ctx context.Context, runID int64) (state.Report, error)
	FindRun(ctx context.Context, ref string) (state.Run, error)
	Requests(ctx context.Context, limit int) ([]state.ScanRequest, error)
	Progress(ctx context.Context) (*state.ScanProgress, error)
	Deliveries(ctx context.Context, settled int) ([]state.Delivery, error)
	Snoozes(ctx context.Context) ([]state.Snooze, error)
}

func (s *server) apiStatus(w http.ResponseWriter, r *http.Request) error {
	status, err := s.Book.Status(r.Context())
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Status, status)
}

// apiPorts answers with a page of ports: those that match a filter, in an order.
func (s *server) apiPorts(w http.ResponseWriter, r *http.Request) error {
	query, err := s.portQuery(r)
	if err != nil {
		return err
	}
	found, err := s.Book.Ports(r.Context(), query)
	if err != nil {
		return err
	}
	hosts := make([]state.HostReport, len(found.Rows))
	for i, row := range found.Rows {
		hosts[i] = state.HostReport{Host: row.Host, Tags: row.Tags, Owner: row.Owner, Ports: []state.PortReport{row.PortReport}}
	}
	ports, err := encoded(s.JSON.Ports, hosts)
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, struct {
		Ports json.RawMessage `json:"ports"`
		Page  int             `json:"page"`
		Pages int             `json:"pages"`
		Total int             `json:"total"`
	}{ports, found.Page, found.Pages, found.Total})
	return nil
}

// hostRowJSON is a host in a list.
type hostRowJSON struct {
	Host       string   `json:"host"` // the first name, or the address
	Address    string   `json:"address"`
	Vantage    string   `json:"vantage"`
	State      string   `json:"state"`
	Tags       []string `json:"tags"`
	Owner      string   `json:"owner"`
	Open       int      `json:"open"`
	Unapproved int      `json:"unapproved"`
	Matching   int      `json:"matching"` // ports that the filter selects
	FirstSeen  *string  `json:"first_seen"`
	LastSeen   *string  `json:"last_seen"`
}

// apiHosts answers with a page of hosts: those that match a filter, in an order.
func (s *server) apiHosts(w http.ResponseWriter, r *http.Request) error {
	query, err := s.hostQuery(r)
	if err != nil {
		return err
	}
	found, err := s.Book.HostsPage(r.Context(), query)
	if err != nil {
		return err
	}
	hosts := make([]hostRowJSON, len(found.Rows))
	for i, h := range found.Rows {
		hosts[i] = hostRowJSON{
			Host: cmp.Or(h.Name(), h.Address.String()), Address: h.Address.String(), Vantage: h.Vantage, State: string(h.State), Tags: append([]string{}, h.Tags...), Owner: h.Owner,
			Open: h.Open, Unapproved: h.Unapproved, Matching: h.Matching, FirstSeen: machineTime(&h.FirstSeen), LastSeen: machineTime(h.LastSeen),
		}
	}
	s.writeJSON(w, http.StatusOK, struct {
		Hosts []hostRowJSON `json:"hosts"`
		Page  int           `json:"page"`
		Pages int           `json:"pages"`
		Total int           `json:"total"`
	}{hosts, found.Page, found.Pages, found.Total})
	return nil
}

// apiHost answers with all that is known of one host.
func (s *server) apiHost(w http.ResponseWriter, r *http.Request) error {
	address, err := netip.ParseAddr(r.PathValue("address"))
	if err != nil {
		return missing("There is no such host: the address of one is asked for.")
	}
	history, err := s.Book.HistoryOf(r.Context(), address, r.URL.Query().Get("vantage"))
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Host, history)
}

// apiApprovals answers with the approvals of a host, or of all.
func (s *server) apiApprovals(w http.ResponseWriter, r *http.Request) error {
	var scope state.Scope
	if host := r.URL.Query().Get("host"); host != "" {
		scope.Hosts = []string{host}
	}
	list, err := s.Book.Approvals(r.Context(), scope, r.URL.Query().Get("ended") == "true")
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Approvals, list)
}

func (s *server) apiAudit(w http.ResponseWriter, r *http.Request) error {
	limit, err := numberIn(r, "limit", apiRows, 1, apiMaxRows)
	if err != nil {
		return err
	}
	lines, err := s.Book.Audit(r.Context(), limit)
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Audit, lines)
}

func (s *server) apiRuns(w http.ResponseWriter, r *http.Request) error {
	limit, err := numberIn(r, "limit", apiRows, 1, apiMaxRows)
	if err != nil {
		return err
	}
	runs, err := s.Book.Runs(r.Context(), limit)
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Runs, runs)
}

// apiRun answers with the report of a run, as `ownmap report --format json` has it.
func (s *server) apiRun(w http.ResponseWriter, r *http.Request) error {
	id, err := idIn(r, "run")
	if err != nil {
		return err
	}
	report, err := s.Book.Report(r.Context(), id)
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Report, report)
}

// scanJSON is a scan that was asked for.
type scanJSON struct {
	ID         int64    `json:"id"`
	Targets    []string `json:"targets"` // empty: all
	By         string   `json:"by"`
	Via        string   `json:"via"`
	AskedAt    string   `json:"asked_at"`
	TakenAt    *string  `json:"taken_at"`    // by a worker; null: it waits
	FinishedAt *string  `json:"finished_at"` // null: it waits or is being done
	Run        *int64   `json:"run"`         // that it led to
	Error      string   `json:"error"`
}

// apiScans answers with the scans that were asked for, newest first, and how far the run
// under way is.
func (s *server) apiScans(w http.ResponseWriter, r *http.Request) error {
	requests, err := s.Book.Requests(r.Context(), apiRows)
	if err != nil {
		return err
	}
	progress, err := s.Book.Progress(r.Context())
	if err != nil {
		return err
	}
	scans := make([]scanJSON, len(requests))
	for i, q := range requests {
		scans[i] = scanOf(q)
	}
	s.writeJSON(w, http.StatusOK, struct {
		Scans    []scanJSON          `json:"scans"`
		Progress *state.ScanProgress `json:"progress"`
	}{scans, progress})
	return nil
}

func scanOf(q state.ScanRequest) scanJSON {
	j := scanJSON{ID: q.ID, Targets: append([]string{}, q.Only...), By: q.By, Via: q.Via, AskedAt: *machineTime(&q.AskedAt), TakenAt: machineTime(q.TakenAt), FinishedAt: machineTime(q.FinishedAt), Error: q.Error}
	if q.RunID != 0 {
		j.Run = &q.RunID
	}
	return j
}

func (s *server) apiDeliveries(w http.ResponseWriter, r *http.Request) error {
	sent, err := numberIn(r, "sent", 0, 0, apiMaxRows)
	if err != nil {
		return err
	}
	list, err := s.Book.Deliveries(r.Context(), sent)
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Deliveries, list)
}

func (s *server) apiSnoozes(w http.ResponseWriter, r *http.Request) error {
	list, err := s.Book.Snoozes(r.Context())
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Snoozes, list)
}
