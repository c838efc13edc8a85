package enrich

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/sshlab"
	"ownmap/pipeline/state"
)

// BenchmarkInside looks inside 100 hosts with seven listeners each, all facts, 16 at
// once, and tells the seconds that takes and the memory of this process. The hosts
// are on the same cores.
func BenchmarkInside(b *testing.B) {
	const hosts = 100
	options := make([]sshlab.Options, hosts)
	for i := range options {
		options[i] = sshlab.Options{Services: true, Sudo: true}
	}
	f := sshlab.Start(b, options...)
	subjects := make([]state.Subject, hosts)
	for i, h := range f.Hosts {
		settled(b, h, 7)
		subjects[i] = subjectOf(f, h, sshlab.User, 22, 80, 8080)
		subjects[i].Login.Hash = true
	}
	insider := insiderOf(b, 30*time.Second)
	b.ResetTimer()
	for b.Loop() {
		looks := insider.Look(b.Context(), subjects)
		complete, facts := 0, 0
		for _, look := range looks {
			if look.Complete() && len(look.Listeners) == 7 && look.Root {
				complete++
			}
			for _, l := range look.Listeners {
				if l.Process.Known() && l.Process.Package != "" && l.Process.User == "root" && l.Process.SHA256 != "" {
					facts++
				}
			}
		}
		if complete != hosts || facts != 7*hosts {
			b.Fatalf("%d of %d hosts are complete, %d of %d listeners have all facts", complete, hosts, facts, 7*hosts)
		}
	}
	b.ReportMetric(peak(b), "peak-MB")
	runtime.KeepAlive(insider)
}

// peak returns the most memory that this process ever had, in MB (proc(5), VmHWM).
func peak(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib / 1024
}
