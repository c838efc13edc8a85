// Package metrics writes what a run found as a text file for Prometheus: node_exporter
// reads it (its textfile collector), so that nothing of OwnMap has to listen.
package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ownmap/pipeline/state"
)

// Source says how many messages are not sent: those that are still tried, and those
// that were refused for good.
type Source interface {
	DeliveriesWaiting(ctx context.Context) (waiting, parked int, err error)
}

// Metrics writes the file. Make it with New.
type Metrics struct {
	// LastBackup says when the newest backup was made; zero: there is none. Without it there
	// is no metric of that.
	LastBackup func() time.Time

	path   string
	source Source
}

// New returns what writes a file, whose name ends in .prom where node_exporter is to
// read it. Its directory must be there.
func New(path string, source Source) *Metrics { return &Metrics{path: path, source: source} }

// Name returns "metrics".
func (m *Metrics) Name() string { return "metrics" }

// Write replaces the file by what there is to say of a run, in one step: whoever reads
// sees the old one or the new one, and may (mode 0644).
func (m *Metrics) Write(ctx context.Context, report state.Report) error {
	waiting, parked, err := m.source.DeliveriesWaiting(ctx)
	if err != nil {
		return err
	}
	registry := prometheus.NewPedanticRegistry()
	set := Of(report, waiting, parked)
	if m.LastBackup != nil {
		set = set.WithBackup(m.LastBackup())
	}
	if err := registry.Register(set); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	if err := prometheus.WriteToTextfile(m.path, registry); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}
