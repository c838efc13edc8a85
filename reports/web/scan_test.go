package web

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

func TestScan(t *testing.T) {
	t.Parallel()
	withdrawn := make(chan int64, 1)
	p := startRuns(t, func(o *Options) {
		o.Withdraw = func(_ context.Context, run int64) error { withdrawn <- run; return nil }
	})
	post := func(role state.Role, path string, form url.Values, status int, says string) {
		t.Helper()
		response, body := p.ask(t, role, "POST", path, form)
		if response.StatusCode != status || !strings.Contains(body, says) {
			t.Errorf("POST %s %v as %q: %d %s", path, form, role, response.StatusCode, body)
		}
	}
	all, some := url.Values{"what": {"all"}}, url.Values{"only": {" 10.20.0.11,10.20.0.12\n"}}
	post(state.Nobody, "/scan", all, 401, "")
	post(state.Viewer, "/scan", all, 403, "may only read")
	post(state.Admin, "/scan", url.Values{}, 422, "Say what is to be scanned")
	post(state.Admin, "/scan", url.Values{"only": {"10.20.0.11 192.0.2.1<"}}, 422, `value="10.20.0.11 192.0.2.1&lt;"`)
	post(state.Admin, "/scan", url.Values{"only": {strings.Repeat("10.20.0.1 ", 101)}}, 422, "101 targets")
	post(state.Admin, "/scan", url.Values{"only": {strings.Repeat("1", 5000)}}, 422, "too long")
	post(state.Admin, "/scan", all, 303, "")
	post(state.Admin, "/scan", some, 303, "")
	post(state.Admin, "/scan", some, 303, "") // waits already
	list, err := p.book.Requests(t.Context(), 10)
	if err != nil || len(list) != 2 || list[1].Via != "web" || list[1].By != "alice" || strings.Join(list[0].Only, "|") != "10.20.0.11|10.20.0.12" {
		t.Fatalf("requested: %+v, %v", list, err)
	}
	_, body := p.ask(t, state.Viewer, "GET", "/scan?only=10.20.0.7", nil)
	if !strings.Contains(body, "10.20.0.11 10.20.0.12") || !strings.Contains(body, "No worker is there") || strings.Contains(body, "Scan now") || strings.Contains(body, "/scan/cancel") {
		t.Errorf("the page of a viewer: %s", body)
	}
	response, body := p.ask(t, state.Admin, "GET", "/scan?only=10.20.0.7&follow=1", nil)
	if !strings.Contains(body, `value="10.20.0.7"`) || response.Header.Get("Refresh") != "5" {
		t.Errorf("the page of an admin: %v %s", response.Header, body)
	}

	post(state.Viewer, "/scan/cancel", url.Values{"request": {"1"}}, 403, "")
	post(state.Admin, "/scan/cancel", url.Values{}, 422, "It is not said")
	post(state.Admin, "/scan/cancel", url.Values{"request": {"1"}, "run": {"1"}}, 422, "It is not said")
	if response, body := p.ask(t, state.Admin, "GET", "/scan/cancel?request=1", nil); response.StatusCode != 200 || !strings.Contains(body, "Cancel request 1?") {
		t.Errorf("asked to confirm: %d %s", response.StatusCode, body)
	}
	post(state.Admin, "/scan/cancel", url.Values{"request": {"1"}}, 303, "")
	post(state.Admin, "/scan/cancel", url.Values{"request": {"1"}}, 409, "waits no more")
	run := begun(t, p)
	post(state.Admin, "/scan/cancel", url.Values{"run": {"2"}}, 409, "Run 2 is not under way")
	post(state.Admin, "/scan/cancel", url.Values{"run": {"3"}}, 303, "")
	post(state.Admin, "/scan/cancel", url.Values{"run": {"3"}}, 409, "Run 3 is not under way")
	if got := <-withdrawn; got != run.ID {
		t.Errorf("withdrew run %d", got)
	}
	lines, err := p.book.Audit(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	var audit []string
	for _, l := range lines {
		audit = append(audit, l.Actor+" "+l.Via+" "+l.Action+" "+l.Subject)
	}
	if got, want := strings.Join(audit, "; "), "alice web scan-cancel run 3; alice web scan-cancel request 1; alice web scan-request 10.20.0.11 10.20.0.12; alice web scan-request 10.20.0.11 10.20.0.12"; got != want {
		t.Errorf("audit: %s", got)
	}
}

// TestStream holds what a stream tells, to how many, and when it ends.
func TestStream(t *testing.T) {
	t.Parallel()
	stopping := make(chan struct{})
	p := startRuns(t, func(o *Options) { o.Stopping = stopping })
	open := func() *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/scan/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Test-Role", "viewer")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response
	}
	first := open()
	if first.Header.Get("Content-Type") != "text/event-stream" || first.Header.Get("X-Accel-Buffering") != "no" || first.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", first.Header)
	}
	lines := bufio.NewScanner(first.Body)
	next := func(holds string) {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data: ") && strings.Contains(lines.Text(), holds) {
				return
			}
		}
		t.Fatalf("the stream ended before %q: %v", holds, lines.Err())
	}
	next(`"shape":""`)
	if _, err := p.book.Request(t.Context(), state.ScanRequest{By: "bob", Via: "web"}); err != nil {
		t.Fatal(err)
	}
	next(`"shape":", 1 false"`)
	others := make([]*http.Response, 0, streamsOfOne)
	for range streamsOfOne - 1 {
		others = append(others, open())
	}
	for _, other := range others {
		if other.StatusCode != 200 {
			t.Errorf("another stream: %d", other.StatusCode)
		}
	}
	if late := open(); late.StatusCode != http.StatusServiceUnavailable || late.Header.Get("Retry-After") != "60" {
		t.Errorf("one stream too many: %d", late.StatusCode)
	}
	if response, _ := p.ask(t, state.Viewer, "HEAD", "/scan/events", nil); response.StatusCode != 200 {
		t.Errorf("HEAD: %d", response.StatusCode)
	}
	close(stopping)
	for _, stream := range append(others, first) {
		ended := make(chan error, 1)
		go func() {
			_, err := bufio.NewReader(stream.Body).WriteTo(nowhere{})
			ended <- err
		}()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("a stream broke: %v", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("a stream does not end")
		}
	}
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

