package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ownmap/pipeline/lab/smtplab"
)

// checkMail holds that the mail is of the change, came over TLS, and links to no place that
// a host named.
func checkMail(t *testing.T, server *smtplab.Server) {
	t.Helper()
	if want := "ops@example.org: OwnMap: 1 change, 2 ports unapproved, 1 of 1 host answered"; subjects(t, server)[1] != want {
		t.Errorf("subjects: %q", subjects(t, server))
	}
	letter := server.Messages()[1]
	if !letter.TLS || letter.User != "ownmap" {
		t.Errorf("sent without TLS or as %q", letter.User)
	}
	m, err := mail.ReadMessage(bytes.NewReader(letter.Data))
	if err != nil {
		t.Fatal(err)
	}
	_, boundary, _ := strings.Cut(m.Header.Get("Content-Type"), "boundary=")
	parts := multipart.NewReader(m.Body, strings.Trim(boundary, `"`))
	for _, kind := range []string{"text/plain", "text/html"} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part)
		if err != nil || !strings.HasPrefix(part.Header.Get("Content-Type"), kind) {
			t.Errorf("%v: %v", part.Header, err)
		}
		holds(t, kind, string(body), "21902/tcp", "127.9.20.1")
		if kind == "text/html" {
			lacks(t, kind, string(body), `href="http://evil`, "<!channel>")
		}
	}
}

// checkSlack holds that a webhook gets the message, and that a bot keeps to its thread and
// puts a PDF of each run beside it.
func checkSlack(t *testing.T, web *receivers) {
	t.Helper()
	var said struct {
		Text, Parse string
		Blocks      json.RawMessage
	}
	if err := json.Unmarshal([]byte(web.at(slackHook)[1].body), &said); err != nil {
		t.Fatal(err)
	}
	posted := web.at("/api/chat.postMessage")
	for what, text := range map[string]string{"webhook": said.Text + string(said.Blocks), "bot": posted[1].form.Get("text") + posted[1].form.Get("blocks")} {
		holds(t, what, text, "▲ 1 change, 2 ports unapproved, 1 of 1 host answered (run 2)", `+ 21902/tcp port opened (high)`, "2 ports await approval")
		lacks(t, what, text, "<!channel>", `"mrkdwn"`, `"link"`, `"type":"broadcast"`)
	}
	if said.Parse != "none" || posted[1].form.Get("mrkdwn") != "false" {
		t.Error("Slack would read the text for links and names")
	}
	if first, second := posted[0].form.Get("thread_ts"), posted[1].form.Get("thread_ts"); first != "" || !strings.HasSuffix(second, ".000001") || posted[1].form.Get("reply_broadcast") != "true" {
		t.Errorf("threads: %q, %q", first, second)
	}
	files, placed := web.at("/upload"), web.at("/api/files.completeUploadExternal")
	if len(files) != 2 || len(placed) != 2 {
		t.Fatalf("%d files, %d of them in a thread", len(files), len(placed))
	}
	for i, f := range files {
		if !strings.HasPrefix(f.file, "%PDF-") || placed[i].form.Get("thread_ts") != posted[1].form.Get("thread_ts") {
			t.Errorf("%.10q in thread %s", f.file, placed[i].form.Get("thread_ts"))
		}
	}
}

// checkWebhook checks signatures as the Standard Webhooks specification has them, and
// what is signed.
func checkWebhook(t *testing.T, calls []posting) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range calls {
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", call.header.Get("Webhook-Id"), call.header.Get("Webhook-Timestamp"), call.body)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); call.header.Get("Webhook-Signature") != want {
			t.Errorf("signed %s, want %s", call.header.Get("Webhook-Signature"), want)
		}
	}
	var said struct {
		Type string
		Data struct {
			ID, Verdict string
			Changes     []struct {
				Kind string
				Port int
			}
		}
	}
	if err := json.Unmarshal([]byte(calls[1].body), &said); err != nil {
		t.Fatal(err)
	}
	if said.Type != "ownmap.changes" || said.Data.ID != calls[1].header.Get("Webhook-Id") || len(said.Data.Changes) != 1 || said.Data.Changes[0].Port != 21902 || said.Data.Changes[0].Kind != "port-opened" {
		t.Errorf("%+v", said)
	}
}

// checkSyslog reads frames by the grammar of RFC 5424, 6.
func checkSyslog(t *testing.T, frames []string) {
	t.Helper()
	grammar := regexp.MustCompile(`^<1(?:[0-8]\d|9[01])>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ ownmap \S+ (\S+) \[ownmap@32473( [a-z_]+="([^"\\\]]|\\["\\\]])*")+\] ([^\x00-\x1f]+)$`)
	var kinds []string
	for _, frame := range frames {
		m := grammar.FindStringSubmatch(frame)
		if m == nil {
			t.Fatalf("no syslog: %q", frame)
		}
		kinds = append(kinds, m[1])
	}
	if diff := cmp.Diff([]string{"baseline", "changes", "port-opened"}, kinds); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
	holds(t, "syslog", frames[2], ` address="127.9.20.1" protocol="tcp" port="21902"`, "127.9.20.1: 21902/tcp port opened")
}

// checkFiles reads the lines of JSON and the spool.
func checkFiles(t *testing.T, dir string) {
	t.Helper()
	events, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(events)), "\n")
	var last struct {
		Event, Kind, Address string
		Port                 int
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || len(lines) != 3 || last.Event != "change" || last.Kind != "port-opened" || last.Port != 21902 {
		t.Errorf("%d lines, the last is %+v: %v", len(lines), last, err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "ownmap-*.txt"))
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	holds(t, "spool", all.String(), "OwnMap: ◇ Baseline: 1 port awaits approval", "▲ 1 change, 2 ports unapproved", "21902/tcp port opened")
}
