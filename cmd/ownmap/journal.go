package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/coreos/go-systemd/v22/journal"
)

// The priorities of lines in the journal, as sd-daemon(3) and syslog(3) have them.
const (
	priorityError   = "<3>"
	priorityWarning = "<4>"
	priorityNotice  = "<5>"
	priorityInfo    = "<6>"
	priorityDebug   = "<7>"
)

// errorStream returns what this program writes its errors, warnings and log to: stderr,
// and where that goes to systemd's journal (systemd.exec(5), $JOURNAL_STREAM) each line
// with its priority in front, so that `journalctl -p warning` finds what it should.
func errorStream() io.Writer {
	if ours, err := journal.StderrIsJournalStream(); err != nil || !ours {
		return os.Stderr
	}
	return &journalWriter{w: os.Stderr}
}

// journalWriter puts its priority before each line. Lines come whole: each is one write of
// the program, or of the worker that it started.
type journalWriter struct{ w io.Writer }

// Write writes lines.
func (j *journalWriter) Write(text []byte) (int, error) {
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		out.WriteString(priority(line))
		out.Write(line)
	}
	if _, err := j.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(text), nil
}

// priority tells the priority of a line by how it begins. What a scanned host says is never
// at the beginning of one.
func priority(line []byte) string {
	text := string(line)
	if rest, ok := strings.CutPrefix(text, "time="); ok { // of a worker that the web page started
		_, text, _ = strings.Cut(rest, " ")
	}
	for _, known := range []struct{ begin, priority string }{
		{"ownmap: error: ", priorityError},
		{"ownmap: warning: ", priorityWarning},
		{"ownmap: hint: ", priorityNotice},
		{"level=ERROR ", priorityError},
		{"level=WARN ", priorityWarning},
		{"level=INFO ", priorityInfo},
		{"level=DEBUG ", priorityDebug},
	} {
		if strings.HasPrefix(text, known.begin) {
			return known.priority
		}
	}
	return priorityInfo
}

// logHandler writes a log as lines of key=value (logfmt). The journal knows the time itself.
func (a *app) logHandler(level slog.Level) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if _, ok := a.stderr.(*journalWriter); ok {
		options.ReplaceAttr = func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) == 0 && attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		}
	}
	return slog.NewTextHandler(a.stderr, options)
}
