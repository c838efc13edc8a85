package email

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
	"ownmap/templates"
)

// TestOverride holds that a template of the user's is used, and that one that cannot be
// used costs nobody the mail: both parts say which it is, and where.
func TestOverride(t *testing.T) {
	t.Parallel()
	huge := "{{define \"x\"}}{{end}}" + strings.Repeat("<p>our policy</p>", 10_000)
	for name, tc := range map[string]struct {
		file, content string
		want          []string // in both parts
		own           string   // of the user's template, in its part
	}{
		"good":                {"email/message.txt", "Ours: {{.Verdict}}", nil, "Ours: 4 changes"},
		"good with rows":      {"email/message.txt", "{{range .Sections}}{{range .Groups}}{{range .Rows}}* {{.Line}}\n{{end}}{{end}}{{end}}", nil, "* + 3389/tcp port opened"},
		"does not parse":      {"email/message.html", "<p>\n{{if}}", []string{"email/message.html", ":2:", "the built-in one is used"}, ""},
		"no such field":       {"email/message.html", "<p>\n\n{{.Nonsense}}", []string{"email/message.html:3:", "Nonsense", "the built-in one is used"}, ""},
		"no such field, text": {"email/message.txt", "{{.Nonsense}}", []string{"email/message.txt:1:", "Nonsense", "the built-in one is used"}, ""},
		"fails on a row":      {"email/message.txt", "{{range .Sections}}{{range .Groups}}{{index .Rows 9999}}{{end}}{{end}}", []string{"out of range", "the built-in one is used"}, ""},
		"no such template":    {"email/mail.html", "x", []string{"email/mail.html", "no built-in template has that name"}, ""},
		"too large":           {"email/message.html", huge, []string{"without a single row are too many", "the built-in one is used"}, ""},
		"reads secrets":       {"email/message.txt", `{{env "HOME"}}`, []string{`"env" not defined`, "the built-in one is used"}, ""},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "email"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		m := render(t, Options{Templates: templates.New(dir)}, demo.Nights(49).At(49), links())
		for _, want := range tc.want {
			// Quotes are escaped in HTML.
			if !strings.Contains(m.Text, want) || !strings.Contains(strings.ReplaceAll(m.HTML, "&#34;", `"`), want) {
				t.Errorf("%s: a part does not say %q:\n%.800s", name, want, m.Text)
			}
		}
		if tc.own != "" && !strings.Contains(m.Text, tc.own) {
			t.Errorf("%s: the template is not used:\n%.300s", name, m.Text)
		}
		if tc.own == "" && (!strings.Contains(m.Text, "+ 3389/tcp port opened") || !strings.Contains(m.HTML, "Outside and inside do not agree")) {
			t.Errorf("%s: the mail is not whole", name)
		}
		if tc.own != "" && strings.Contains(m.HTML, "built-in") {
			t.Errorf("%s: a fault is told that there is not", name)
		}
	}
}

// TestOverrideAgain holds that a mailer whose template fails makes the same mail each
// time, and tells of it once.
func TestOverrideAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "email"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "email", "message.html"), []byte("{{.Nonsense}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	mailer, err := New(Options{From: "ownmap@example.org", Templates: templates.New(dir)})
	if err != nil {
		t.Fatal(err)
	}
	var before string
	for i := range 3 {
		m, err := mailer.Render(about(demo.Nights(49).At(49), state.MessageLinks{}))
		if err != nil {
			t.Fatal(err)
		}
		if raw := string(bytesOf(t, m)); i > 0 && raw != before {
			t.Errorf("time %d makes another mail", i+1)
		} else {
			before = raw
		}
		if n := strings.Count(m.Text, "built-in one is used"); n != 1 {
			t.Errorf("it is told %d times", n)
		}
	}
}

// TestOverrideLarge holds that a user's template with much more around each row stays
// below the limit as well.
func TestOverrideLarge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "email"), 0o700); err != nil {
		t.Fatal(err)
	}
	row := "{{range .Sections}}{{range .Groups}}{{range .Rows}}<p>" + strings.Repeat("=é", 1000) + "{{.Line}}</p>{{end}}{{end}}{{end}}"
	if err := os.WriteFile(filepath.Join(dir, "email", "message.html"), []byte(row), 0o600); err != nil {
		t.Fatal(err)
	}
	m := render(t, Options{Templates: templates.New(dir)}, many(1000, hostName), links())
	if size := len(bytesOf(t, m)); size >= Limit || size < Limit/2 || !strings.Contains(m.HTML, "=é=é") {
		t.Errorf("%d bytes", size)
	}
}

// TestOverrideNotice holds the same for the mail that has no run behind it.
func TestOverrideNotice(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("<p>our policy</p>", 10_000)
	for name, tc := range map[string]struct{ file, content, want string }{
		"good":       {"email/notice.txt", "Ours: {{.Verdict}}{{range .Said}} {{.}}{{end}}", "Ours: The run of 2026-10-05 did not begin The last run"},
		"good, HTML": {"email/notice.html", "<p>Ours: {{.Verdict}}</p>", "<p>Ours: The run of 2026-10-05"},
		"style":      {"email/style.html", "p { color: red; }", "p { color: red; }"},
		"broken":     {"email/notice.html", "{{.Nonsense}}", "the built-in one is used"},
		"too large":  {"email/notice.html", huge, "the built-in one is used"},
	} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "email"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.content), 0o600); err != nil {
			t.Fatal(err)
		}
		options := Options{Templates: templates.New(dir)}
		m := renderAny(t, options, trouble("alice@example.org"))
		if !strings.Contains(m.Text+m.HTML, tc.want) || !strings.Contains(m.Text, "26 hours ago") || len(bytesOf(t, m)) >= Limit {
			t.Errorf("%s: want %q:\n%s\n%.500s", name, tc.want, m.Text, m.HTML)
		}
		if told := strings.Contains(m.Text, "built-in"); told != strings.Contains(tc.want, "built-in") {
			t.Errorf("%s: told %v", name, told)
		}
		if report := render(t, options, demo.Nights(49).At(49), links()); strings.Contains(tc.file, "notice") && strings.Contains(tc.want, "Ours") && strings.Contains(report.Text+report.HTML, "Ours") {
			t.Errorf("%s: the template stands in the mail of a run", name)
		}
	}
}
