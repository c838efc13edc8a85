package scan

import (
	"strings"
	"sync"
)

// maxStderr is how much of nmap's standard error is kept, in bytes.
const maxStderr = 64 << 10

// tail is a writer that never fails and keeps the end of what it was given.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b[max(0, len(b)-maxStderr):]...)
	if over := len(t.text) - maxStderr; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// lastLine returns the last line of nmap's standard error that says something.
// Its warnings about -Pn and large groups come with every scan.
func lastLine(text string) string {
	last := ""
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case line == "", line == "QUITTING!", strings.HasPrefix(line, "Host discovery disabled"),
			strings.HasPrefix(line, "Warning:"), strings.HasPrefix(line, "WARNING:"):
		default:
			last = line
		}
	}
	return last
}
