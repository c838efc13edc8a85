package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ownmap/pipeline/state"
)

// sample is one value of a metric.
type sample struct {
	label string // value of its metric's label; empty: it has none
	value float64
}

// metric is a gauge with its samples. Its labels come from closed sets alone: no
// host, owner, tag or text of anybody makes a time series.
type metric struct {
	name, help, label string
	samples           []sample
}

// Set is the metrics of a run. It is a prometheus.Collector.
type Set struct{ metrics []metric }

// Of returns the metrics of a run: the same for the same run and number of messages.
func Of(r state.Report, waiting, parked int) Set { return OfRun(r).WithDeliveries(waiting, parked) }

// OfRun returns the metrics of a run without those of messages: they never change.
func OfRun(r state.Report) Set {
	var s Set
	s.run(r)
	s.coverage(r)
	s.ports(r)
	s.add("ownmap_changes", "Changes of the last run by kind.", "kind", counted(state.Kinds(), r.Changes, func(c state.Change) state.Kind { return c.Kind })...)
	s.add("ownmap_findings", "Findings as of the last run by kind.", "kind", counted(state.FindingKinds(), r.Findings, func(f state.Finding) state.FindingKind { return f.Kind })...)
	var disagreements []state.Finding
	for _, f := range r.Findings {
		if f.Kind.Disagreement() {
			disagreements = append(disagreements, f)
		}
	}
	s.add("ownmap_disagreements", "Findings where the views from outside and from inside do not agree, by severity.", "severity",
		counted(state.Severities(), disagreements, state.Finding.Weight)...)
	s.add("ownmap_alerts", "Alerts of the last run about the scan itself by kind.", "kind", counted(state.AlertKinds(), r.Run.Alerts, func(a state.Alert) state.AlertKind { return a.Kind })...)
	s.one("ownmap_flaps", "Ports that the last run saw otherwise than they are, and asked again.", float64(len(r.Flaps)))
	s.one("ownmap_approvals_ended", "Approvals that drifted or expired in the last run.", float64(len(r.Voided)))
	return s
}

// WithDeliveries adds the metrics of messages.
func (s Set) WithDeliveries(waiting, parked int) Set {
	s.metrics = slices.Clip(s.metrics)
	s.add("ownmap_deliveries", "Messages that are not sent: those still tried, and those refused for good.", "state",
		sample{"waiting", float64(waiting)}, sample{"parked", float64(parked)})
	return s
}

// WithBackup adds when the newest backup was made.
func (s Set) WithBackup(at time.Time) Set {
	s.metrics = slices.Clip(s.metrics)
	s.one("ownmap_backup_timestamp_seconds", "When the newest backup of the database was made; 0: there is none.", seconds(at))
	return s
}

func (s *Set) run(r state.Report) {
	end := r.Run.StartedAt
	if r.Run.FinishedAt != nil {
		end = *r.Run.FinishedAt
	}
	s.one("ownmap_run_number", "Number of the last run that kept a state.", float64(r.Run.ID))
	s.one("ownmap_run_start_timestamp_seconds", "When the last run that kept a state began.", seconds(r.Run.StartedAt))
	s.one("ownmap_run_end_timestamp_seconds", "When the last run that kept a state ended.", seconds(end))
	s.one("ownmap_run_duration_seconds", "How long the last run that kept a state took.", end.Sub(r.Run.StartedAt).Seconds())
	s.one("ownmap_run_partial", "Whether something could not be scanned in the last run.", truth(r.Run.Partial))
	s.one("ownmap_run_success", "Whether the last run looked at all that it was to look at.", truth(!r.Run.Partial))
	s.one("ownmap_run_baseline", "Whether the last run was the first that kept a state.", truth(r.Run.Baseline))
	whole := time.Time{}
	for _, p := range append([]state.RunSummary{}, append(r.Trend, state.RunSummary{Run: r.Run})...) {
		if !p.Partial && p.FinishedAt != nil {
			whole = *p.FinishedAt
		}
	}
	s.one("ownmap_last_success_timestamp_seconds", "When the last run ended that looked at all that it was to look at; 0: none of the last ones did.", seconds(whole))
	pace := state.Pace{}
	for _, p := range r.Run.Pace {
		pace.Rate, pace.Repeated = max(pace.Rate, p.Rate), pace.Repeated+p.Repeated
	}
	s.one("ownmap_scan_rate_packets_per_second", "The fastest at which the last run lost nothing, over all vantages; 0: not known.", float64(pace.Rate))
	s.one("ownmap_scan_slices_repeated", "Parts of the last scan that were thrown away and scanned again, slower.", float64(pace.Repeated))
}

func (s *Set) coverage(r state.Report) {
	s.add("ownmap_hosts", "Hosts of the last run by what came of looking at them.", "coverage",
		sample{"answered", float64(r.Coverage.Answered)}, sample{"silent", float64(r.Coverage.Silent)}, sample{"not_scanned", float64(r.Coverage.NotScanned)})
	s.add("ownmap_hosts_inside", "Hosts that the last run was to look inside by whether it did to the end.", "coverage",
		sample{"complete", float64(r.Inside.Answered)}, sample{"incomplete", float64(r.Inside.Hosts - r.Inside.Answered)})
}

func (s *Set) ports(r state.Report) {
	var approved, unapproved, uncertain, stale int
	oldest := r.Run.StartedAt
	for _, h := range r.Hosts {
		for _, p := range h.Ports {
			switch {
			case p.State != state.Open:
				uncertain++
			case p.Approved():
				approved++
			default:
				unapproved++
				if p.FirstSeen.Before(oldest) {
					oldest = p.FirstSeen
				}
			}
			if p.StaleSince != nil {
				stale++
			}
		}
	}
	s.add("ownmap_ports", "Open ports as of the last run by approval; uncertain ones gave no answer either way.", "approval",
		sample{"approved", float64(approved)}, sample{"unapproved", float64(unapproved)}, sample{"uncertain", float64(uncertain)})
	s.one("ownmap_ports_stale", "Ports among them that the last run did not look at.", float64(stale))
	s.one("ownmap_oldest_unapproved_age_seconds", "How long before the last run the oldest unapproved port was first seen; 0: none is.", r.Run.StartedAt.Sub(oldest).Seconds())
}

// counted counts what there is of each kind. All kinds are told, 0 of them too.
func counted[K ~string, V any](kinds []K, list []V, of func(V) K) []sample {
	n := make(map[K]int, len(kinds))
	for _, v := range list {
		n[of(v)]++
	}
	samples := make([]sample, len(kinds))
	for i, k := range kinds {
		samples[i] = sample{string(k), float64(n[k])}
	}
	return samples
}

func (s *Set) one(name, help string, value float64) { s.add(name, help, "", sample{"", value}) }

func (s *Set) add(name, help, label string, samples ...sample) {
	s.metrics = append(s.metrics, metric{name, help, label, samples})
}

func (m metric) desc() *prometheus.Desc {
	if m.label == "" {
		return prometheus.NewDesc(m.name, m.help, nil, nil)
	}
	return prometheus.NewDesc(m.name, m.help, []string{m.label}, nil)
}

// Describe tells which metrics there are.
func (s Set) Describe(to chan<- *prometheus.Desc) {
	for _, m := range s.metrics {
		to <- m.desc()
	}
}

// Collect tells their values.
func (s Set) Collect(to chan<- prometheus.Metric) {
	for _, m := range s.metrics {
		desc := m.desc()
		for _, v := range m.samples {
			if m.label == "" {
				to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v.value)
				continue
			}
			to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v.value, v.label)
		}
	}
}

// seconds returns a time as Prometheus counts it, 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
