package nmapxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// samples are documents that each tries one rule of XML, and nmap's own.
func samples(tb testing.TB) []string {
	tb.Helper()
	files, err := filepath.Glob("../scan/testdata/*.xml")
	more, errMore := filepath.Glob("../scan/testdata/coverage/*.xml")
	if err = errors.Join(err, errMore); err != nil || len(files) == 0 || len(more) == 0 {
		tb.Fatalf("%d and %d files of nmap's, %v", len(files), len(more), err)
	}
	var out []string
	for _, file := range append(files, more...) {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, string(text))
	}
	for _, inner := range []string{
		"", " ", "text", "<a/>", "<a />", "<a / >", "<a></a>", "<a></a >", "</a>", "<a>", "<a></b>", "<a><b></a></b>", "<a:b></a:b>", "<a:b></b>", "<:b/>", "<b:/>", "<a:b:c/>", "<1/>", "<-a/>", "<a.b-c_1/>",
		"<é/>", "<aé é='1'/>", "<\u00d7/>", "<a\xff/>", "< a/>", "<a<b/>", "<a'/>'/>", "<>", "</>", "<", "</", "<a", "<a b", "<a b=", "<a b='", "<a b='>'/>", `<a b=">'"/>`, "<a b=c/>", "<a b/>", "<a b='1'c='2'/>",
		"<a b = '1'\r\n\tc\n=\n'2'\n/>", "<a b='1' b='2'/>", "<a x:b='1' xmlns:x='u' xmlns='v'/>", "<a b='<'/>", "<a b=']]>'/>", "<a>]]></a>", "<a>]]&gt;</a>", "<a>]]<!-- -->></a>", "<a b=/>", "<a /b=''>", "<a b=''/ >",
		"&lt;&gt;&amp;&apos;&quot;", "<a b='&lt;&#60;&#x3c;&#X3c;'/>", "<a b='&#9;&#10;&#13;'/>", "&#0;", "&#27;", "&#x1F600;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&#00000000000000000000000000000065;", "&#99999999999999999999999;",
		"&#;", "&#x;", "&;", "&", "&lt", "&lt ;", "&LT;", "&xxe;", "&a:b;", "&#+5;", "&#1_0;", "&&lt;", "a\rb\r\nc\r\r\nd\n\re", "<a b='\r\n\r'/>", "\x00", "\x1b", "\x7f", "\u0085", "\ufffe", "\ufffd", "\xff", "\xed\xa0\x80", "\xf0\x9f\x98\x80", "\xc0\x80", "\xe2\x82",
		"<!---->", "<!-- a -- b -->", "<!--->", "<!-- -", "<!- a -->", "<![CDATA[]]>", "<![CDATA[<a>&b;]]>", "<![CDATA[\x1b]]>", "<![CDATA[a]]", "<![CDATO[]]>", "<?a?>", "<?a b?>", "<??>", "<?a", "<?1?>", "<?xml version='1.1'?>", "<?xml encoding='latin1'?>",
		"<!DOCTYPE nmaprun>", "<!DOCTYPE html>", "<!ENTITY a 'b'>", "<!DOCTYPE nmaprun <!-- c --> >", "<!>", "<!", "<!DOCTYPE nmaprun PUBLIC \"a>b\" '[' >", "<!DOCTYPE nmaprun PUBLIC <<a>> >",
		strings.Repeat("<a>", 15) + strings.Repeat("</a>", 15), strings.Repeat("<a>", 16) + strings.Repeat("</a>", 16), "<a " + strings.Repeat("b='' ", 64) + "/>", "<a " + strings.Repeat("b='' ", 65) + "/>", "<nmaprun/>",
	} {
		out = append(out, "<nmaprun>"+inner+"</nmaprun>", "<nmaprun>"+inner, inner+"<nmaprun/>", "<nmaprun/>"+inner)
	}
	return append(out, "", "<html/>", "\ufeff<nmaprun/>", "<nmaprun/><nmaprun/>", "<x:nmaprun></x:nmaprun>", "<nmaprun args='"+strings.Repeat("a&amp;", firstBuffer/3)+"'>"+strings.Repeat("b\r\n", firstBuffer)+"</nmaprun>")
}

func scanned(r io.Reader) (tokens []token, err error) {
	s := NewScanner(r)
	for {
		kind, err := s.Next()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		if err != nil {
			return tokens, err
		}
		next := token{kind: kind}
		switch kind {
		case Start:
			next.name = string(s.Name())
			for _, a := range s.Attrs() {
				next.attrs = append(next.attrs, [2]string{string(a.Name), string(a.Value)})
			}
		case End:
			next.name = string(s.Name())
		case Text:
			next.text = string(s.Text())
		}
		tokens = append(tokens, next)
	}
}

// agree fails unless both scanners find the same tokens, or both refuse.
func agree(t *testing.T, text string, source io.Reader) {
	t.Helper()
	want, wantErr := expected(strings.NewReader(text))
	got, gotErr := scanned(source)
	switch {
	case (wantErr == nil) != (gotErr == nil):
		t.Errorf("%.200q: %v, encoding/xml says %v", text, gotErr, wantErr)
	case wantErr == nil && !reflect.DeepEqual(got, want):
		t.Errorf("%.200q:\n%.500q, encoding/xml finds\n%.500q", text, got, want)
	}
}

