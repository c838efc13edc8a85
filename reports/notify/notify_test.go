package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

const (
	canary = "ACanaryS3cretXY" // fits Gotify, too: 15 characters from A
	quick  = 60 * time.Millisecond
)

// server is a service on loopback; it remembers what it was asked.
type server struct {
	*httptest.Server

	mu     sync.Mutex
	bodies []string
	asked  []*http.Request
}

func serve(t *testing.T, answer http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.bodies, s.asked = append(s.bodies, string(body)), append(s.asked, r)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// kind is a service of the tests: what its URL is and what a good answer of it looks like.
type kind struct{ url, ok string }

// secret is what of the URL must not be shown: of Telegram's token the part that is one.
func (k kind) secret() string {
	if strings.HasPrefix(k.url, "telegram") {
		return "AAAAAAAA" + canary + "-AAAAAAAAAAA"
	}
	return canary
}

func kinds() map[string]kind {
	return map[string]kind{
		"ntfy":       {"ntfy://alice:" + canary + "@%s/alerts?scheme=http", `{"id":"x","event":"message"}`},
		"gotify":     {"gotify://%s/" + canary + "?disabletls=yes", `{"id":1}`},
		"mattermost": {"mattermost://ownmap@%s/" + canary + "/town-square?disabletls=yes", "ok"},
		"telegram":   {"telegram://123456789:AAAAAAAA" + canary + "-AAAAAAAAAAA@telegram?chats=-100123,@ops", `{"ok":true,"result":{}}`},
		"matrix":     {"matrix://:" + canary + "@%s/?rooms=!abc:example.org&disableTLS=yes", `{"event_id":"$x","room_id":"!abc:example.org"}`},
	}
}

func channel(t *testing.T, k kind, s *server, timeout time.Duration) *Channel {
	t.Helper()
	url := k.url
	if strings.Contains(url, "%s") {
		url = fmt.Sprintf(url, strings.TrimPrefix(s.URL, "http://"))
	}
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	c, err := New(Options{URL: state.NewSecret(url), Timeout: timeout, TelegramURL: s.URL, Render: func(m state.Message) (string, error) { return m.Title + "\nsecond line", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// faultOf says how a fault is to be taken, and holds that no secret is in it.
func faultOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "nil"
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if text := fmt.Sprintf("%v %+v %#v", inner, inner, inner); strings.Contains(text, canary) || strings.Contains(text, "://") || strings.Contains(text, "alice") {
			t.Errorf("the secret is in %s", text)
		}
	}
	var e *state.SendError
	if !errors.As(err, &e) {
		t.Fatalf("%T: %v", err, err)
	}
	switch {
	case e.Permanent && (e.Unreachable || e.After > 0):
		t.Errorf("permanent and not: %+v", e)
	case e.Permanent:
		return "permanent"
	case e.Unreachable:
		return "unreachable"
	case e.After > 0:
		return "after " + e.After.String()
	}
	return "again"
}

var message = state.Message{ID: "m1", Title: "▲ 3 changes"}

func TestSend(t *testing.T) {
	t.Parallel()
	for name, k := range kinds() {
		for _, tc := range []struct {
			what, want, text string
			answer           http.HandlerFunc
		}{
			{"ok", "nil", "", answer(200, k.ok)},
			{"bad request", "permanent", "status 400", answer(400, `{"error":"no `+k.secret()+` \u202e <b>"}`)},
			{"not found", "permanent", "status 404", answer(404, "gone "+k.secret())},
			{"wrong password", "unreachable", "status 401", answer(401, `{"errcode":"M_UNKNOWN_TOKEN","error":"`+k.secret()+`"}`)},
			{"rate", "after 7s", "status 429", answer(429, "{}", "Retry-After", "7")},
			{"broken", "unreachable", "status 500", answer(500, "<html>"+k.secret())},
			{"redirect", "unreachable", "status 302", answer(302, "", "Location", "http://169.254.169.254/"+canary)},
		} {
			if name == "matrix" && tc.what != "ok" && tc.what != "broken" && tc.what != "not found" {
				continue // shoutrrr gives it no client of ours: the status is read from words, where there are any
			}
			s := serve(t, tc.answer)
			err := channel(t, k, s, 0).Send(t.Context(), message)
			if got := faultOf(t, err); got != tc.want || err != nil && (!strings.Contains(err.Error(), tc.text) || !strings.HasPrefix(err.Error(), name+": ")) {
				t.Errorf("%s, %s: %s: %v", name, tc.what, got, err)
			}
			if want := map[bool]int{true: 2, false: 1}[tc.what == "ok" && name == "telegram"]; s.requests() != want && name != "matrix" {
				t.Errorf("%s, %s: %d requests", name, tc.what, s.requests())
			}
			if tc.what == "ok" && !strings.Contains(strings.Join(s.bodies, " "), "▲ 3 changes") {
				t.Errorf("%s got %q", name, s.bodies)
			}
		}
	}
}

// TestNobodyAnswers holds that a service that cannot be reached is never a success, and
// that Send ends in time.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	gone := serve(t, answer(200, "{}"))
	gone.Close()
	for name, k := range kinds() {
		release := make(chan struct{})
		s := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
		c := channel(t, k, s, quick)
		if name == "matrix" {
			close(release)
			continue
		}
		err := c.Send(t.Context(), message)
		if got := faultOf(t, err); got != "unreachable" {
			t.Errorf("%s hangs: %s: %v", name, got, err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.Send(ended, message); !errors.Is(err, context.Canceled) || faultOf(t, err) != "again" {
			t.Errorf("%s, cancelled: %v", name, err)
		}
		close(release)
		err = channel(t, k, gone, 0).Send(t.Context(), message)
		if got := faultOf(t, err); got != "unreachable" {
			t.Errorf("%s refused: %s: %v", name, got, err)
		}
	}
	// shoutrrr's zulip fails where nobody answers; its matrix cannot be watched.
	for name, url := range map[string]string{"zulip": "zulip://bot%40example.org:" + canary + "@127.0.0.1:1/?stream=ops&topic=ownmap", "matrix": "matrix://:" + canary + "@127.0.0.1:1/?rooms=!abc:example.org&disableTLS=yes"} {
		err := channel(t, kind{url: url}, gone, 0).Send(t.Context(), message)
		if got := faultOf(t, err); got != "again" && got != "unreachable" {
			t.Errorf("%s: %s: %v", name, got, err)
		}
	}
}

// TestLate holds that a try that outlives its Send counts, and is not doubled.
func TestLate(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	k := kinds()["matrix"] // which knows no context
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		<-release
		answer(200, k.ok)(w, r)
	})
	c := channel(t, k, s, quick)
	for range 2 {
		if got := faultOf(t, c.Send(t.Context(), message)); got != "unreachable" {
			t.Error(got)
		}
	}
	if s.requests() != 1 {
		t.Errorf("%d requests while the first waits", s.requests())
	}
	close(release)
	c.options.Timeout = 5 * time.Second
	if err := c.Send(t.Context(), message); err != nil {
		t.Error(err)
	}
	if sent := strings.Count(strings.Join(s.bodies, " "), "3 changes"); sent != 1 {
		t.Errorf("sent %d times", sent)
	}
	if err := c.Send(t.Context(), state.Message{ID: "m2", Title: "next"}); err != nil {
		t.Error(err)
	}
	if sent := strings.Count(strings.Join(s.bodies, " "), "next"); sent != 1 {
		t.Errorf("the next was sent %d times", sent)
	}
}

// roundTrip is a client's transport that answers itself: for services whose address is
// fixed.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestParams holds what services are told beside the text: one message and not one for
// each line, and what keeps a repeated try from being a second alert.
func TestParams(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"discord://" + canary + "@123456789":                                                 `"content":"▲ 3 changes\nsecond line"`,
		"pagerduty://events.pagerduty.com/eb243592faa24ba2a5511afdf565c889":                  `"dedup_key":"m1"`,
		"pagerduty://events.pagerduty.com/eb243592faa24ba2a5511afdf565c889?dedup_key=my-own": `"dedup_key":"my-own"`,
		"pushover://:" + canary + "@alice":                                                   "second",
	} {
		body, calls := "", 0
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			calls++
			data, _ := io.ReadAll(r.Body)
			body = string(data)
			return &http.Response{StatusCode: 200 + calls - 1, Status: "200 OK", Body: io.NopCloser(strings.NewReader("{}")), Header: http.Header{}, Request: r}, nil
		})}
		c, err := New(Options{URL: state.NewSecret(url), Client: client, Timeout: time.Second, Render: func(m state.Message) (string, error) { return m.Title + "\nsecond line", nil }})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(t.Context(), message); err != nil || calls != 1 || !strings.Contains(body, want) {
			t.Errorf("%.12s: %v, %d calls: %s", url, err, calls, body)
		}
	}
	for _, status := range []int{429, 503} { // Discord's own retries would go on for a minute
		calls := 0
		client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			calls++
			return &http.Response{StatusCode: status, Status: "no", Body: io.NopCloser(strings.NewReader(`{"message":"slow"}`)), Header: http.Header{"Retry-After": {"1.5"}}, Request: r}, nil
		})}
		c, _ := New(Options{URL: state.NewSecret("discord://" + canary + "@123456789"), Client: client, Timeout: time.Second, Render: func(state.Message) (string, error) { return "x", nil }})
		if got := faultOf(t, c.Send(t.Context(), message)); calls != 1 || got != map[int]string{429: "after 1.5s", 503: "unreachable"}[status] {
			t.Errorf("%d: %d calls, %s", status, calls, got)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, k := range kinds() {
		if err := Check(state.NewSecret(strings.ReplaceAll(k.url, "%s", "example.org"))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for url, want := range map[string]string{
		"generic://example.org/" + canary:          "type webhook",
		"generic+https://example.org/" + canary:    "type webhook",
		"slack://hook:" + canary + "@webhook":      "type slack",
		"smtp://alice:" + canary + "@example.org/": "type email",
		"logger://":                "no delivery",
		"script://" + canary:       "does not begin with a service",
		"exec:///bin/sh?" + canary: "does not begin with a service",
		canary:                     "does not begin with a service",
		"":                         "does not begin with a service",
		"telegram://" + canary + ":alice@telegram?chats=@ops":          "telegram:// URL cannot be used",
		"gotify://example.org/short-" + canary + "?nonsense=" + canary: "gotify:// URL cannot be used",
		"ntfy://alice:" + canary + "@example.org/x?priority=" + canary: "ntfy:// URL cannot be used",
		"ntfy://alice:" + canary + "@exa mple.org/\x00":                "ntfy:// URL cannot be used",
		"ntfy+https://" + canary + "@example.org/x":                    "ntfy:// URL cannot be used",
		"discord://" + canary:        "discord:// URL cannot be used",
		"matrix://" + canary + "%zz": "matrix:// URL cannot be read",
		"teams://" + canary + "@alice/" + canary + "/" + canary + "?x=%zz": "teams:// URL cannot be used",
	} {
		for _, err := range []error{Check(state.NewSecret(url)), func() error { _, err := New(Options{URL: state.NewSecret(url)}); return err }()} {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "alice") || strings.Contains(err.Error(), "example.org") {
				t.Errorf("%.20q: %v", url, err)
			}
		}
	}
	if _, err := New(Options{URL: state.NewSecret("ntfy://example.org/x")}); err == nil {
		t.Error("nothing renders")
	}
}

// TestLimits holds that no text is longer than its service shows, whoever made it, and
// that each scheme is one that shoutrrr knows.
func TestLimits(t *testing.T) {
	t.Parallel()
	for scheme, limit := range limits() {
		if got := LimitOf(state.NewSecret(strings.ToUpper(scheme) + "+https://x")); got != limit || limit == (Limit{}) {
			t.Errorf("%s: %+v", scheme, got)
		}
		if err := Check(state.NewSecret(scheme + "://")); err != nil && strings.Contains(err.Error(), "unknown service") {
			t.Error(err)
		}
		for _, text := range []string{strings.Repeat("a", 50_000), strings.Repeat("界", 50_000), strings.Repeat("🔥", 50_000)} {
			got := cut(text, limit)
			if n := utf8.RuneCountInString(got); limit.Characters > 0 && n > limit.Characters || limit.Bytes > 0 && len(got) > limit.Bytes || !strings.HasSuffix(got, "…") || n < 500 {
				t.Errorf("%s: %d characters, %d bytes", scheme, n, len(got))
			}
		}
	}
	k := kinds()["ntfy"]
	s := serve(t, answer(200, k.ok))
	c := channel(t, k, s, 0)
	c.options.Render = func(state.Message) (string, error) { return strings.Repeat("é", 9000), nil }
	if err := c.Send(t.Context(), message); err != nil || len(s.bodies[0]) > 4096 {
		t.Errorf("%v, %d bytes", err, len(s.bodies[0]))
	}
	c.options.Render = func(state.Message) (string, error) { return "", errors.New("template " + canary) }
	if got := faultOf(t, c.Send(t.Context(), message)); got != "again" {
		t.Error(got)
	}
}

// TestTelegram holds what Telegram is sent: no parse mode, a thread, all chats.
func TestTelegram(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(200, `{"ok":true}`))
	c := channel(t, kind{url: "telegram://123456789:AAAAAAAA" + canary + "-AAAAAAAAAAA@telegram?chats=@ops:7&parsemode=HTML&title=x&notification=no"}, s, 0)
	if err := c.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(s.bodies[0]), &body); err != nil || body["chat_id"] != "@ops" || body["message_thread_id"] != 7.0 || body["parse_mode"] != nil || body["disable_notification"] != true {
		t.Errorf("%v: %s", err, s.bodies[0])
	}
	for reply, want := range map[string]string{
		`{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}`: "after 5s",
		`{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`:                                     "permanent",
	} {
		status := map[string]int{"after 5s": 429, "permanent": 400}[want]
		s := serve(t, answer(status, reply))
		err := channel(t, kinds()["telegram"], s, 0).Send(t.Context(), message)
		if got := faultOf(t, err); got != want {
			t.Errorf("%s: %v", got, err)
		}
	}
	for _, reply := range []string{`{"ok":false}`, "<html>sign in</html>", ""} {
		s := serve(t, answer(200, reply))
		if err := channel(t, kinds()["telegram"], s, 0).Send(t.Context(), message); faultOf(t, err) != "again" {
			t.Errorf("%q: %v", reply, err)
		}
	}
}
