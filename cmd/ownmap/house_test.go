package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// What may stand at the top of the repository (and what tools leave there without committing it).
const topLevel = `cmd docs pipeline queries reports templates migrations config.example.yaml sqlc.yaml
	go.mod go.sum go.tool.mod go.tool.sum Makefile README.md ARCHITECTURE.md CHANGELOG.md LICENSE
	.ci .golangci.yml .goreleaser.yaml .gitignore .gitattributes .git bin dist`

// rooms maps every folder with Go code to the rooms of ours that its code may import. Imports go one way:
// cmd knows everything, the stages know the words in pipeline/state, and nobody knows who reads a report.
func rooms() map[string]string {
	report := "pipeline/state templates"
	return map[string]string{
		"cmd/ownmap":               "*",
		"cmd/ownmap/manual":        "",
		"cmd/ownmap/packaging":     "",
		"migrations":               "",
		"pipeline":                 "pipeline/diff pipeline/state",
		"pipeline/alert":           "pipeline/state",
		"pipeline/banner":          "pipeline/state",
		"pipeline/desk":            "pipeline/alert pipeline/load pipeline/persist pipeline/state",
		"pipeline/diff":            "pipeline/state",
		"pipeline/egress":          "",
		"pipeline/enrich":          "pipeline/enrich/listing pipeline/enrich/login pipeline/state",
		"pipeline/enrich/listing":  "pipeline/state",
		"pipeline/enrich/login":    "pipeline/state",
		"pipeline/lab":             "migrations pipeline/persist pipeline/persist/private pipeline/state",
		"pipeline/lab/browser":     "",
		"pipeline/lab/booklab":     "pipeline/diff pipeline/lab pipeline/persist pipeline/state",
		"pipeline/lab/demo":        "pipeline/state",
		"pipeline/lab/benchscan":   "pipeline/lab pipeline/lab/netlab",
		"pipeline/lab/benchweb":    "pipeline/lab pipeline/persist pipeline/persist/private",
		"pipeline/lab/netlab":      "",
		"pipeline/lab/oidclab":     "",
		"pipeline/lab/sshlab":      "",
		"pipeline/lab/smtplab":     "",
		"pipeline/link":            "pipeline/state",
		"pipeline/load":            "pipeline/alert pipeline/state",
		"pipeline/nmapxml":         "",
		"pipeline/outbox":          "pipeline/state",
		"pipeline/persist":         "migrations pipeline pipeline/diff pipeline/persist/index pipeline/persist/private pipeline/state queries",
		"pipeline/persist/index":   "pipeline/state",
		"pipeline/persist/private": "",
		"pipeline/queue":           "pipeline/persist pipeline/state",
		"pipeline/scan":            "pipeline/banner pipeline/nmapxml pipeline/state",
		"pipeline/state":           "",
		"queries":                  "",
		"reports/email":            report + " templates/piece",
		"reports/export":           report,
		"reports/filedrop":         report,
		"reports/heartbeat":        report,
		"reports/metrics":          report,
		"reports/notify":           report,
		"reports/pdf":              report,
		"reports/short":            report,
		"reports/siem":             report,
		"reports/site":             report + " templates/piece",
		"reports/slack":            report,
		"reports/text":             report,
		"reports/web":              report + " templates/piece reports/web/access",
		"reports/web/access":       "pipeline/state",
		"reports/webhook":          report,
		"templates":                "",
		"templates/piece":          "pipeline/state",
	}
}

// mayUse says whether code of a room may import a package: one of ours by rooms, tests besides the lab and what
// sets up a database, those of the web page its desk, and those of the outbox, which kill whole nights, what a night is made of; pgx and nmap's library
// only in the rooms that speak to them; nothing but Go's own in the words.
func mayUse(room, pkg string, test bool) bool {
	first, _, _ := strings.Cut(pkg, "/")
	own, isOwn := strings.CutPrefix(pkg, "ownmap/")
	switch {
	case test && isOwn:
		forTests := room + " migrations pipeline/lab pipeline/lab/booklab pipeline/lab/browser pipeline/lab/demo pipeline/lab/netlab pipeline/lab/oidclab pipeline/lab/sshlab pipeline/lab/smtplab pipeline/link pipeline/persist pipeline/persist/private pipeline/state"
		if room == "reports/web" {
			forTests += " pipeline/desk pipeline/load"
		}
		if room == "pipeline/outbox" {
			forTests += " pipeline pipeline/alert reports/email"
		}
		return slices.Contains(strings.Fields(rooms()[room]+" "+forTests), own) || rooms()[room] == "*"
	case isOwn:
		return slices.Contains(strings.Fields(rooms()[room]), own) || rooms()[room] == "*" && !strings.HasPrefix(own, "pipeline/lab")
	case strings.HasPrefix(pkg, "github.com/Ullaakut/nmap/"):
		return room == "pipeline/scan"
	case test:
		return true
	case strings.HasPrefix(pkg, "github.com/jackc/pgx/"):
		return slices.Contains([]string{"cmd/ownmap", "pipeline/lab", "pipeline/persist", "pipeline/persist/private", "pipeline/queue", "queries"}, room)
	}
	return !strings.Contains(first, ".") || room != "pipeline/state" && room != "pipeline/diff"
}

