package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

// served is a running `ownmap serve`.
type served struct {
	wishes

	cmd   *exec.Cmd
	url   string
	link  string // that lets the first one in
	token string
}

// serve starts the page on a port of its own choice, for somebody with an admin's token.
func (d wishes) serve(t *testing.T, args ...string) served {
	t.Helper()
	s := served{wishes: d, token: "ownmap_" + strings.Repeat("x", 40)}
	h := d.open(t)
	sum := sha256.Sum256([]byte(s.token))
	_, err := h.book.AddAPIToken(t.Context(), sum[:], state.APIToken{Name: "test", Role: state.Admin, By: "alice", CreatedAt: time.Now()}, state.Actor{Name: "alice", Via: "cli"})
	if err != nil && !errors.Is(err, state.ErrTokenTaken) {
		t.Fatal(err)
	}
	s.cmd = d.command(context.WithoutCancel(t.Context()), append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	out, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(s.cmd) })
	told := make(chan string, 2)
	go func() {
		where := regexp.MustCompile(`(?:is at|link can:) (https?://\S+)`)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if found := where.FindStringSubmatch(lines.Text()); found != nil {
				told <- strings.TrimRight(found[1], "/,")
			}
		}
		close(told)
	}()
	for _, into := range []*string{&s.url, &s.link} {
		select {
		case *into = <-told:
		case <-time.After(time.Minute):
		}
		if *into == "" {
			t.Fatal("the page does not say where it is")
		}
	}
	return s
}

// ask sends a request as alice and returns the answer, whose body the caller closes.
func (s served) ask(t *testing.T, method, path string, form url.Values) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// read is ask for a body.
func (s served) read(t *testing.T, path string) (int, string) {
	t.Helper()
	response := s.ask(t, "GET", path, nil)
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// post sends a form that leads to another page.
func (s served) post(t *testing.T, path string, form url.Values) {
	t.Helper()
	response := s.ask(t, "POST", path, form)
	if text, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusSeeOther {
		t.Fatalf("POST %s %v: %d %s", path, form, response.StatusCode, text)
	}
}

// slow makes scans slow enough to be caught at it.
func (d wishes) slow(t *testing.T) {
	t.Helper()
	config, err := os.OpenFile(filepath.Join(d.dir, "ownmap.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.WriteString("scan: {rate: 10}\n")
	if err := errors.Join(err, config.Close()); err != nil {
		t.Fatal(err)
	}
}

// child returns the process of the worker beside the page; 0: there is none.
func (s served) child() int {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/task/" + strconv.Itoa(s.cmd.Process.Pid) + "/children")
	lists, _ := filepath.Glob("/proc/" + strconv.Itoa(s.cmd.Process.Pid) + "/task/*/children")
	for _, list := range lists {
		if more, err := os.ReadFile(list); err == nil {
			text = append(text, more...)
		}
	}
	for word := range strings.FieldsSeq(string(text)) {
		pid, _ := strconv.Atoi(word)
		if line, _ := os.ReadFile("/proc/" + word + "/cmdline"); strings.HasSuffix(string(line), "\x00worker\x00") {
			return pid
		}
	}
	return 0
}

// runs says whether a process is there that is no zombie.
func runs(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, _ := strings.Cut(string(text), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

// TestServe asks for a scan on the page, watches it and cancels it; it ends while somebody
// watches, and when it is killed nothing of it is left.
func TestServe(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "127.9.14")
	d.slow(t)
	s := d.serve(t)
	if status, body := s.read(t, "/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %s", status, body)
	}
	if response, err := http.Get(s.url + "/runs"); err != nil || response.Request.URL.Path == "/runs" {
		t.Errorf("the runs to nobody: %v", err)
	} else {
		_ = response.Body.Close()
	}
	waitFor(t, 30*time.Second, "the worker", func() bool {
		_, body := s.read(t, "/scan")
		return strings.Contains(body, "Takes requests") && !strings.Contains(body, "No worker is there")
	})
	worker := s.child()
	if worker == 0 {
		t.Fatal("the worker is no process of its own")
	}
	if response := s.ask(t, "POST", "/scan", url.Values{"only": {"192.0.2.1"}}); response.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("what is no target: %d", response.StatusCode)
	} else if text, _ := io.ReadAll(response.Body); !strings.Contains(string(text), "192.0.2.1 is not a target; add it with") {
		t.Errorf("what is no target: %s", text)
	}
	s.post(t, "/scan", url.Values{"what": {"all"}})
	stream := s.ask(t, "GET", "/scan/events", nil)
	if kind := stream.Header.Get("Content-Type"); stream.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("the stream: %d %s", stream.StatusCode, kind)
	}
	events := bufio.NewScanner(stream.Body)
	told := func(what string, is func(string) bool) {
		t.Helper()
		for events.Scan() {
			if line := events.Text(); strings.HasPrefix(line, "data: ") && is(line) {
				return
			}
		}
		t.Fatalf("the stream ends before %s: %v", what, events.Err())
	}
	told("the run is under way", func(line string) bool { return strings.Contains(line, "Scanned 0 of 2 hosts") })
	progress := regexp.MustCompile(`"percent":(\d+)`)
	told("it moves", func(line string) bool {
		found := progress.FindStringSubmatch(line)
		return found != nil && found[1] != "0" && found[1] != "100"
	})
	s.post(t, "/scan/cancel", url.Values{"run": {"1"}})
	told("the request is over", func(line string) bool { return !strings.Contains(line, "run 1") && strings.Contains(line, "; 1") })
	if w := d.outcome(t, 1); !w.finished || w.by != "alice" || !strings.Contains(w.fault, "run 1 was cancelled by alice") {
		t.Errorf("the cancelled request: %+v", w)
	}
	d.noNmapLeft(t)
	if response := s.ask(t, "POST", "/scan/cancel", url.Values{"run": {"1"}}); response.StatusCode != http.StatusConflict {
		t.Errorf("cancelled twice: %d", response.StatusCode)
	}
	if status, text := s.read(t, "/metrics"); status != 200 || !strings.Contains(text, `ownmap_http_requests_total{code="3xx",method="POST",route="/scan"} 1`) || strings.Contains(text, "ownmap_run_number") {
		t.Errorf("metrics: %d %s", status, text)
	}

	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("a graceful stop: %v", err)
	}
	for events.Scan() { // to its end
	}
	t.Logf("stopped within %v", time.Since(began))
	if runs(worker) {
		t.Error("the worker is left")
	}

	s = d.serve(t)
	s.post(t, "/scan", url.Values{"only": {"127.9.14.1"}})
	waitFor(t, 60*time.Second, "an nmap", d.nmapRuns)
	worker = s.child()
	kill(s.cmd)
	waitFor(t, 5*time.Second, "the worker to be gone", func() bool { return !runs(worker) })
	d.noNmapLeft(t)
	if worker == 0 {
		t.Error("no worker was seen")
	}
}
