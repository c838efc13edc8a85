package main

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
	"ownmap/reports/site"
)

// TestNothingBreaksOut says each text of the corpus wherever a text can stand, and holds
// that every output is built as it is with harmless texts: the same elements, attributes
// and links, the same columns and keys, the same headers, the same files; and that no
// character comes through that cannot be seen or that moves others.
func TestNothingBreaksOut(t *testing.T) {
	t.Parallel()
	corpus := demo.Corpus()
	harmless := make([]string, len(corpus))
	for i := range harmless {
		if harmless[i] = fmt.Sprint("harmless", i); strings.TrimSpace(corpus[i]) == "" {
			harmless[i] = corpus[i] // nothing is built otherwise than something
		}
	}
	evil, good := outputs(t, corpus), outputs(t, harmless)
	names := func(files map[string][]byte) []string {
		var list []string
		for name := range files {
			list = append(list, name)
		}
		slices.Sort(list)
		return list
	}
	if d := cmp.Diff(names(good), names(evil)); d != "" {
		t.Errorf("there are other files (-harmless +hostile):\n%s", d)
	}
	seen := 0
	for name, content := range evil {
		was, is := shape(t, name, good[name]), shape(t, name, content)
		if d := cmp.Diff(was, is); d != "" {
			t.Errorf("%s is built otherwise (-harmless +hostile):\n%.3000s", name, d)
		}
		seen += len(is)
	}
	if len(evil) < 190 || seen < 10_000 {
		t.Errorf("only %d outputs of %d pieces were looked at", len(evil), seen)
	}
}

// outputs makes every report of a network whose hosts say the texts.
func outputs(t *testing.T, texts []string) map[string][]byte {
	t.Helper()
	network := demo.Saying(texts)
	report, dir := network.At(3), t.TempDir()
	files := map[string][]byte{}
	look := appearance{brand: state.Brand{Organisation: texts[0]}, inventory: 2000, archive: "https://ownmap.example.org/archive/"}
	for _, f := range (&app{}).reportFormats(look) {
		var out bytes.Buffer
		if err := f.write(&out, report); err != nil {
			t.Fatalf("%s: %v", f.names[0], err)
		}
		files[f.names[0]+"."+f.ext] = out.Bytes()
	}
	archive := look.site(dir, network, site.Retention{Runs: 1}) // the others are stubs
	if err := archive.Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files["archive/"+name] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// shape returns what an output is built of, without the texts in it, and fails the test
// for a character that should have been made visible.
func shape(t *testing.T, name string, content []byte) []string {
	t.Helper()
	switch filepath.Ext(name) {
	case ".html":
		return shapeOfHTML(t, name, content)
	case ".xml":
		return shapeOfXML(t, name, content)
	case ".json":
		return shapeOfJSON(t, name, content)
	case ".csv":
		return shapeOfCSV(t, name, content)
	case ".eml":
		return shapeOfMail(t, name, content)
	case ".pdf":
		return shapeOfPDF(t, name, content)
	case ".md", ".txt":
		visible(t, name, string(content))
		return []string{name}
	}
	return []string{name}
}

// visible fails the test when a text has a character that does something else than show
// itself; lines may end.
func visible(t *testing.T, name, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%s is no UTF-8", name)
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", " ")
		for chunk := range slices.Chunk([]rune(line), 40) {
			if piece := string(chunk); state.Clean(piece) != piece {
				t.Errorf("%s has characters that cannot be seen: %q", name, piece)
				return
			}
		}
	}
}

func shapeOfHTML(t *testing.T, name string, content []byte) []string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var shape []string
	for n := range root.Descendants() {
		switch n.Type {
		case html.ElementNode:
			piece := []string{n.Data}
			for _, a := range n.Attr {
				visible(t, name, a.Val)
				switch a.Key {
				case "href", "src", "action", "style", "http-equiv":
					piece = append(piece, a.Key+"="+a.Val)
				default:
					piece = append(piece, a.Key)
				}
			}
			shape = append(shape, strings.Join(piece, " "))
		case html.CommentNode:
			shape = append(shape, "<!--")
		case html.TextNode:
			visible(t, name, n.Data)
		case html.DocumentNode, html.DoctypeNode, html.ErrorNode, html.RawNode:
		}
	}
	return shape
}

