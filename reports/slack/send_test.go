package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/state"
)

const (
	canary = "xoxbCANARY0123456789secret"
	quick  = 60 * time.Millisecond // a time-out of the tests
)

// asked is a request that the server got.
type asked struct {
	method string // of Slack's API, or "webhook" or "upload"
	form   map[string]string
	body   string
}

// server has the shape of Slack's API on loopback: the incoming webhook, chat.postMessage
// and the three steps of an upload.
type server struct {
	*httptest.Server

	mu     sync.Mutex
	got    []asked
	answer func(w http.ResponseWriter, a asked) // nil, or what it does in place of ok
}

func serve(t *testing.T, answer func(w http.ResponseWriter, a asked)) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := asked{method: strings.TrimPrefix(r.URL.Path, "/api/"), form: map[string]string{}}
	switch {
	case strings.HasPrefix(r.URL.Path, "/services/"):
		a.method = "webhook"
		body, _ := io.ReadAll(r.Body)
		a.body = string(body)
	case r.URL.Path == "/upload":
		a.method = "upload"
		file, _, err := r.FormFile("file")
		if err == nil {
			body, _ := io.ReadAll(file)
			a.body = string(body)
		}
	default:
		_ = r.ParseForm()
		for key := range r.Form {
			a.form[key] = r.Form.Get(key)
		}
	}
	s.mu.Lock()
	s.got = append(s.got, a)
	n, answer := len(s.got), s.answer
	s.mu.Unlock()
	if answer != nil {
		answered := &watched{ResponseWriter: w}
		if answer(answered, a); answered.done {
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	switch a.method {
	case "webhook":
		_, _ = io.WriteString(w, "ok")
	case "chat.postMessage":
		fmt.Fprintf(w, `{"ok":true,"channel":"C0123456789","ts":"17633%05d.000100","message":{"thread_ts":%q}}`, n, a.form["thread_ts"])
	case "files.getUploadURLExternal":
		fmt.Fprintf(w, `{"ok":true,"upload_url":"%s/upload","file_id":"F1"}`, s.URL)
	case "files.completeUploadExternal":
		_, _ = io.WriteString(w, `{"ok":true,"files":[{"id":"F1","title":"x"}]}`)
	}
}

func (s *server) methods() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, a := range s.got {
		all = append(all, a.method)
	}
	return strings.Join(all, " ")
}

type watched struct {
	http.ResponseWriter

	done bool
}

