package metrics

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// outbox is a Source.
type outbox struct {
	waiting, parked int
	err             error
}

func (o outbox) DeliveriesWaiting(context.Context) (waiting, parked int, err error) {
	return o.waiting, o.parked, o.err
}

// written is a file as Prometheus reads it: values by name and label.
func written(t *testing.T, text []byte) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	values := map[string]float64{}
	for name, family := range families {
		if family.GetType() != dto.MetricType_GAUGE || family.GetHelp() == "" {
			t.Errorf("%s is a %s, %q", name, family.GetType(), family.GetHelp())
		}
		for _, m := range family.GetMetric() {
			words := []string{name}
			for _, l := range m.GetLabel() {
				words = append(words, l.GetValue())
			}
			values[strings.Join(words, " ")] = m.GetGauge().GetValue()
		}
	}
	return values
}

func write(t *testing.T, file string, report state.Report, source Source) []byte {
	t.Helper()
	if err := New(file, source).Write(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMetricsOfTheDemo(t *testing.T) {
	t.Parallel()
	report := demo.Nights(49).At(49)
	file := filepath.Join(t.TempDir(), "ownmap.prom")
	text := write(t, file, report, outbox{waiting: 3, parked: 1})
	got := written(t, text)
	open, unapproved := report.OpenPorts()
	for key, want := range map[string]float64{
		"ownmap_run_number": 49, "ownmap_run_start_timestamp_seconds": float64(report.Run.StartedAt.Unix()), "ownmap_run_duration_seconds": report.Run.FinishedAt.Sub(report.Run.StartedAt).Seconds(),
		"ownmap_run_partial": 0, "ownmap_run_success": 1, "ownmap_run_baseline": 0, "ownmap_last_success_timestamp_seconds": float64(report.Run.FinishedAt.Unix()),
		"ownmap_hosts answered": float64(report.Coverage.Answered), "ownmap_hosts silent": 1, "ownmap_hosts not_scanned": 0,
		"ownmap_ports unapproved": float64(unapproved), "ownmap_ports approved": float64(open - unapproved), "ownmap_ports uncertain": 1,
		"ownmap_oldest_unapproved_age_seconds": 48 * 86400, "ownmap_changes port-opened": 2, "ownmap_changes bind-changed": 0, "ownmap_findings all-ports-open": 1,
		"ownmap_deliveries waiting": 3, "ownmap_deliveries parked": 1, "ownmap_scan_rate_packets_per_second": 11800, "ownmap_scan_slices_repeated": 2,
		"ownmap_alerts stale": 1, "ownmap_alerts blind": 0, "ownmap_flaps": 1,
	} {
		if value, ok := got[key]; !ok || math.Abs(value-want) > 1e-6 {
			t.Errorf("%s is %v (there: %v), want %v", key, value, ok, want)
		}
	}
	grave := 0.0
	for _, s := range state.Severities()[:2] {
		grave += got["ownmap_disagreements "+string(s)]
	}
	if int(grave) != report.Grave() || grave == 0 {
		t.Errorf("%v grave disagreements, want %d", grave, report.Grave())
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if again := write(t, file, report, outbox{waiting: 3, parked: 1}); !bytes.Equal(text, again) {
		t.Error("the same run gives other bytes")
	}
	partial := write(t, file, demo.Nights(48).At(48), outbox{})
	if got := written(t, partial); got["ownmap_run_partial"] != 1 || got["ownmap_run_success"] != 0 || got["ownmap_last_success_timestamp_seconds"] != float64(demo.Nights(48).At(47).Run.FinishedAt.Unix()) {
		t.Errorf("a run in part:\n%s", partial)
	}
}

// TestNamesAreAsPrometheusWantsThem lints as promtool does.
func TestNamesAreAsPrometheusWantsThem(t *testing.T) {
	t.Parallel()
	problems, err := testutil.CollectAndLint(Of(demo.Nights(49).At(49), 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestSeriesAreTheSameWhateverIsFound holds that nothing of a host, and no number of
// them, makes a time series.
func TestSeriesAreTheSameWhateverIsFound(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ownmap.prom")
	series := func(r state.Report) string {
		text := write(t, file, r, outbox{})
		for _, hostile := range []string{"192.0.2", "example.org", "script", "web-team", "dmz", "internet"} {
			if bytes.Contains(text, []byte(hostile)) {
				t.Errorf("%q stands in the file", hostile)
			}
		}
		var keys []string
		for key := range written(t, text) {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		return strings.Join(keys, "\n")
	}
	all := series(demo.Nights(49).At(49))
	if none := series(state.Report{}); none != all {
		t.Errorf("of nothing:\n%s\nof the demo:\n%s", none, all)
	}
	odd := state.Report{Changes: []state.Change{{Kind: "<script>"}}, Findings: []state.Finding{{Kind: "example.org", Severity: "dmz"}}}
	if other := series(odd); other != all {
		t.Errorf("of kinds that nobody knows:\n%s", other)
	}
	if n := strings.Count(all, "\n"); n > 80 {
		t.Errorf("%d series", n)
	}
}

// TestFileIsWhole reads the file in a loop while it is written.
func TestFileIsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ownmap.prom")
	reports := []state.Report{demo.Nights(1).At(1), demo.Nights(20).At(20)}
	whole := []string{string(write(t, file, reports[0], outbox{})), string(write(t, file, reports[1], outbox{}))}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			if err := New(file, outbox{}).Write(context.Background(), reports[i%2]); err != nil {
				t.Error(err)
			}
		}
	}()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		if text, err := os.ReadFile(file); err != nil || !slices.Contains(whole, string(text)) {
			t.Fatalf("%v: %d bytes that are neither the one nor the other", err, len(text))
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v are left", entries, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "ownmap.prom")
	before := write(t, file, state.Report{}, outbox{})
	lost := errors.New("no database")
	if err := New(file, outbox{err: lost}).Write(t.Context(), state.Report{}); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a fault changed the file: %v", err)
	}
	missing := filepath.Join(dir, "missing", "ownmap.prom")
	if err := New(missing, outbox{}).Write(t.Context(), state.Report{}); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a directory that is missing: %v", err)
	}
}
