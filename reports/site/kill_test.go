package site

import (
	"bufio"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"ownmap/pipeline/lab/demo"
)

// killEnv makes a process of this test publish two nights in turn until it is killed.
const killEnv = "OWNMAP_SITE_KILL"

const nightA, nightB = 45, 48

func publishUntilKilled(dir string) error {
	a, b := demo.Nights(allNights).At(nightA), demo.Nights(allNights).At(nightB)
	for i := 0; ; i++ {
		night, report := nightA, a
		if i%2 == 0 {
			night, report = nightB, b
		}
		if err := New(Options{Dir: dir, Source: until(night), Formats: formats()}).Write(context.Background(), report); err != nil {
			return err
		}
		if _, err := os.Stdout.WriteString("published\n"); err != nil {
			return err
		}
	}
}

// TestKilledPublisherLeavesAWholeArchive kills a publisher 30 times, at any moment: what
// is there is one of the two archives, and the next publish comes to its end.
func TestKilledPublisherLeavesAWholeArchive(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	wantA, wantB := fresh(t, nightA), fresh(t, nightB)
	dir := newDir(t)
	write(t, siteOf(dir, nightA), nightA)
	rng := rand.New(rand.NewPCG(5, 1))
	left := map[string]int{}
	for i := range 30 {
		cmd := exec.Command(self, dir)
		cmd.Env = append(os.Environ(), killEnv+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		begin := time.Now()
		lines.Scan() // it publishes
		took := min(time.Since(begin), time.Second)
		lines.Scan()
		time.Sleep(time.Duration(rng.Int64N(int64(took)/2 + 1)))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		switch got := files(t, dir); {
		case len(differing(wantA, got)) == 0:
			left["A"]++
		case len(differing(wantB, got)) == 0:
			left["B"]++
		default:
			t.Fatalf("kill %d left neither archive: against A %q, against B %q", i, differing(wantA, got), differing(wantB, got))
		}
		if i%5 == 0 {
			write(t, siteOf(dir, nightA), nightA)
			if d := differing(wantA, files(t, dir)); len(d) > 0 {
				t.Fatalf("after kill %d: %q", i, d)
			}
		}
	}
	if left["A"] == 0 || left["B"] == 0 {
		t.Errorf("all kills left the same archive: %v", left)
	}
}
