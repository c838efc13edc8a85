package filedrop

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

func message() state.Message {
	report := demo.Nights(49).At(49)
	return state.Message{ID: "run-49.files.1", Kind: state.MessageChanges, At: demo.Night(49), Report: &report, Notes: []string{"the mail waits"}, Links: state.MessageLinks{Run: "https://ownmap.example.org/run/49.html", Review: "javascript:alert(1)"}}
}

func channel(t *testing.T, options Options) *Channel {
	t.Helper()
	c, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func names(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSend(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	c := channel(t, Options{Folder: folder})
	// A try that was cut off left something, which somebody made a link out of the folder.
	outside := filepath.Join(t.TempDir(), "outside")
	if err := errors.Join(os.WriteFile(outside, []byte("old"), 0o600), os.Symlink(outside, filepath.Join(folder, ".run-49.files.1.txt.part"))); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
		if got := names(t, folder); len(got) != 1 || got[0] != "run-49.files.1.txt" {
			t.Fatalf("%q in the folder", got)
		}
	}
	path := filepath.Join(folder, "run-49.files.1.txt")
	text, err := os.ReadFile(path)
	if err != nil || string(text) != Text(message()) {
		t.Errorf("%v: %s", err, text)
	}
	for _, want := range []string{"4 changes, 10 ports unapproved, 5 grave disagreements, 11 of 12 hosts answered\nchanges, 2026-11-18T02:00:00Z\nthe mail waits\n", "hidden from tool (critical)", "port opened (high)", "\nhttps://ownmap.example.org/run/49.html\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if about, _ := os.Stat(path); about.Mode() != DefaultMode || strings.Contains(string(text), "javascript") {
		t.Errorf("mode %v\n%s", about.Mode(), text)
	}
	if old, _ := os.ReadFile(outside); string(old) != "old" {
		t.Error("a file out of the folder was written")
	}
}

func TestRenderer(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	c := channel(t, Options{Folder: folder, Extension: "json", Mode: 0o600, Render: func(m state.Message) ([]byte, error) {
		if m.Title == "broken" {
			return nil, errors.New("cannot")
		}
		return []byte("{}"), nil
	}})
	if err := c.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if about, err := os.Stat(filepath.Join(folder, "run-49.files.1.json")); err != nil || about.Size() != 2 || about.Mode() != 0o600 {
		t.Errorf("%v, %v", about, err)
	}
	fails(t, c, state.Message{ID: "x", Title: "broken"}, true)
	for _, id := range []string{"", ".", "..", ".x", "../x", "a/b", "/etc/x", "a\x00", "a b", "-rf", "a\n", strings.Repeat("x", 101), `a\b`} {
		fails(t, c, state.Message{ID: id}, true)
	}
	if got := names(t, folder); len(got) != 1 {
		t.Errorf("%q in the folder", got)
	}
}

func fails(t *testing.T, c *Channel, m state.Message, permanent bool) {
	t.Helper()
	var failure *state.SendError
	if err := c.Send(t.Context(), m); !errors.As(err, &failure) || failure.Permanent != permanent {
		t.Errorf("%q: %v", m.ID, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	inner := filepath.Join(folder, "inner")
	if err := os.Mkdir(inner, 0o700); err != nil {
		t.Fatal(err)
	}
	c := channel(t, Options{Folder: inner})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Send(cancelled, message()); !errors.Is(err, context.Canceled) || len(names(t, inner)) != 0 {
		t.Errorf("cancelled: %v", err)
	}
	// Something that is no file has the name: nothing half stays behind.
	if err := os.MkdirAll(filepath.Join(inner, "run-49.files.1.txt", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	fails(t, c, message(), false)
	if got := names(t, inner); len(got) != 1 {
		t.Errorf("%q in the folder", got)
	}
	if err := os.RemoveAll(inner); err != nil {
		t.Fatal(err)
	}
	fails(t, c, message(), false)
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Folder: inner}, {Folder: file}, {}, {Folder: folder, Extension: "../x"}, {Folder: folder, Extension: "TXT"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// TestHostile holds that nothing that is said adds a line, or cannot be seen.
func TestHostile(t *testing.T) {
	t.Parallel()
	saying := func(text string) string {
		report := demo.Saying([]string{text}).At(3)
		return Text(state.Message{ID: "x", Kind: state.MessageTrouble, Title: "t" + text, Group: "g" + text, Lines: []string{text}, Notes: []string{text}, Links: state.MessageLinks{Run: text}, Report: &report})
	}
	calm := saying("calm")
	for _, text := range append(demo.Corpus(), demo.Hostile()) {
		got := saying(text)
		links := 0
		if state.WebLink(text) != "" {
			links = 1
		}
		if strings.Count(got, "\n")-links != strings.Count(calm, "\n") || state.Visible(got) != got || strings.Contains(got, "\t") {
			t.Errorf("%q:\n%s", text, got)
		}
	}
}
