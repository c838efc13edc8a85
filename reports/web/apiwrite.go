package web

import (
	"context"
	"net/http"
	"time"

	"ownmap/pipeline/state"
)

// writeBook is what the API changes.
type writeBook interface {
	Approve(ctx context.Context, grant state.Grant) ([]state.Approval, error)
	Revoke(ctx context.Context, grant state.Grant) ([]state.Approval, error)
	Preview(ctx context.Context, scope state.Scope) (state.Preview, error)
	Request(ctx context.Context, r state.ScanRequest) (int64, error)
	RetryDeliveries(ctx context.Context, ids []int64, everything bool, by state.Actor, now time.Time) ([]state.Delivery, error)
	DropDeliveries(ctx context.Context, ids []int64, everything bool, by state.Actor, now time.Time) ([]state.Delivery, error)
	Snooze(ctx context.Context, host string, ports []state.Port, snooze state.Snooze) ([]state.Snooze, error)
	EndSnoozes(ctx context.Context, host string, ports []state.Port, by string) ([]state.Snooze, error)
}

// grantJSON asks for approvals, or takes them back: of ports of a host, or of what a
// filter finds.
type grantJSON struct {
	Host   string   `json:"host"`  // address or name
	Ports  []string `json:"ports"` // "22/tcp"; of a host, empty: all that are open
	Filter string   `json:"filter"`
	Reason string   `json:"reason"`
	Until  string   `json:"until"`  // a date, which is good to its end, or a number of days ("90d")
	Digest string   `json:"digest"` // of the preview; where it is not what the filter finds now, nothing is done
}

func (s *server) grantIn(r *http.Request) (state.Grant, error) {
	var j grantJSON
	if err := readJSON(r, &j); err != nil {
		return state.Grant{}, err
	}
	grant := state.Grant{By: identity(r).Name, Via: "web", Reason: j.Reason}
	var err error
	if grant.Until, err = s.until(j.Until); err != nil {
		return grant, err
	}
	switch {
	case (j.Host == "") == (j.Filter == ""):
		return grant, bad("Say either host or filter.", "")
	case j.Filter != "":
		filter, err := state.ParseFilter(j.Filter)
		if err != nil {
			return grant, bad(err.Error(), "")
		}
		grant.Scope = state.Scope{Filter: &filter, Unapproved: true}
		grant.Digest = j.Digest
		return grant, nil
	}
	grant.Scope.Hosts = []string{j.Host}
	grant.Scope.Ports, err = portsIn(j.Ports)
	return grant, err
}

// portsIn reads ports, "22/tcp".
func portsIn(texts []string) ([]state.Port, error) {
	ports := make([]state.Port, len(texts))
	for i, text := range texts {
		var err error
		if ports[i], err = state.ParsePort(text); err != nil {
			return nil, bad(err.Error(), "")
		}
	}
	return ports, nil
}

func (s *server) apiApprove(w http.ResponseWriter, r *http.Request) error {
	grant, err := s.grantIn(r)
	if err != nil {
		return err
	}
	granted, err := s.Book.Approve(r.Context(), grant)
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Approvals, granted)
}

// apiPreview says what a filter would approve.
func (s *server) apiPreview(w http.ResponseWriter, r *http.Request) error {
	var j struct {
		Filter string `json:"filter"`
	}
	if err := readJSON(r, &j); err != nil {
		return err
	}
	filter, err := state.ParseFilter(j.Filter)
	if err != nil {
		return bad(err.Error(), "")
	}
	preview, err := s.Book.Preview(r.Context(), state.Scope{Filter: &filter, Unapproved: true})
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, struct {
		Ports  int    `json:"ports"`
		Hosts  int    `json:"hosts"`
		Digest string `json:"digest"`
	}{preview.Ports, preview.Hosts, preview.Digest})
	return nil
}

func (s *server) apiRevoke(w http.ResponseWriter, r *http.Request) error {
	grant, err := s.grantIn(r)
	if err != nil {
		return err
	}
	grant.Until = nil
	grant.Scope.Unapproved = false
	ended, err := s.Book.Revoke(r.Context(), grant)
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Approvals, ended)
}

// apiScan asks for a scan of targets, or of all.
func (s *server) apiScan(w http.ResponseWriter, r *http.Request) error {
	var j struct {
		Targets []string `json:"targets"`
	}
	if err := readJSON(r, &j); err != nil {
		return err
	}
	if s.CheckScan != nil {
		if err := s.CheckScan(r.Context(), j.Targets); err != nil {
			return err
		}
	}
	id, err := s.Book.Request(r.Context(), state.ScanRequest{Only: j.Targets, By: identity(r).Name, Via: "web"})
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusAccepted, struct {
		ID int64 `json:"id"`
	}{id})
	return nil
}

// apiRetry has a delivery tried at once.
func (s *server) apiRetry(w http.ResponseWriter, r *http.Request) error {
	return s.settleDelivery(w, r, s.Book.RetryDeliveries)
}

// apiDrop gives a delivery up.
func (s *server) apiDrop(w http.ResponseWriter, r *http.Request) error {
	return s.settleDelivery(w, r, s.Book.DropDeliveries)
}

func (s *server) settleDelivery(w http.ResponseWriter, r *http.Request, settle func(context.Context, []int64, bool, state.Actor, time.Time) ([]state.Delivery, error)) error {
	id, err := idIn(r, "delivery")
	if err != nil {
		return err
	}
	list, err := settle(r.Context(), []int64{id}, false, identity(r).Actor(), s.Now())
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Deliveries, list)
}

// snoozeJSON asks for a snooze, or for the end of one.
type snoozeJSON struct {
	Host   string   `json:"host"`
	Ports  []string `json:"ports"` // empty: the host
	Reason string   `json:"reason"`
	Until  string   `json:"until"`
}

func (s *server) apiSnooze(w http.ResponseWriter, r *http.Request) error {
	var j snoozeJSON
	if err := readJSON(r, &j); err != nil {
		return err
	}
	ports, err := portsIn(j.Ports)
	if err != nil {
		return err
	}
	until, err := s.until(j.Until)
	if err != nil {
		return err
	}
	if until == nil {
		return bad("A snooze has to end.", "Send until: a date (2027-01-31) or a number of days (90d).")
	}
	list, err := s.Book.Snooze(r.Context(), j.Host, ports, state.Snooze{Reason: j.Reason, By: identity(r).Name, Via: "web", Until: *until})
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Snoozes, list)
}

func (s *server) apiEndSnooze(w http.ResponseWriter, r *http.Request) error {
	var j snoozeJSON
	if err := readJSON(r, &j); err != nil {
		return err
	}
	ports, err := portsIn(j.Ports)
	if err != nil {
		return err
	}
	list, err := s.Book.EndSnoozes(r.Context(), j.Host, ports, identity(r).Name)
	if err != nil {
		return err
	}
	return answerWith(s, w, s.JSON.Snoozes, list)
}
