package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"ownmap/pipeline/lab"
)

// BenchmarkImport imports a year of nights of 1,000 hosts with the program as users call it,
// the archive with it: some hosts change each night, some are away, some time out. It counts
// the memory of the process, not the database's. The second time it only finds out that all is
// there.
func BenchmarkImport(b *testing.B) {
	dir := b.TempDir()
	scans := filepath.Join(dir, "scans")
	if err := os.Mkdir(scans, 0o700); err != nil {
		b.Fatal(err)
	}
	series := lab.Series{Hosts: 1000, Nights: 365, First: time.Date(2025, 1, 1, 2, 0, 0, 0, time.UTC)}
	if _, err := series.Write(scans); err != nil {
		b.Fatal(err)
	}
	config := filepath.Join(dir, "ownmap.yaml")
	if err := os.WriteFile(config, []byte("database: {url: \""+filled.Database(b)+"\"}\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, want string }{{"year", "365 runs imported"}, {"again", "nothing imported; 365 files were imported before"}} {
		b.Run(c.name, func(b *testing.B) {
			if b.N > 1 {
				b.Skip("the second time there is nothing to do: -benchtime 1x")
			}
			cmd := exec.CommandContext(b.Context(), measuredOwnmap, "--config", config, "--state-dir", dir, "import", "--quiet", scans)
			begin := time.Now()
			out, err := cmd.CombinedOutput()
			peak := 0.0
			_, told, _ := bytes.Cut(out, []byte("VmHWM:"))
			if _, unread := fmt.Sscan(string(told), &peak); err != nil || unread != nil || !bytes.Contains(out, []byte(c.want)) {
				b.Fatalf("%v, %v: %s", err, unread, out)
			}
			b.ReportMetric(time.Since(begin).Seconds(), "s")
			b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
			b.ReportMetric(peak/1024, "peak-MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}
