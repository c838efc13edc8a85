package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/desk"
	"ownmap/pipeline/lab/sshlab"
	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// TestTargetsAreTested has workers test targets that were set elsewhere: a host with a
// real sshd, scanned from another vantage than it is looked inside from.
func TestTargetsAreTested(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("hosts with a sshd take root: run the tests as root")
	}
	farm := sshlab.Start(t, sshlab.Options{Services: true, Sudo: true})
	host := farm.Hosts[0].Address
	i := newInstance(t, fmt.Sprintf(`
database: {url: "${DATABASE_URL}"}
targets: [{hosts: [127.9.30.1]}]
exclude: [127.9.30.9]
ssh: {key_file: %s, known_hosts: %s, timeout: 20s}
`, farm.KeyFile, farm.KnownHosts))
	i.run(t, 2, "192.0.2.9") // no target has it: the schema is made and nothing else
	conn := i.connect(t)
	for _, vantage := range []string{state.DefaultVantage, "dmz"} {
		i.enlist(t, i.command(context.WithoutCancel(t.Context()), "worker", "--vantage", vantage), conn)
	}
	book := i.book(t)
	file, err := load.Read(filepath.Join(i.dir, "ownmap.yaml"), func(string) string { return i.url(t) })
	if err != nil {
		t.Fatal(err)
	}
	d := &desk.Desk{Book: book, File: file, Now: time.Now}
	by := state.Actor{Name: "alice", Via: "web"}
	target := state.Target{Vantage: "dmz", Origin: state.OriginWeb, SSH: state.TargetSSH{Look: state.LookOn, User: sshlab.User}}
	target.Spec, _ = state.ParseSpec(host.String())
	if _, warnings, err := d.AddTargets(t.Context(), []state.Target{target}, by); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "worker --vantage dmz") {
		t.Fatalf("added with %q, %v", warnings, err)
	}

	// result asks for a test and returns its steps, a word each.
	result := func(spec, vantage string) (string, state.TargetTest) {
		t.Helper()
		parsed, err := state.ParseSpec(spec)
		if err != nil {
			t.Fatal(err)
		}
		id, err := d.AskTest(t.Context(), parsed, vantage, by)
		if err != nil {
			t.Fatal(err)
		}
		var test state.TargetTest
		waitFor(t, desk.TestTime, "the test of "+spec, func() bool {
			test, _, err = d.Test(t.Context(), id)
			return err == nil && test.Done()
		})
		var words []string
		for _, part := range test.Parts {
			for _, s := range part.Steps {
				words = append(words, string(s.Outcome)+" "+s.Name)
			}
		}
		return strings.Join(words, ", "), test
	}
	got, test := result(host.String(), "dmz")
	if got != "ok answer, ok connect, ok host key, ok login, ok look" || !test.OK() {
		t.Errorf("the host: %s\n%+v", got, test)
	}
	if says := test.Parts[1].Steps[3].Says; !strings.HasSuffix(says, "listeners found, as root") {
		t.Errorf("inside: %s", says)
	}
	if test.Parts[0].Vantage != "dmz" || test.Parts[1].Vantage != state.DefaultVantage {
		t.Errorf("done from %s and %s", test.Parts[0].Vantage, test.Parts[1].Vantage)
	}

	// Another user is not let in, and the remedy says so.
	own, err := book.OwnTargets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target.SSH.User = "stranger"
	if _, err := d.ChangeTarget(t.Context(), own[0].ID, target, by); err != nil {
		t.Fatal(err)
	}
	got, test = result(host.String(), "dmz")
	if got != "ok answer, ok connect, ok host key, failed login" || test.OK() || !strings.Contains(test.Parts[1].Steps[2].Remedy, "hostkeys recipe") {
		t.Errorf("another user: %s\n%+v", got, test.Parts[1].Steps)
	}
	if got, _ := result("127.9.30.1", ""); got != "ok answer, skipped connect" {
		t.Errorf("a target without SSH: %s", got)
	}
	if got, _ := result("127.9.30.9", ""); got != "failed allowed" {
		t.Errorf("what is excluded: %s", got)
	}
	out, stderr, code := i.call(t, "targets", "test", "127.9.30.1")
	if code != 0 || !strings.Contains(out, "127.9.30.1  answer") {
		t.Errorf("on the command line: %d %s%s", code, out, stderr)
	}
}

// url is the address of the instance's database.
func (i instance) url(t *testing.T) string {
	t.Helper()
	for _, line := range i.env {
		if url, found := strings.CutPrefix(line, "DATABASE_URL="); found {
			return url
		}
	}
	t.Fatal("no database")
	return ""
}

// book opens the instance's book in this process.
func (i instance) book(t *testing.T) *persist.Book {
	t.Helper()
	book, err := persist.Open(t.Context(), i.url(t), time.UTC, (&app{stderr: t.Output()}).log())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(book.Close)
	return book
}