func (w *watched) WriteHeader(status int) {
	w.done = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(p []byte) (int, error) {
	w.done = true
	return w.ResponseWriter.Write(p)
}

// threads is what the database keeps.
type threads struct {
	kept map[string]string
	get  error
	set  error
}

func (t *threads) Get(_ context.Context, key string) (string, error) { return t.kept[key], t.get }

func (t *threads) Set(_ context.Context, key, ts string) error {
	if t.set == nil {
		t.kept[key] = ts
	}
	return t.set
}

func channel(t *testing.T, options Options) *Channel {
	t.Helper()
	if options.Timeout == 0 {
		options.Timeout = 5 * time.Second
	}
	c, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func webhook(t *testing.T, url string, timeout time.Duration) *Channel {
	t.Helper()
	return channel(t, Options{Name: "soc", WebhookURL: state.NewSecret(url + "/services/T00000000/B00000000/" + canary), Timeout: timeout})
}

func bot(t *testing.T, s *server, options Options) *Channel {
	t.Helper()
	options.Name, options.Token, options.Channel, options.APIURL = "soc", state.NewSecret(canary), "C0123456789", s.URL+"/api"
	return channel(t, options)
}

// says returns how a fault is to be taken, in words.
func faultOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "nil"
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, canary) || strings.Contains(text, "B00000000") {
			t.Errorf("the secret is in %s", text)
		}
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if strings.Contains(fmt.Sprintf("%v %#v", inner, inner), canary) {
			t.Errorf("the secret is in %#v", inner)
		}
	}
	var e *state.SendError
	if !errors.As(err, &e) {
		t.Fatalf("%T is no SendError: %v", err, err)
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

func status(code int, body string, headers ...string) func(http.ResponseWriter, asked) {
	return func(w http.ResponseWriter, _ asked) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// hang answers when whoever asked is gone.
func hang(_ http.ResponseWriter, _ asked) { time.Sleep(2 * quick) }

func TestWebhook(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer     func(http.ResponseWriter, asked)
		want, text string
	}{
		"ok":             {nil, "nil", ""},
		"rate":           {status(429, "rate_limited", "Retry-After", "7"), "after 7s", "rate_limited"},
		"rate, no time":  {status(429, ""), "again", "429"},
		"rate, nonsense": {status(429, "", "Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"), "again", "429"},
		"rate, forever":  {status(429, "", "Retry-After", "99999999999999"), "after 24h0m0s", "429"},
		"blocks":         {status(400, "invalid_blocks"), "permanent", "status 400: invalid_blocks"},
		"payload":        {status(400, "invalid_payload\n"), "permanent", "invalid_payload"},
		"forbidden":      {status(403, "action_prohibited"), "permanent", "action_prohibited"},
		"token":          {status(403, "invalid_token"), "unreachable", "has to be renewed"},
		"no service":     {status(404, "no_service"), "permanent", "no_service"},
		"archived":       {status(410, "channel_is_archived"), "permanent", "channel_is_archived"},
		"broken":         {status(500, "<html>"+canary), "unreachable", "status 500"},
		"gateway":        {status(503, ""), "unreachable", "status 503"},
		"redirect":       {status(302, "", "Location", "http://169.254.169.254/"), "unreachable", "status 302"},
		"echo":           {status(400, strings.Repeat("<!channel>\n\x1b[31m ", 9)+"/services/T00000000/B00000000/"+canary), "permanent", "＜!channel＞"},
		"early echo":     {status(404, "no "+canary+" \u202e here"), "permanent", "no ***"},
		"not Slack":      {status(200, "<html>sign in</html>"), "again", "not Slack's"},
		"endless":        {status(400, strings.Repeat("x ", 1<<20)), "permanent", "x x"},
	} {
		s := serve(t, tc.answer)
		err := webhook(t, s.URL, 0).Send(t.Context(), message(state.MessageChanges, 48))
		if got := faultOf(t, err); got != tc.want || err != nil && (!strings.Contains(err.Error(), tc.text) || len(err.Error()) > 400) {
			t.Errorf("%s: %s: %v", name, got, err)
		}
		if got := s.methods(); got != "webhook" {
			t.Errorf("%s: asked %s", name, got)
		}
		if name != "ok" {
			continue
		}
		var body struct {
			Text        string
			Blocks      []map[string]any
			UnfurlLinks *bool `json:"unfurl_links"`
		}
		if err := json.Unmarshal([]byte(s.got[0].body), &body); err != nil || len(body.Blocks) < 5 || body.Text == "" || body.UnfurlLinks == nil || *body.UnfurlLinks {
			t.Errorf("%v: %s", err, s.got[0].body)
		}
		if last := body.Blocks[len(body.Blocks)-1]; last["block_id"] != "20261118.changes.7f3a" {
			t.Errorf("the last block is %v", last)
		}
	}
}

// TestNobodyAnswers holds what comes of time-outs, refused connections, names that do not
// resolve and cut answers: they pass, and hold no secret.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	hanging, gone := serve(t, hang), serve(t, nil)
	gone.Close()
	cut := serve(t, func(w http.ResponseWriter, _ asked) {
		conn, _, err := http.NewResponseController(w.(*watched).ResponseWriter).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		w.(*watched).done = true
		_ = conn.Close()
	})
	m := message(state.MessageChanges, 48)
	for name, c := range map[string]*Channel{
		"webhook hangs": webhook(t, hanging.URL, quick), "webhook refused": webhook(t, gone.URL, 0), "webhook cut": webhook(t, cut.URL, 0),
		"webhook without TLS": webhook(t, strings.Replace(hanging.URL, "http:", "https:", 1), 0),
		"bot hangs":           bot(t, hanging, Options{Timeout: quick}), "bot refused": bot(t, gone, Options{}), "bot cut": bot(t, cut, Options{}),
	} {
		err := c.Send(t.Context(), m)
		if got := faultOf(t, err); got != "unreachable" {
			t.Errorf("%s: %s: %v", name, got, err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		err = c.Send(ended, m)
		if got := faultOf(t, err); got != "again" || !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %s: %v", name, got, err)
		}
	}
}

func TestBot(t *testing.T) {
	t.Parallel()
	told := func(reason string) func(http.ResponseWriter, asked) {
		return status(200, fmt.Sprintf(`{"ok":false,"error":%q}`, reason), "Content-Type", "application/json")
	}
	for name, tc := range map[string]struct {
		answer     func(http.ResponseWriter, asked)
		want, text string
	}{
		"ok":          {nil, "nil", ""},
		"no channel":  {told("channel_not_found"), "permanent", "channel_not_found"},
		"archived":    {told("is_archived"), "permanent", "is_archived"},
		"blocks":      {told("invalid_blocks"), "permanent", "invalid_blocks"},
		"too long":    {told("msg_too_long"), "permanent", "msg_too_long"},
		"auth":        {told("invalid_auth"), "unreachable", "invalid_auth (the token"},
		"revoked":     {told("token_revoked"), "unreachable", "token_revoked"},
		"inactive":    {told("account_inactive"), "unreachable", "account_inactive"},
		"rate":        {told("ratelimited"), "again", "ratelimited"},
		"rate status": {status(429, `{"ok":false,"error":"ratelimited"}`, "Retry-After", "30"), "after 30s", "429"},
		"broken":      {status(500, "<html>"), "unreachable", "status 500"},
		"no reason":   {status(200, `{"ok":false}`, "Content-Type", "application/json"), "again", "not Slack's"},
		"not Slack":   {status(200, "<html>", "Content-Type", "application/json"), "unreachable", "invalid character"},
		"text":        {status(200, "no "+canary, "Content-Type", "text/html"), "unreachable", "invalid character"},
		"hostile":     {told("<!channel> " + canary), "permanent", "＜!channel＞ ***"},
	} {
		s := serve(t, tc.answer)
		err := bot(t, s, Options{}).Send(t.Context(), message(state.MessageChanges, 48))
		if got := faultOf(t, err); got != tc.want || err != nil && !strings.Contains(err.Error(), tc.text) {
			t.Errorf("%s: %s: %v", name, got, err)
		}
		if form := s.got[0].form; name == "ok" && (form["token"] != canary || form["channel"] != "C0123456789" || !strings.Contains(form["metadata"], `"message":"20261118.changes.7f3a"`) || form["mrkdwn"] != "false" || form["unfurl_links"] != "false") {
			t.Errorf("asked %v", form)
		}
	}
}

// TestThreads holds that a group has one thread for a while, that news of it are shown in
// the channel, and that one that is gone is begun anew.
func TestThreads(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	mode := ""
	s := serve(t, func(w http.ResponseWriter, a asked) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case mode == "gone" && a.form["thread_ts"] != "":
			status(200, `{"ok":false,"error":"thread_not_found"}`, "Content-Type", "application/json")(w, a)
		case mode == "deleted":
			status(200, `{"ok":true,"ts":"1763300777.000100","message":{}}`, "Content-Type", "application/json")(w, a)
		}
	})
	kept := &threads{kept: map[string]string{}}
	c := bot(t, s, Options{Threads: kept})
	posted := time.Unix(1763300002, 0)
	for i, step := range []struct {
		kind                    state.MessageKind
		group, mode             string
		at                      time.Time
		thread, broadcast, keep string
		requests                int
	}{
		{state.MessageBaseline, "", "", posted, "", "", "1763300001.000100", 1},
		{state.MessageChanges, "", "", posted, "1763300001.000100", "true", "1763300001.000100", 1},
		{state.MessageReminder, "", "", posted, "1763300001.000100", "", "1763300001.000100", 1},
		{state.MessageChanges, "tag dmz", "", posted, "", "", "1763300004.000100", 1},
		{state.MessageTrouble, "", "", posted, "", "", "1763300001.000100", 1},
		{state.MessageTest, "", "", posted, "", "", "1763300001.000100", 1},
		{state.MessageChanges, "", "gone", posted, "", "", "1763300008.000100", 2},
		{state.MessageChanges, "", "deleted", posted, "1763300008.000100", "true", "1763300777.000100", 1},
		{state.MessageChanges, "", "", posted.Add(6 * 24 * time.Hour), "1763300777.000100", "true", "1763300777.000100", 1},
		{state.MessageChanges, "", "", posted.Add(8 * 24 * time.Hour), "", "", "1763300011.000100", 1},
	} {
		mu.Lock()
		mode = step.mode
		mu.Unlock()
		before := len(s.got)
		m := message(step.kind, 48)
		m.Group, m.At = step.group, step.at
		if err := c.Send(t.Context(), m); err != nil {
			t.Fatal(i, err)
		}
		last := s.got[len(s.got)-1].form
		if last["thread_ts"] != step.thread || last["reply_broadcast"] != step.broadcast || kept.kept["soc/"+step.group] != step.keep || len(s.got)-before != step.requests {
			t.Errorf("step %d: %d requests, thread %q, broadcast %q, kept %v", i, len(s.got)-before, last["thread_ts"], last["reply_broadcast"], kept.kept)
		}
	}
	kept.get = errors.New("the database is gone " + canary)
	if got := faultOf(t, c.Send(t.Context(), message(state.MessageChanges, 48))); got != "again" {
		t.Error(got)
	}
}

