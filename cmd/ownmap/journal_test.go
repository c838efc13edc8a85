package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Where stderr goes to systemd's journal each line begins with its priority; elsewhere none does.
func TestJournal(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "ownmap.yaml")
	if err := os.WriteFile(config, []byte("targts: []\n"), 0o602); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(config, 0o602); err != nil { // not left to the umask: who can write it is warned of
		t.Fatal(err)
	}
	run := func(journal func(stat *syscall.Stat_t) string) string {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var stat syscall.Stat_t
		if err := syscall.Fstat(int(write.Fd()), &stat); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("ownmap", "--config", config, "run")
		cmd.Stderr, cmd.Env = write, append(os.Environ(), "JOURNAL_STREAM="+journal(&stat))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = write.Close()
		text, err := io.ReadAll(read)
		if err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // fails, as it should
		return string(text)
	}
	ours := run(func(stat *syscall.Stat_t) string { return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino) })
	holds(t, "in the journal", ours, "<3>ownmap: error: "+config+":1: unknown key", "<5>ownmap: hint: nothing was done")
	// A program that a unit starts inherits the variable, also where its stderr goes elsewhere.
	lacks(t, "elsewhere", run(func(stat *syscall.Stat_t) string { return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino+1) }), "<3>", "<5>")
}

// The log says in its level what systemd wants to know, and not the time, which the journal has.
func TestJournalPriorities(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{stderr: &journalWriter{w: &out}, verbose: true}
	log := a.log()
	log.DebugContext(t.Context(), "one\nownmap: error: forged")
	log.InfoContext(t.Context(), "two")
	log.WarnContext(t.Context(), "three", "host", "web\n<0>panic")
	log.ErrorContext(t.Context(), "four")
	fmt.Fprint(a.stderr, "ownmap: warning: five\nownmap: error: six\nseven\n")
	fmt.Fprint(a.stderr, "time=2026-01-02T03:04:05Z level=WARN msg=\"of a worker\"\n")
	want := `<7>level=DEBUG msg="one\nownmap: error: forged"
<6>level=INFO msg=two
<4>level=WARN msg=three host="web\n<0>panic"
<3>level=ERROR msg=four
<4>ownmap: warning: five
<3>ownmap: error: six
<6>seven
<4>time=2026-01-02T03:04:05Z level=WARN msg="of a worker"
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if strings.Contains(out.String(), "\n<0>") {
		t.Error("a host chose a priority")
	}
}
