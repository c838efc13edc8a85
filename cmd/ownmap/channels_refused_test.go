package main

import (
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"ownmap/pipeline/lab/smtplab"
)

// TestRefusedForGood has a mail server refuse one recipient for good and put off another:
// the one is parked and made up for by the fallback, the other waits, everybody else has
// the message, and every place says so until a person decides.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	var sane atomic.Bool
	server := smtplab.Start(t, smtplab.Options{Mechanisms: []string{"PLAIN"}, User: "ownmap", Password: "geheim", Fault: func(a smtplab.Ask) smtplab.Answer {
		switch {
		case sane.Load() || a.Stage != smtplab.Recipient:
		case a.To == "gone@example.org":
			return smtplab.Answer{Code: 550, Text: "no such user"}
		case a.To == "full@example.org":
			return smtplab.Answer{Code: 452, Text: "mailbox full"}
		}
		return smtplab.Answer{}
	}})
	spool := t.TempDir()
	p := program{instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.20.2, profile: few}]
profiles: {few: {ports: "21911-21914", services: false}}
mail: {subject: counts}
watch: {wait: 0}
channels:
  ops-mail:
    {type: email, fallback: spool, host: %s, port: %d, ca_file: %s, user: ownmap, password: geheim, from: ownmap@example.org,
     to: [gone@example.org, full@example.org, ops@example.org]}
  spool: {type: file, dir: %s}