func shapeOfXML(t *testing.T, name string, content []byte) []string {
	t.Helper()
	var shape []string
	decoder := xml.NewDecoder(bytes.NewReader(content))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return shape
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			pieces := []string{token.Name.Local}
			for _, a := range token.Attr {
				visible(t, name, a.Value)
				pieces = append(pieces, a.Name.Local)
				if a.Name.Local == "href" {
					pieces = append(pieces, a.Value)
				}
			}
			shape = append(shape, strings.Join(pieces, " "))
		case xml.CharData:
			visible(t, name, string(token))
		case xml.ProcInst, xml.Directive:
			shape = append(shape, fmt.Sprintf("%s", token))
		}
	}
}

func shapeOfJSON(t *testing.T, name string, content []byte) []string {
	t.Helper()
	var value any
	if err := json.Unmarshal(content, &value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var shape []string
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(path+"."+key, inner)
			}
		case []any:
			for _, inner := range v {
				walk(path+"[]", inner)
			}
		default:
			shape = append(shape, path)
		}
	}
	walk("", value)
	slices.Sort(shape)
	visible(t, name, string(content)) // whatever reads it may print it
	return shape
}

func shapeOfCSV(t *testing.T, name string, content []byte) []string {
	t.Helper()
	records, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	shape := make([]string, len(records))
	for i, record := range records {
		shape[i] = fmt.Sprint(len(record), " columns")
		for _, cell := range record {
			visible(t, name, cell)
			if head := strings.TrimLeft(cell, " "); head != "" && strings.ContainsAny(head[:1], "=+-@") || strings.HasPrefix(head, "＝") || strings.HasPrefix(head, "＠") {
				t.Errorf("%s has a formula: %q", name, cell)
			}
		}
	}
	return shape
}

func shapeOfMail(t *testing.T, name string, content []byte) []string {
	t.Helper()
	message, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var shape []string
	for key, values := range message.Header {
		shape = append(shape, fmt.Sprint(key, len(values)))
		decoded, err := new(mime.WordDecoder).DecodeHeader(values[0])
		if err != nil {
			t.Errorf("%s: %s: %v", name, key, err)
		}
		visible(t, name+" "+key, decoded)
	}
	slices.Sort(shape)
	for _, part := range partsOf(t, name, content) {
		shape = append(shape, part.kind)
		if !part.html {
			visible(t, name, string(part.text))
			continue
		}
		pieces := shapeOfHTML(t, name, part.text) // longer texts leave room for fewer rows
		for i, piece := range pieces {
			pieces[i] = regexp.MustCompile(`/host/[0-9a-f]{2}/\d+\.html`).ReplaceAllString(piece, "/host/N.html")
		}
		slices.Sort(pieces)
		shape = append(shape, slices.Compact(pieces)...)
	}
	return shape
}

// mailPart is a part of a mail, decoded.
type mailPart struct {
	kind string // its Content-Type
	html bool
	text []byte
}

func partsOf(t *testing.T, name string, content []byte) []mailPart {
	t.Helper()
	message, err := mail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var list []mailPart
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var body io.Reader = part
		switch encoding := strings.ToLower(part.Header.Get("Content-Transfer-Encoding")); encoding {
		case "quoted-printable":
			body = quotedprintable.NewReader(part)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, part)
		default:
			t.Fatalf("%s: a part is encoded as %q", name, encoding)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		kind := part.Header.Get("Content-Type")
		list = append(list, mailPart{kind, strings.HasPrefix(kind, "text/html"), text})
	}
}

// shapeOfPDF returns the links and actions of a PDF, of which there are none: nothing
// that a host says may become one.
func shapeOfPDF(t *testing.T, name string, content []byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	// pdftotext puts marks around what is written from right to left.
	visible(t, name, strings.NewReplacer("\f", "\n", "\u202a", "", "\u202b", "", "\u202c", "").Replace(string(text)))
	for _, word := range []string{"/JavaScript", "/JS", "/Launch", "/URI", "/OpenAction"} {
		if bytes.Contains(content, []byte(word)) {
			t.Errorf("%s has %s", name, word)
		}
	}
	return []string{name}
}
