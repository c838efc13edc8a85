package pdf

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

// TestCodes holds that characters are drawn whose codes have bytes that mean something in
// a PDF: brackets, backslash, line feed and carriage return.
func TestCodes(t *testing.T) {
	t.Parallel()
	const text = "ĨĩŜčĊ (\\) \\r"
	report := demo.Nights(3).At(3)
	report.Hosts[0].Ports[0].Service.Product = text
	if shown := textOf(t, write(t, Options{}, report)); !strings.Contains(shown, text) {
		t.Errorf("%q does not show in\n%s", text, shown)
	}
}

// TestNoSpecimen holds that the page with the characters, which gofpdf must see drawn to
// embed them, is nowhere in the document.
func TestNoSpecimen(t *testing.T) {
	t.Parallel()
	var o Options
	d, err := o.compose(demo.Nights(3).At(3))
	if err != nil {
		t.Fatal(err)
	}
	blank, err := d.blank(state.Report{}, o.Brand)
	if err != nil {
		t.Fatal(err)
	}
	characters := string(literal(nil, string(d.fonts.regular.characters())))
	if n := bytes.Count(blank, []byte(characters)); n != 1 {
		t.Errorf("the specimen stands %d times in the blank document", n)
	}
	content, err := d.fill(blank, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse(blank)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := f.pages()
	if err != nil {
		t.Fatal(err)
	}
	if whole := bytes.Count(content, []byte("/Type /Page\n")); whole != len(d.sheets) || len(pages) != whole+1 {
		t.Errorf("%d pages of %d, with %d sheets", whole, len(pages), len(d.sheets))
	}
	if err := validate(content); err != nil {
		t.Error(err)
	}
}

// TestParse holds that a document that is not as gofpdf writes it is refused, wherever
// it is broken.
func TestParse(t *testing.T) {
	t.Parallel()
	var o Options
	d, err := o.compose(state.Report{})
	if err != nil {
		t.Fatal(err)
	}
	blank, err := d.blank(state.Report{}, o.Brand)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.fill(blank, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"startxref", "xref\n0 ", "/Root ", "/Info ", "/Kids [", "1 0 obj", "/Type /Page\n", "/Contents ", "/Font <<\n/F", "/BaseFont /utf8", "%%EOF"} {
		broken := bytes.ReplaceAll(blank, []byte(words), bytes.Repeat([]byte("-"), len(words)))
		if bytes.Equal(broken, blank) {
			t.Errorf("the document has no %q", words)
		}
		if _, err := d.fill(broken, time.Time{}); err == nil {
			t.Errorf("a document without %q passes", words)
		}
	}
	for _, part := range [][]byte{nil, blank[:len(blank)/2], blank[100:], append(bytes.Clone(blank), blank[:9]...)} {
		if _, err := d.fill(part, time.Time{}); err == nil {
			t.Errorf("a part of %d bytes passes", len(part))
		}
	}
}
