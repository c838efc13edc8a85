package templates

import (
	htmltemplate "html/template"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder makes a folder of overrides.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runsPage renders the table of runs without any run; the layout is not part of it.
func runsPage(t *testing.T, set *Set) string {
	t.Helper()
	type data struct {
		Summary string
		Runs    []struct{}
		Notices []string
	}
	out, err := set.HTML("content", "shared/changes.html", "shared/runs.html", "site/runs.html").
		Render(func(notices []string) any { return data{Summary: "<none>", Notices: notices} })
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	builtIn := runsPage(t, New(""))
	if !strings.Contains(builtIn, "<h1>Runs</h1>") || !strings.Contains(builtIn, "&lt;none&gt;") {
		t.Fatalf("the built-in page is %q", builtIn)
	}
	for _, c := range []struct{ name, file, text, want, fault string }{
		{"taken", "site/runs.html", `{{define "content"}}Own: {{.Summary | upper}}{{end}}`, "Own: &lt;NONE&gt;", ""},
		{"escaped", "site/runs.html", `{{define "content"}}<a href="{{.Summary}}">{{end}}`, `<a href="%3cnone%3e">`, ""},
		{"does not parse", "site/runs.html", "{{define \"content\"}}\n{{if}}", builtIn, "site/runs.html:2: missing value for if"},
		{"no such function", "site/runs.html", `{{define "content"}}{{env "HOME"}}{{end}}`, builtIn, `site/runs.html:1: function "env" not defined`},
		{"fails on the data", "site/runs.html", "{{define \"content\"}}\n\n{{.Total}}{{end}}", builtIn, "runs.html:3:2: executing \"content\" at <.Total>"},
		{"fails half-way", "site/runs.html", `{{define "content"}}half{{index .Runs 7}}{{end}}`, builtIn, "runs.html:1:"},
		{"does not fit the others", "site/runs.html", `{{define "content"}}{{template "gone"}}{{end}}`, builtIn, `"gone"`},
		{"unknown file", "site/rums.html", `x`, builtIn, "site/rums.html: no built-in template has that name"},
		{"notes are left alone", "site/README.md", `{{if}}`, builtIn, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set := New(folder(t, map[string]string{c.file: c.text}))
			if got := runsPage(t, set); got != c.want {
				t.Errorf("the page is %q, not %q", got, c.want)
			}
			var notices []string
			page := set.HTML("content", "shared/changes.html", "shared/runs.html", "site/runs.html")
			_, _ = page.Render(func(n []string) any {
				notices = n
				return struct {
					Summary string
					Runs    []int
				}{}
			})
			told := strings.Join(notices, "\n")
			all := append(set.Notices(), set.Failures()...)
			if slices.ContainsFunc(notices, func(n string) bool { return !slices.Contains(all, n) }) {
				t.Errorf("the set tells %q, the page %q", all, notices)
			}
			if (c.fault == "") != (told == "") || !strings.Contains(told, c.fault) {
				t.Errorf("told is %q, not %q", told, c.fault)
			}
		})
	}
	missing := New(filepath.Join(t.TempDir(), "gone"))
	if got := runsPage(t, missing); got != builtIn || len(missing.Notices()) != 1 {
		t.Errorf("a folder that is not there: %q", missing.Notices())
	}
}

// TestOnce holds that a template is made once for the same data, with its escaping, and
// that one which is not there, or fails, is an error of the page.
func TestOnce(t *testing.T) {
	t.Parallel()
	type data struct{ Name string }
	made, one, two := 0, &data{"<one>"}, &data{"two"}
	tmpl := htmltemplate.New("").Funcs(htmlFuncs())
	all := &onceMade{of: tmpl}
	tmpl.Funcs(htmltemplate.FuncMap{"once": all.html, "count": func() int { made++; return made }})
	htmltemplate.Must(tmpl.Parse(`{{define "piece"}}<b title="{{.Name}}">{{.Name}} {{count}}</b>{{end}}{{define "page"}}<p>{{once "piece" .}}</p>{{end}}{{define "lost"}}{{once "gone" .}}{{end}}{{define "bad"}}{{once "page" .Name}}{{end}}{{define "loop"}}{{once "loop" .}}{{end}}`))
	for _, want := range []struct {
		of   *data
		page string
	}{
		{one, `<p><b title="&lt;one&gt;">&lt;one&gt; 1</b></p>`}, {two, `<p><b title="two">two 2</b></p>`}, {one, `<p><b title="&lt;one&gt;">&lt;one&gt; 1</b></p>`},
	} {
		var out strings.Builder
		if err := tmpl.ExecuteTemplate(&out, "page", want.of); err != nil || out.String() != want.page {
			t.Errorf("the page is %q, %v; want %q", out.String(), err, want.page)
		}
	}
	for _, name := range []string{"lost", "bad", "loop"} {
		if err := tmpl.ExecuteTemplate(io.Discard, name, one); err == nil {
			t.Errorf("%s is made", name)
		}
	}
	for range maxMade + maxWithin {
		if err := tmpl.ExecuteTemplate(io.Discard, "page", new(data)); err != nil {
			t.Fatal(err)
		}
		if len(all.made) > maxMade || all.within != 0 {
			t.Fatalf("%d are kept, %d under way; want at most %d, and none", len(all.made), all.within, maxMade)
		}
	}
}

// TestTemplatesAreHermetic holds that no function reaches the environment, the clock or
// chance.
func TestTemplatesAreHermetic(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"env", "expandenv", "getHostByName", "now", "date", "randAlpha", "uuidv4", "genPrivateKey", "ago", "htpasswd", "shuffle"} {
		if _, found := htmlFuncs()[name]; found {
			t.Errorf("%s is there in HTML", name)
		}
		if _, found := textFuncs()[name]; found {
			t.Errorf("%s is there in text", name)
		}
	}
}