// inspect returns what in the repository is not where or how the house wants it.
func inspect(repository fs.FS) (faults []string, err error) {
	top, err := fs.ReadDir(repository, ".")
	if err != nil {
		return nil, err
	}
	for _, entry := range top {
		if !slices.Contains(strings.Fields(topLevel), entry.Name()) {
			faults = append(faults, entry.Name()+": has no place at the top level")
		}
	}
	err = fs.WalkDir(repository, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		source, err := fs.ReadFile(repository, name)
		if err != nil {
			return err
		}
		found, err := inspectFile(name, source)
		faults = append(faults, found...)
		return err
	})
	return faults, err
}

func inspectFile(name string, source []byte) (faults []string, err error) {
	fault := func(format string, args ...any) { faults = append(faults, name+": "+fmt.Sprintf(format, args...)) }
	room, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
	if _, known := rooms()[room]; !known {
		fault("no such room in the house: %s", room)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	for _, spec := range file.Imports {
		if pkg := strings.Trim(spec.Path.Value, `"`); !mayUse(room, pkg, test) {
			fault("must not import %s", pkg)
		}
	}
	if test || strings.HasSuffix(name, ".gen.go") {
		return faults, nil
	}
	if lines := bytes.Count(source, []byte("\n")); lines > 300 {
		fault("%d lines, more than 300", lines)
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil && decl.Name.Name == "init" {
				fault("init() hides what happens at the start")
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if value, ok := spec.(*ast.ValueSpec); ok && decl.Tok == token.VAR && !mayBeGlobal(decl, value) {
					fault("package variable %s", value.Names[0])
				}
			}
		}
	}
	return faults, nil
}

// mayBeGlobal allows errors, embedded files, parsed templates, interface guards, what sets up a library once, and the
// version that the linker sets.
func mayBeGlobal(decl *ast.GenDecl, value *ast.ValueSpec) bool {
	if name := value.Names[0].Name; name == "_" || name == "version" && len(value.Values) == 0 {
		return true
	}
	for _, doc := range []*ast.CommentGroup{decl.Doc, value.Doc} {
		if doc != nil && strings.HasPrefix(doc.List[len(doc.List)-1].Text, "//go:embed ") {
			return true
		}
	}
	for _, expr := range value.Values {
		call, ok := expr.(*ast.CallExpr)
		if !ok {
			return false
		}
		if name, ok := call.Fun.(*ast.Ident); ok && strings.HasPrefix(name.Name, "parse") {
			continue // templates that share a layout are parsed by a function of the package
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if pkg, ok := fun.X.(*ast.Ident); !ok || !slices.Contains([]string{"errors.New", "fmt.Errorf", "template.Must", "sync.OnceFunc"}, pkg.Name+"."+fun.Sel.Name) {
			return false
		}
	}
	return len(value.Values) > 0
}

// TestHouse holds the layout: who may import whom, how long a file gets, what is global.
// It reads the files itself, so that go test's cache notices every change.
func TestHouse(t *testing.T) {
	t.Parallel()
	faults, err := inspect(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// TestHouseNotices plants one fault of each kind: a guard that never fires guards nothing.
func TestHouseNotices(t *testing.T) {
	t.Parallel()
	for want, file := range map[string]struct{ name, source string }{
		"tools: has no place at the top level":        {"tools/x.txt", ""},
		"no such room in the house: pipeline/util":    {"pipeline/util/x.go", "package util"},
		"must not import ownmap/reports/site":         {"pipeline/run.go", "package pipeline\nimport \"ownmap/reports/site\""},
		"must not import ownmap/queries":              {"reports/site/x.go", "package site\nimport \"ownmap/queries\""},
		"must not import ownmap/pipeline/lab":         {"cmd/ownmap/x.go", "package main\nimport \"ownmap/pipeline/lab\""},
		"must not import ownmap/reports/web":          {"reports/site/x_test.go", "package site\nimport \"ownmap/reports/web\""},
		"must not import github.com/spf13/cobra":      {"pipeline/state/x.go", "package state\nimport \"github.com/spf13/cobra\""},
		"must not import github.com/jackc/pgx/v5":     {"reports/web/x.go", "package web\nimport \"github.com/jackc/pgx/v5\""},
		"must not import github.com/Ullaakut/nmap/v3": {"cmd/ownmap/x_test.go", "package main\nimport \"github.com/Ullaakut/nmap/v3\""},
		"301 lines, more than 300":                    {"pipeline/x.go", "package pipeline" + strings.Repeat("\n", 301)},
		"init() hides what happens at the start":      {"pipeline/x.go", "package pipeline\nfunc init() {}"},
		"package variable cache":                      {"pipeline/x.go", "package pipeline\nvar cache = map[string]int{}"},
		"package variable count":                      {"pipeline/x.go", "package pipeline\nvar count int"},
	} {
		faults, err := inspect(fstest.MapFS{file.name: {Data: []byte(file.source)}})
		if err != nil || len(faults) != 1 || !strings.HasSuffix(faults[0], want) {
			t.Errorf("%s: want %q, got %q, %v", file.name, want, faults, err)
		}
	}
}