// However a document comes in, it is read as encoding/xml reads it.
func TestAgreesWithEncodingXML(t *testing.T) {
	t.Parallel()
	taken := 0
	for _, text := range samples(t) {
		agree(t, text, strings.NewReader(text))
		agree(t, text, iotest.OneByteReader(strings.NewReader(text)))
		agree(t, text, iotest.DataErrReader(strings.NewReader(text)))
		if _, err := expected(strings.NewReader(text)); err == nil {
			taken++
		}
	}
	if all := len(samples(t)); taken < all/8 || taken > all*7/8 {
		t.Errorf("%d of %d samples are good: one side is hardly tried", taken, all)
	}
}

// A document that is cut anywhere is refused.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../scan/testdata/services.xml")
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.TrimSpace(text)
	for n := range text {
		if _, err := scanned(bytes.NewReader(text[:n])); !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
}

// What a source fails with comes through, and a scanner that failed goes on
// failing.
func TestSourceFails(t *testing.T) {
	t.Parallel()
	fault := errors.New("disk gone")
	for _, head := range []string{"", "<nmap", "<nmaprun>", "<nmaprun>text", "<nmaprun><!-- ", "<nmaprun><", "<nmaprun a='"} {
		s := NewScanner(io.MultiReader(strings.NewReader(head), iotest.ErrReader(fault)))
		var err error
		for err == nil {
			_, err = s.Next()
		}
		if _, again := s.Next(); !errors.Is(err, fault) || !errors.Is(again, fault) {
			t.Errorf("after %q: %v, then %v", head, err, again)
		}
	}
	if _, err := scanned(stuck{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a source that gives nothing: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// Nothing makes the scanner keep more than a token, nor a token of any length.
func TestTooLong(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"<nmaprun ", "<nmaprun a='", "<nmaprun>", "<nmaprun><!-- ", "<nmaprun></"} {
		endless := io.MultiReader(strings.NewReader(head), letters{})
		s := NewScanner(endless)
		var err error
		for err == nil {
			_, err = s.Next()
		}
		if !errors.Is(err, ErrTooLong) || cap(s.buf) > 2*maxToken {
			t.Errorf("endless after %q: %v with %d bytes kept", head, err, cap(s.buf))
		}
	}
	hosts := strings.Repeat("<host><status state='up'/> </host>\n", 100_000)
	s := NewScanner(strings.NewReader("<nmaprun>" + hosts + "</nmaprun>"))
	for {
		if _, err := s.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if cap(s.buf) != firstBuffer || s.Line() != 100_001 {
		t.Errorf("%d bytes kept over %d, line %d", cap(s.buf), len(hosts), s.Line())
	}
}

// letters gives the letter a without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestSkip(t *testing.T) {
	t.Parallel()
	s := NewScanner(strings.NewReader("<nmaprun><a/><b><a><c/></a>x</b><d/></nmaprun>"))
	var seen []string
	for {
		kind, err := s.Next()
		if err != nil {
			break
		}
		if kind == Start {
			seen = append(seen, string(s.Name()))
			if name := string(s.Name()); name == "a" || name == "b" {
				if err := s.Skip(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if got := strings.Join(seen, " "); got != "nmaprun a b d" {
		t.Errorf("read %s", got)
	}
	s = NewScanner(strings.NewReader("<nmaprun><a>"))
	_, _ = s.Next()
	if err := s.Skip(); !errors.Is(err, ErrTruncated) {
		t.Errorf("Skip in a document that is cut: %v", err)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"<nmaprun>\n\n<a b=c/>":                   3,
		"<nmaprun>\r\n<a\n\nb='&#10;'/>\n</b>":    5,
		"<nmaprun>\n<!--\n-->\n&xxe;</nmaprun>":   4,
		"<nmaprun>" + strings.Repeat("\n", 1<<17): 1<<17 + 1,
	} {
		s := NewScanner(strings.NewReader(text))
		var err error
		for err == nil {
			_, err = s.Next()
		}
		if s.Line() != want {
			t.Errorf("%.40q: %v, line %d, want %d", text, err, s.Line(), want)
		}
	}
}

// FuzzScanner holds the scanner against encoding/xml: the same tokens, or both
// refuse.
func FuzzScanner(f *testing.F) {
	for _, text := range samples(f) {
		if len(text) < 8<<10 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		agree(t, text, strings.NewReader(text))
		agree(t, text, iotest.OneByteReader(strings.NewReader(text)))
	})
}

func BenchmarkScanner(b *testing.B) {
	text, err := os.ReadFile("../scan/testdata/services.xml")
	if err != nil {
		b.Fatal(err)
	}
	head, tail, _ := bytes.Cut(text, []byte("<host "))
	hosts, tail, _ := bytes.Cut(tail, []byte("<runstats"))
	text = slices.Concat(head, bytes.Repeat(append([]byte("<host "), hosts...), 500), []byte("<runstats"), tail)
	for name, read := range map[string]func(io.Reader) error{
		"own": func(r io.Reader) error {
			s := NewScanner(r)
			for {
				if _, err := s.Next(); err != nil {
					return err
				}
			}
		},
		"encoding-xml": func(r io.Reader) error {
			d := xml.NewDecoder(r)
			for {
				if _, err := d.Token(); err != nil {
					return err
				}
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if err := read(bytes.NewReader(text)); !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
		})
	}
}
