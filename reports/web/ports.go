package web

import (
	"context"
	"io"
	"net/http"

	"ownmap/pipeline/state"
)

// portsBook is what the list of ports needs besides the API.
type portsBook interface {
	Matching(ctx context.Context, filter state.Filter) ([]state.HostReport, error)
	Picked(ctx context.Context, picks []state.Pick) ([]state.PortRow, error)
}

// Tables write ports as files to be kept.
type Tables struct {
	PortsCSV  func(io.Writer, []state.HostReport) error // RFC 4180
	PortsJSON func(io.Writer, []state.HostReport) error
}

// portsView is the list of ports.
type portsView struct {
	List      list
	Error     string // against the filter
	Known     bool   // there has been a run
	Summary   string
	Table     portTable
	CSV, JSON string
}

func (portsView) title() string   { return "Ports" }
func (portsView) section() string { return "Ports" }

// ports answers with a page of the list of ports.
func (s *server) ports(w http.ResponseWriter, r *http.Request) error {
	v := portsView{List: listOf(r, "/ports", "ports")}
	if v.Error = filterFault(v.List.Filter); v.Error != "" {
		v.Known = true
		return s.show(w, r, http.StatusBadRequest, "ports", v)
	}
	query, err := s.portQuery(r)
	if err != nil {
		return err
	}
	page, err := s.Book.Ports(r.Context(), query)
	if err != nil {
		return err
	}
	v.List.Page, v.List.Pages, v.List.Total = page.Page, page.Pages, page.Total
	if v.List.Total == 0 {
		if v.Known, err = s.known(r.Context()); err != nil {
			return err
		}
	}
	v.Summary = counted(page.Total, "port", "ports") + " on " + counted(page.Hosts, "host", "hosts") + ", " + number(page.Unapproved) + " unapproved."
	v.Table = s.tableOf(page.Rows, identity(r).Role.May(state.Admin))
	v.Table.Hosts, v.Table.Caption, v.Table.Back = true, "Open ports", v.List.Here()
	v.Table.Columns = []column{
		v.List.column("Host", "", string(state.ByHost), true, false), v.List.column("Port", "", string(state.ByPort), false, false),
		v.List.column("Service", "", string(state.ByService), false, false),
	}
	if v.Table.Inside {
		v.Table.Columns = append(v.Table.Columns, column{Label: "Process"})
	}
	v.Table.Columns = append(v.Table.Columns, v.List.column("Owner", "", string(state.ByOwner), false, false), column{Label: "Approval"}, v.List.column("Seen since", "", string(state.ByAge), false, false))
	if page.Unapproved > 0 {
		v.Table.All, v.Table.Waiting = filterOrAll(v.List.Filter), page.Unapproved
	}
	v.CSV, v.JSON = address("/ports.csv", "filter", v.List.Filter), address("/ports.json", "filter", v.List.Filter)
	return s.show(w, r, http.StatusOK, "ports", v)
}

// filterOrAll is a filter that says what is meant where nothing was typed.
func filterOrAll(text string) string {
	if filter, err := state.ParseFilter(text); err == nil && filter.IsZero() {
		return "unapproved"
	}
	return text
}

// filterFault says why a filter cannot be read; empty: it can.
func filterFault(text string) string {
	if _, err := state.ParseFilter(text); err != nil {
		return "The filter cannot be read: " + err.Error() + "."
	}
	return ""
}

// known says whether a run has kept a state yet.
func (s *server) known(ctx context.Context) (bool, error) {
	status, err := s.Book.Status(ctx)
	return status.Last != nil, err
}

// portsCSV answers with the ports that a filter selects, as a table for other programs.
func (s *server) portsCSV(w http.ResponseWriter, r *http.Request) error {
	return s.portsFile(w, r, "text/csv; charset=utf-8", "ports.csv", s.Tables.PortsCSV)
}

// portsJSON is portsCSV in JSON.
func (s *server) portsJSON(w http.ResponseWriter, r *http.Request) error {
	return s.portsFile(w, r, "application/json", "ports.json", s.Tables.PortsJSON)
}

func (s *server) portsFile(w http.ResponseWriter, r *http.Request, kind, name string, write func(io.Writer, []state.HostReport) error) error {
	if write == nil {
		return missing("Ports are not to be had as a file here.")
	}
	filter, err := state.ParseFilter(r.URL.Query().Get("filter"))
	if err != nil {
		return &fault{Status: http.StatusBadRequest, Text: filterFault(r.URL.Query().Get("filter"))}
	}
	hosts, err := s.Book.Matching(r.Context(), filter)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	if r.Method == http.MethodHead {
		return nil
	}
	return write(w, hosts)
}
