package state

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
)

// constants returns the values of the constants of a type, from the source itself.
func constants(t *testing.T, file, of string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == of {
			value, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			list = append(list, value)
		}
		return true
	})
	slices.Sort(list)
	return list
}

func words[T ~string](kinds []T) []string {
	list := make([]string, len(kinds))
	for i, k := range kinds {
		list[i] = string(k)
	}
	slices.Sort(list)
	return list
}

func TestKindsAreAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, of string
		listed   []string
	}{
		{"change.go", "Kind", words(Kinds())},
		{"finding.go", "FindingKind", words(FindingKinds())},
		{"finding.go", "AlertKind", words(AlertKinds())},
		{"change.go", "Severity", words(Severities())},
	} {
		if all := constants(t, c.file, c.of); len(all) == 0 || !slices.Equal(all, c.listed) {
			t.Errorf("%s: the constants are %q, the list is %q", c.of, all, c.listed)
		}
	}
}
