package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
	"ownmap/reports/metrics"
)

// webMetrics are what /metrics shows: what the last run found, as the text file has it, and
// how the page is used. Neither hosts nor people make a time series.
type webMetrics struct {
	house    *house
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec

	mu  sync.Mutex
	run state.Run   // that was looked at last
	set metrics.Set // of it
}

func newWebMetrics(h *house) *webMetrics {
	m := &webMetrics{
		house: h, registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ownmap_http_requests_total", Help: "Requests to the web page by method, route and class of the answer.",
		}, []string{"method", "route", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ownmap_http_request_duration_seconds", Help: "How long the web page took to answer, by route.", Buckets: []float64{.01, .025, .05, .1, .25, 1, 5},
		}, []string{"route"}),
	}
	m.registry.MustRegister(m.requests, m.took)
	return m
}

// observe counts a request. Routes are those of the table, however people call them.
func (m *webMetrics) observe(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status/100)+"xx").Inc()
	m.took.WithLabelValues(route).Observe(took.Seconds())
}

// write writes them all in the text format of Prometheus.
func (m *webMetrics) write(ctx context.Context, w io.Writer) error {
	waiting, parked, err := m.house.book.DeliveriesWaiting(ctx)
	if err != nil {
		return err
	}
	set, err := m.last(ctx)
	if err != nil {
		return err
	}
	of := prometheus.NewRegistry()
	set = set.WithDeliveries(waiting, parked)
	if m.house.config.Backup.Dir != "" {
		set = set.WithBackup(m.house.lastBackup())
	}
	if err := of.Register(set); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	families, err := prometheus.Gatherers{of, m.registry}.Gather()
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
	return nil
}

// last returns the metrics of the last run, which are read once.
func (m *webMetrics) last(ctx context.Context) (metrics.Set, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	run, err := m.house.book.FindRun(ctx, "last")
	var none *persist.NoRunError
	if errors.As(err, &none) {
		return metrics.Set{}, nil
	}
	if err != nil {
		return metrics.Set{}, err
	}
	if run.ID == m.run.ID && run.Rev == m.run.Rev && run.StartedAt.Equal(m.run.StartedAt) {
		return m.set, nil
	}
	report, err := m.house.book.Report(ctx, run.ID)
	if err != nil {
		return metrics.Set{}, err
	}
	m.run, m.set = run, metrics.OfRun(report)
	return m.set, nil
}
