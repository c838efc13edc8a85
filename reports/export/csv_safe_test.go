package export

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSafeCells(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "nginx 1.22": "nginx 1.22", "a=1": "a=1", "ssl/http": "ssl/http", "   ": "   ", "a-b": "a-b", "a; b | c": "a; b | c", "2026-11-01T02:00:00Z": "2026-11-01T02:00:00Z", "open|filtered": "open|filtered", " ": " ",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "＝1": "'＝1", "＠x": "'＠x",
		"  =1": "'  =1", "\u00a0=1": "'\u00a0=1", "\u3000=1": "'\u3000=1", "\u200b=1": "'\u200b=1", "\ufeff=1": "'\ufeff=1", "\u2060\u202e-1": "'\u2060\u202e-1", "\x00=1": "'\x00=1", "\xff=1": "'\xff=1", "\u0301=1": "'\u0301=1",
		"\t=1": "'\t'=1", " \t=1": "' \t'=1", "\r=1": "'\r'=1", "\n=1": "'\n'=1", "\tx": "'\tx", "\ra": "'\ra", "\na": "'\na", "  =cmd|' /C calc'!A0": "'  =cmd|' /C calc'!A0", "\n\t=1": "'\n\t'=1",
		"a;=1": "a;'=1", "a; =1": "a;' =1", "a|@x": "a|'@x", "a\t=1": "a\t'=1", "a\r\n=1": "a\r\n'=1", "a\u2028=1": "a\u2028'=1", "a;b;-c;=d": "a;b;'-c;'=d", "=a;=b": "'=a;'=b", "'=1": "'=1",
	} {
		if got := safe(cell); got != want {
			t.Errorf("%q becomes %q, want %q", cell, got, want)
		}
	}
}

// FuzzSafeCells holds that no reading of the table begins a cell with a formula, and
// that nothing but apostrophes comes to a text.
func FuzzSafeCells(f *testing.F) {
	for _, text := range append(hostileTexts(), "a;\u200b=1", "\t\t=", ";=") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		table := newTable(&out)
		table.row("first", text, "last")
		if err := table.end(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
		if err != nil || len(rows) != 1 || len(rows[0]) != 3 {
			t.Fatalf("%q: %v, %q", text, err, rows)
		}
		cell := safe(text)
		if strings.ReplaceAll(cell, "'", "") != strings.ReplaceAll(text, "'", "") {
			t.Errorf("%q becomes %q", text, cell)
		}
		for _, part := range strings.FieldsFunc(cell, isSeparator) {
			seen := strings.TrimLeftFunc(part, isUnseen)
			if r, _ := utf8.DecodeRuneInString(seen); seen != "" && isFormula(r) {
				t.Errorf("%q begins a formula in %q", part, cell)
			}
		}
	})
}
