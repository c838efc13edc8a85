package pdf

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ownmap/pipeline/lab/demo"
)

// TestMain lets the test binary be a program that writes one PDF and says what that
// took, so that nothing else counts.
func TestMain(m *testing.M) {
	if size := os.Getenv("OWNMAP_PDF_ROWS"); size != "" {
		measure(size)
		return
	}
	m.Run()
}

// measure writes a PDF of "ROWS INVENTORY NIGHT" and prints processor seconds, the peak of
// the memory in MB, how much of it came with the PDF, and bytes. In the first night
// nothing is approved; in the second most is, and the trend is drawn.
func measure(size string) {
	var rows, inventory, night int
	if _, err := fmt.Sscan(size, &rows, &inventory, &night); err != nil {
		panic(err)
	}
	report := demo.Large(rows/10, 10, night).At(night)
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // proc(5): forgets the peak so far
		panic(err)
	}
	before, held := cpu(), memory("VmRSS:")
	var out bytes.Buffer
	if err := New(Options{Inventory: inventory}).Write(&out, report); err != nil {
		panic(err)
	}
	peak := memory("VmHWM:")
	fmt.Println(cpu()-before, peak, peak-held, out.Len())
	runtime.KeepAlive(report)
}

// memory returns a line of proc_pid_status(5) in MB.
func memory(line string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, after, _ := strings.Cut(string(status), line)
	kilobytes, _ := strconv.Atoi(strings.Fields(after)[0])
	return float64(kilobytes) / 1024
}

// cpu is the processor time of this process so far, in seconds.
func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// BenchmarkWrite measures a PDF in a process of its own: processor time, peak memory
// with the report in it, and what was added to the memory that held the report alone.
func BenchmarkWrite(b *testing.B) {
	for _, c := range []struct{ name, size string }{{"1k", "1000 0 1"}, {"10k", "10000 0 1"}, {"50k-capped", "50000 2000 1"}, {"50k-capped-approved", "50000 2000 2"}, {"50k", "50000 0 1"}} {
		b.Run(c.name, func(b *testing.B) {
			var seconds, peak, added, size float64
			for b.Loop() {
				cmd := exec.CommandContext(b.Context(), os.Args[0])
				cmd.Env = append(os.Environ(), "OWNMAP_PDF_ROWS="+c.size)
				out, err := cmd.Output()
				if err != nil {
					b.Fatal(err)
				}
				var s, mb, more, bytes float64
				if _, err := fmt.Sscan(string(out), &s, &mb, &more, &bytes); err != nil {
					b.Fatal(err)
				}
				seconds, peak, added, size = seconds+s, max(peak, mb), max(added, more), bytes
			}
			b.ReportMetric(seconds/float64(b.N), "cpu-s")
			b.ReportMetric(peak, "peak-MB")
			b.ReportMetric(added, "added-MB")
			b.ReportMetric(size/1e6, "file-MB")
		})
	}
}
