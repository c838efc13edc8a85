package web

import (
	"net/http"
	"slices"
	"time"

	"ownmap/pipeline/state"
)

// portQuery reads which ports an address asks for: filter, sort, descending, page and
// limit.
func (s *server) portQuery(r *http.Request) (q state.PortQuery, err error) {
	var sort string
	if q.Filter, sort, q.Descending, q.Page, q.Limit, err = listQuery(r); err != nil {
		return q, err
	}
	q.Sort = state.PortSort(sort)
	if sort != "" && !slices.Contains(state.PortSorts(), q.Sort) {
		return q, &fault{Status: http.StatusBadRequest, Text: "Ports cannot be sorted by " + sort + "."}
	}
	return q, nil
}

// hostQuery is portQuery for hosts.
func (s *server) hostQuery(r *http.Request) (q state.HostQuery, err error) {
	var sort string
	if q.Filter, sort, q.Descending, q.Page, q.Limit, err = listQuery(r); err != nil {
		return q, err
	}
	q.Sort = state.HostSort(sort)
	if sort != "" && !slices.Contains(state.HostSorts(), q.Sort) {
		return q, &fault{Status: http.StatusBadRequest, Text: "Hosts cannot be sorted by " + sort + "."}
	}
	return q, nil
}

func listQuery(r *http.Request) (filter state.Filter, sort string, descending bool, page, limit int, err error) {
	query := r.URL.Query()
	if filter, err = state.ParseFilter(query.Get("filter")); err != nil {
		return filter, "", false, 0, 0, &fault{Status: http.StatusBadRequest, Text: "The filter cannot be read: " + err.Error() + "."}
	}
	if page, err = numberIn(r, "page", 1, 1, 1_000_000); err != nil {
		return filter, "", false, 0, 0, err
	}
	limit, err = numberIn(r, "limit", apiRows, 1, state.MaxRows)
	return filter, query.Get("sort"), query.Get("descending") == "true", page, limit, err
}

// machineTime is a time as programs read it; nil stays nil.
func machineTime(at *time.Time) *string {
	if at == nil || at.IsZero() {
		return nil
	}
	text := at.UTC().Format(time.RFC3339)
	return &text
}
