package main

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"ownmap/pipeline/lab/smtplab"
)

// mailConfig sends mail through a server of the lab.
func mailConfig(t *testing.T, server *smtplab.Server, address, more string) string {
	t.Helper()
	return fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: %s, profile: few}]
profiles: {few: {ports: "20901-20904", services: false}}
mail: {subject: counts}
channels:
  ops-mail:
    {type: email, host: %s, port: %d, ca_file: %s, user: ownmap, password: geheim, from: ownmap@example.org, to: [ops@example.org, boss@example.org]}
watch: {wait: 1s}
%s`, address, server.Host, server.Port, server.CAFile(t), more)
}

// subjects are the subjects of what a server has kept, and to whom, in order.
func subjects(t *testing.T, server *smtplab.Server) []string {
	t.Helper()
	var list []string
	for _, letter := range server.Messages() {
		m, err := mail.ReadMessage(bytes.NewReader(letter.Data))
		if err != nil {
			t.Fatal(err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(m.Body); err != nil {
			t.Fatal(err)
		}
		list = append(list, strings.Join(letter.To, " ")+": "+subject)
	}
	return list
}

// TestMailArrives runs nights with a real scan and a real mail server: a baseline, a
// change, a reminder, a server that is down and comes back.
func TestMailArrives(t *testing.T) {
	t.Parallel()
	server := smtplab.Start(t, smtplab.Options{Mechanisms: []string{"PLAIN"}, User: "ownmap", Password: "geheim"})
	i := newInstance(t, mailConfig(t, server, "127.9.11.1", ""))
	world := map[string]net.Listener{}
	t.Cleanup(func() {
		for _, l := range world {
			_ = l.Close()
		}
	})
	toggle(t, world, "127.9.11.1:20901")
	i.run(t, 0)
	toggle(t, world, "127.9.11.1:20902")
	i.run(t, 0)
	i.run(t, 0)
	server.Down()
	toggle(t, world, "127.9.11.1:20903")
	_, stderr, code := i.call(t, "run")
	if code != exitPartial || !strings.Contains(stderr, "not delivered, ops-mail: 2 messages wait since") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	out, _, _ := i.call(t, "status")
	if !strings.Contains(out, "Not delivered") {
		t.Errorf("status is silent: %s", out)
	}
	if out, _, code := i.call(t, "deliveries", "list"); code != 0 || strings.Count(out, "ops-mail (") != 2 || !strings.Contains(out, "refused") {
		t.Errorf("deliveries list: %d\n%s", code, out)
	}
	server.Up(t)
	if _, stderr, code := i.call(t, "deliveries", "retry", "--all"); code != 0 {
		t.Error(stderr)
	}
	if _, stderr, code := i.call(t, "deliveries", "send"); code != 0 {
		t.Error(stderr)
	}
	var want []string
	for _, subject := range []string{
		"baseline: 1 port awaits approval, 1 of 1 host answered",
		"1 change, 2 ports unapproved, 1 of 1 host answered",
		"reminder: 2 ports await approval, all new: 2 without owner",
		"1 change, 3 ports unapproved, 1 of 1 host answered",
	} {
		want = append(want, "boss@example.org: OwnMap: "+subject, "ops@example.org: OwnMap: "+subject)
	}
	if got := subjects(t, server); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