routes: [{channels: [ops-mail]}]
`, server.Host, server.Port, server.CAFile(t), spool))}
	out := p.wants(t, exitPartial, "run")
	holds(t, "run", out, "not delivered, ops-mail: 1 message waits", "1 was refused for good")
	if got := subjects(t, server); len(got) != 1 || !strings.HasPrefix(got[0], "ops@example.org: ") {
		t.Errorf("mail came to %q", got)
	}
	files, _ := filepath.Glob(spool + "/*.txt")
	if len(files) != 1 {
		t.Fatalf("the fallback has %d messages", len(files))
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	holds(t, "fallback", string(text), "Baseline: no ports await approval", "ops-mail (gone＠example．org) refused this message", "550")
	t.Log(string(text))
	out = p.wants(t, 0, "deliveries", "list")
	t.Log(out)
	parked := regexp.MustCompile(`(?m)^ *(\d+)  .*ops-mail \(gone@example.org\)  +refused 20.*550`).FindStringSubmatch(out)
	waits := regexp.MustCompile(`(?m)^ *(\d+)  .*ops-mail \(full@example.org\)  +next try 20.*452`).FindStringSubmatch(out)
	if parked == nil || waits == nil {
		t.Fatalf("deliveries list:\n%s", out)
	}
	out = p.wants(t, 0, "status")
	t.Log(out)
	holds(t, "status", out, "Not delivered", "ops-mail: 1 message waits since", "1 was refused for good")
	holds(t, "status", p.wants(t, 0, "status", "--json"), `"parked": 1`)

	// The next run's report says it, where a person reads it.
	l, err := net.Listen("tcp", "127.9.20.2:21911")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go greet(l, "")
	out = p.wants(t, exitPartial, "run")
	t.Log(out)
	holds(t, "next run", out, "Not delivered yet, ops-mail: 1 message waits since", "1 was refused for good")
	letters := server.Messages()
	holds(t, "next mail", strings.ReplaceAll(string(letters[len(letters)-1].Data), "=\r\n", ""), "Not delivered yet, ops-mail: 1 message waits since")

	// A person decides.
	holds(t, "retry", p.wants(t, 0, "deliveries", "retry", parked[1]), "to be tried again: 1 message\n  "+parked[1]+" to ops-mail (gone@example.org)\n")
	holds(t, "drop", p.wants(t, 0, "deliveries", "drop", waits[1]), "dropped 1 message\n  "+waits[1]+" to ops-mail (full@example.org)\n")
	holds(t, "drop twice", p.wants(t, 0, "deliveries", "drop", waits[1]), "dropped no messages", "ownmap: warning: 1 of them is not waiting")
	holds(t, "retry nothing", p.wants(t, exitTrouble, "deliveries", "retry"), "say which")
	sane.Store(true)
	out = p.wants(t, exitPartial, "deliveries", "send", "--wait", "10s")
	holds(t, "deliveries send", out, "not delivered, ops-mail: 1 message was refused for good since 20", "ownmap: hint: `ownmap deliveries list` says why; `ownmap deliveries retry ID` tries again")
	p.wants(t, 0, "deliveries", "retry", "--all")
	p.wants(t, 0, "deliveries", "send")
	var to []string
	for _, letter := range server.Messages() {
		to = append(to, strings.Join(letter.To, "+"))
	}
	if got := strings.Join(to, " "); strings.Count(got, "gone@") != 2 || strings.Count(got, "full@") != 1 || strings.Count(got, "ops@") != 2 {
		t.Errorf("mail came to %s", got)
	}
	for _, n := range server.Counts() {
		if n != 1 {
			t.Errorf("not once: %v", server.Counts())
		}
	}
	holds(t, "deliveries list", p.wants(t, 0, "deliveries", "list"), "every message is delivered")
	out = p.wants(t, 0, "deliveries", "list", "--sent", "20")
	t.Log(out)
	holds(t, "deliveries list --sent", out, "dropped 20", "sent 20")
	out = p.wants(t, 0, "audit")
	t.Log(out)
	holds(t, "audit", out, "delivery-retry", "delivery-drop", "delivery "+parked[1])
	if out = p.wants(t, 0, "status"); strings.Contains(out, "Not delivered") {
		t.Error(out)
	}
}

// TestForgedAddresses has a webhook redirect to where a cloud tells its secrets, and the
// name of another lead there from the second time on. Nothing goes there, the messages
// wait, and the error names the rule.
func TestForgedAddresses(t *testing.T) {
	t.Parallel()
	web := receive(t)
	var port string
	web.answers("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254:"+port+"/latest/meta-data/", http.StatusFound)
	})
	honest, answers := serveTLS(t), []string{"169.254.169.254", "169.254.7.7"}
	_, port, _ = net.SplitHostPort(honest.Listener.Addr().String())
	caFile := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: honest.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	first := 0
	if own, ok := ownAddress(t, honest); ok {
		first, answers = 1, append([]string{own}, answers...)
	}
	names := serveNames(t, answers)
	p := program{resolver: names.resolver, instance: newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: 127.9.20.3, profile: few}]
profiles: {few: {ports: "21921-21924", services: false}}
watch: {wait: 0}
channels:
  moved: {type: webhook, url: "%s/moved", secret: %s}
  rebound: {type: webhook, url: "https://example.com:%s/geheim", secret: %s, ca_file: %s}
`, web.URL, webhookSecret, port, webhookSecret, caFile))}
	l, err := net.Listen("tcp", "127.9.20.3:21921")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go greet(l, "")
	sent := watchLinkLocal(t, port)
	for range 1 + first {
		t.Log(p.wants(t, exitPartial, "run"))
	}
	if got := honest.calls.Load(); got != int64(first) {
		t.Errorf("%d messages came while the name led to its server, want %d", got, first)
	}
	out := p.wants(t, 0, "deliveries", "list")
	t.Log(out)
	holds(t, "deliveries list", out, "moved ", "127.0.0.1 is refused: no redirects", "rebound ", "example.com leads to 169.254.169.254, which is refused: no cloud metadata")
	p.wants(t, 0, "deliveries", "retry", "--all")
	p.wants(t, exitPartial, "deliveries", "send")
	out = p.wants(t, 0, "deliveries", "list")
	holds(t, "deliveries list", out, "no redirects", "example.com leads to 169.254.7.7, which is refused: no link-local addresses")
	lacks(t, "deliveries list", out, "geheim", "latest/meta-data", "refused 20")
	if n := strings.Count(out, "  next try 20") + strings.Count(out, "  due 20"); n != 2+first {
		t.Errorf("%d messages wait, want %d:\n%s", n, 2+first, out)
	}
	holds(t, "notify test", p.wants(t, exitTrouble, "notify", "test", "rebound", "moved"), "FAIL  rebound: ", "FAIL  moved: ", "no redirects", "no link-local addresses")
	if got := sent(); len(got) > 0 {
		t.Errorf("connections to link-local addresses: %q", got)
	}
}