func TestPace(t *testing.T) {
	t.Parallel()
	var p pace
	begin := time.Unix(1e9, 0)
	for _, step := range []struct {
		progress *state.ScanProgress
		after    time.Duration
		want     string
	}{
		{nil, 0, ""},
		{&state.ScanProgress{RunID: 1, Work: state.WorkPorts, Fraction: .1}, 0, ""},
		{&state.ScanProgress{RunID: 1, Work: state.WorkPorts, Fraction: .2}, time.Second, ""},
		{&state.ScanProgress{RunID: 1, Work: state.WorkPorts, Fraction: .2}, 10 * time.Second, "About 2 min left."},
		{&state.ScanProgress{RunID: 1, Work: state.WorkPorts, Fraction: .9}, 10 * time.Second, "About 2 s left."},
		{&state.ScanProgress{RunID: 1, Work: state.WorkPorts, Fraction: 1}, 10 * time.Second, ""},
		{&state.ScanProgress{RunID: 1, Work: state.WorkConfirm, Fraction: .5}, 20 * time.Second, ""},
		{&state.ScanProgress{RunID: 2, Work: state.WorkConfirm, Fraction: .6}, 30 * time.Second, ""},
	} {
		if got := p.left(step.progress, begin.Add(step.after)); got != step.want {
			t.Errorf("%+v after %v: %q, want %q", step.progress, step.after, got, step.want)
		}
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	p := startRuns(t, nil)
	if _, body := p.ask(t, state.Viewer, "GET", "/deliveries", nil); !strings.Contains(body, "Nothing waits to be delivered") {
		t.Errorf("without messages: %s", body)
	}
	post := func(role state.Role, path string, form url.Values, status int, says string) {
		t.Helper()
		response, body := p.ask(t, role, "POST", path, form)
		if response.StatusCode != status || !strings.Contains(body, says) {
			t.Errorf("POST %s %v as %q: %d %s", path, form, role, response.StatusCode, body)
		}
	}
	post(state.Viewer, "/deliveries/test", url.Values{"channel": {"ops-mail"}}, 403, "")
	post(state.Admin, "/deliveries/test", url.Values{"channel": {"nosuch"}}, 422, "no such channel")
	post(state.Admin, "/deliveries/test", url.Values{"channel": {"ops-mail"}}, 303, "")
	list, err := p.book.Deliveries(t.Context(), 0)
	if err != nil || len(list) != 2 || list[0].Kind != state.MessageTest || list[0].Recipient != "ops@example.org" || !strings.Contains(strings.Join(list[0].Lines, " "), "alice") {
		t.Fatalf("queued: %+v, %v", list, err)
	}
	now := time.Now()
	if _, err := p.book.Deliver(t.Context(), "ops-mail", now, func(context.Context, string, state.Delivery) state.Settlement {
		return state.Settlement{At: now, Parked: true, Error: "550 no <such> user"}
	}); err != nil {
		t.Fatal(err)
	}
	_, body := p.ask(t, state.Viewer, "GET", "/deliveries", nil)
	for _, part := range []string{"2 messages wait", "550 no &lt;such&gt; user", "ops-mail (dave@example.org)", "was refused for good"} {
		if !strings.Contains(body, part) {
			t.Errorf("%q is not in %s", part, body)
		}
	}
	if strings.Contains(body, "<form method=\"post\" action=\"/deliveries") {
		t.Error("a viewer is offered to change something")
	}
	post(state.Viewer, "/deliveries/retry", url.Values{"id": {"1"}}, 403, "")
	post(state.Admin, "/deliveries/retry", url.Values{"id": {"1"}}, 303, "")
	post(state.Admin, "/deliveries/retry", url.Values{"id": {"x"}}, 422, "which message")
	post(state.Admin, "/deliveries/drop", url.Values{"id": {"1"}}, 303, "")
	post(state.Admin, "/deliveries/drop", url.Values{"id": {"1"}}, 409, "waits no more")
	if response, body := p.ask(t, state.Admin, "GET", "/deliveries/drop?all=1", nil); response.StatusCode != 200 || !strings.Contains(body, "Drop all messages that wait?") {
		t.Errorf("asked to confirm: %d %s", response.StatusCode, body)
	}
	post(state.Admin, "/deliveries/retry", url.Values{"all": {"1"}}, 303, "")
	post(state.Admin, "/deliveries/drop", url.Values{"all": {"1"}}, 303, "")
	if waiting, parked, err := p.book.DeliveriesWaiting(t.Context()); err != nil || waiting+parked != 0 {
		t.Errorf("%d wait, %d are parked, %v", waiting, parked, err)
	}
}