// TestBeside holds that what fails once Slack has the message does not repeat it, and is
// logged without a secret.
func TestBeside(t *testing.T) {
	t.Parallel()
	const all = "chat.postMessage files.getUploadURLExternal upload files.completeUploadExternal"
	pdf := func(context.Context, state.Report) ([]byte, error) { return []byte("%PDF-1.7 of the run"), nil }
	broken := errors.New("broken, " + canary)
	for name, tc := range map[string]struct {
		fails, methods, logged string
		pdf                    func(context.Context, state.Report) ([]byte, error)
		set                    error
	}{
		"uploaded": {"", all, "", pdf, nil},
		"no PDF":   {"", "chat.postMessage", "", nil, nil},
		"not made": {"", "chat.postMessage", "could not be made", func(context.Context, state.Report) ([]byte, error) { return nil, broken }, nil},
		"empty":    {"", "chat.postMessage", "it is empty", func(context.Context, state.Report) ([]byte, error) { return nil, nil }, nil},
		"no scope": {"files.getUploadURLExternal", "chat.postMessage files.getUploadURLExternal", "missing_scope", pdf, nil},
		"refused":  {"upload", "chat.postMessage files.getUploadURLExternal upload", "could not be put", pdf, nil},
		"not kept": {"", all, "another", pdf, broken},
	} {
		s := serve(t, func(w http.ResponseWriter, a asked) {
			switch {
			case a.method != tc.fails:
			case a.method == "upload":
				w.WriteHeader(http.StatusInternalServerError)
			default:
				status(200, `{"ok":false,"error":"missing_scope"}`, "Content-Type", "application/json")(w, a)
			}
		})
		var log bytes.Buffer
		c := bot(t, s, Options{PDF: tc.pdf, Threads: &threads{kept: map[string]string{}, set: tc.set}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err := c.Send(t.Context(), message(state.MessageChanges, 48)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.methods(); got != tc.methods || (tc.logged == "") != (log.Len() == 0) || !strings.Contains(log.String(), tc.logged) || strings.Contains(log.String(), canary) {
			t.Errorf("%s: asked %s, logged %s", name, got, log.String())
		}
		if name == "uploaded" && (s.got[2].body != "%PDF-1.7 of the run" || s.got[3].form["thread_ts"] != "1763300001.000100" || s.got[3].form["channel_id"] != "C0123456789") {
			t.Errorf("uploaded %+v", s.got[2:])
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	hook := func(url string) Options { return Options{WebhookURL: state.NewSecret(url)} }
	for name, options := range map[string]Options{
		"nothing": {}, "both": {WebhookURL: state.NewSecret("https://hooks.slack.com/services/" + canary), Token: state.NewSecret(canary), Channel: "C0123456789"},
		"no TLS": hook("http://hooks.slack.com/services/" + canary), "a name": {Token: state.NewSecret(canary), Channel: "#alerts"}, "no channel": {Token: state.NewSecret(canary)},
		"broken": hook("https://hooks.slack.com\n/" + canary), "no host": hook("https:///services/" + canary), "a user": hook("https://" + canary + "@hooks.slack.com/"), "words": hook(canary), "file": hook("file:///" + canary),
		"token of two lines": {Token: state.NewSecret(canary + "\nX-Header: 1"), Channel: "C0123456789"}, "API without TLS": {Token: state.NewSecret(canary), Channel: "C0123456789", APIURL: "http://slack.com/api/"},
	} {
		if _, err := New(options); err == nil || strings.Contains(err.Error(), canary) || !strings.HasPrefix(err.Error(), "slack: ") {
			t.Errorf("%s: %v", name, err)
		}
		if text := fmt.Sprintf("%v %+v %#v", options, options, options); strings.Contains(text, canary) {
			t.Errorf("%s: the options print %s", name, text)
		}
	}
}
