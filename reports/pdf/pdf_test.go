package pdf

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
)

func write(tb testing.TB, o Options, report state.Report) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := New(o).Write(&out, report); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// tool runs one of poppler's programs on a PDF.
func tool(tb testing.TB, content []byte, name string, args ...string) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "report.pdf")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		tb.Fatal(err)
	}
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "FILE", file)
	}
	out, err := exec.CommandContext(tb.Context(), name, args...).Output()
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// textOf returns the text of a PDF, less the marks that pdftotext puts around what is
// written from right to left.
func textOf(tb testing.TB, content []byte) string {
	tb.Helper()
	return strings.NewReplacer("\u202a", "", "\u202b", "", "\u202c", "").Replace(tool(tb, content, "pdftotext", "-layout", "FILE", "-"))
}

func has(t *testing.T, text string, words ...string) {
	t.Helper()
	folded := strings.Join(strings.Fields(text), " ")
	for _, w := range words {
		if !strings.Contains(folded, w) {
			t.Errorf("the PDF does not say %q:\n%.4000s", w, text)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	content := write(t, Options{Brand: state.Brand{Organisation: "Übung & Söhne"}, Inventory: 20, Notices: []string{"Template x: broken."}}, demo.Nights(49).At(49))
	text := textOf(t, content)
	has(t, text,
		"Übung & Söhne", "Outside and inside do not agree", "4 changes, 10 ports unapproved, 5 grave disagreements, 11 of 12 hosts answered",
		"Run 49 of 2026-11-18 02:00 UTC, took 3 min 0 s, nmap 7.93 (SYN scan), compared with run 48 of 2026-11-17 02:00", "Template x: broken.",
		"2 high, 1 medium, 1 info", "+ 53/udp port opened domain ISC BIND 9.18.28 (Debian) high", "build@example.org 2 0 0 0 2 2026-10-01",
		"redis Redis key-value store 7.0.15", "2026-10-31, 18 days", "critical web-1.example.org (192.0.2.11) 31337/tcp hidden from tool", "calls 65535 TCP ports open",
		"db-1.example.org (10.20.0.21) tcp silent no answer 2026-11-16 02:00 2", "SSH host key unknown never ownmap hostkeys accept 192.0.2.30",
		"The port set of profile standard changed", "20 of 30 ports are shown. The archive's CSV and JSON of this run have them all.", "alice, 2026-10-01: public web site", "until 2026-12-31:", "by sshd (root, ssh.service)",
	)
	pages := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
	for i, page := range pages {
		has(t, page, "Made by OwnMap. All times are UTC.")
		if want := regexp.MustCompile(`page (\d+) of (\d+)`).FindStringSubmatch(page); want == nil || want[1] != strconv.Itoa(i+1) || want[2] != strconv.Itoa(len(pages)) {
			t.Errorf("page %d of %d says %q", i+1, len(pages), want)
		}
	}
	has(t, textOf(t, write(t, Options{}, demo.Nights(48).At(48))), "Approvals that ended", "drifted bob 2026-10-02 http")
	has(t, textOf(t, write(t, Options{}, demo.Nights(49).At(1))), "Baseline: 22 ports await approval", "This is the baseline")
	has(t, textOf(t, write(t, Options{}, state.Report{})), "no host was looked at", "No host was asked.", "No open ports.")
}

// TestOutline holds that every section stands in the outline and in the contents, on the
// page that it is on.
func TestOutline(t *testing.T) {
	t.Parallel()
	content := write(t, Options{Inventory: 2000}, demo.Nights(49).At(49))
	marks, err := api.Bookmarks(bytes.NewReader(content), nil)
	if err != nil {
		t.Fatal(err)
	}
	pages := strings.Split(textOf(t, content), "\f")
	var titles []string
	for _, m := range marks {
		titles = append(titles, m.Title)
		has(t, pages[m.PageFrom-1], m.Title)
		if !regexp.MustCompile(`(?m) ` + m.Title + `\s+` + strconv.Itoa(m.PageFrom) + `$`).MatchString(pages[0]) {
			t.Errorf("the contents on the cover do not have %q on page %d:\n%s", m.Title, m.PageFrom, pages[0])
		}
	}
	if got := strings.Join(titles, ", "); got != "What changed, Unapproved, Disagreements, Findings, Not the same from every vantage, Flapping, Coverage, Notes, Inventory" {
		t.Errorf("the outline is %s", got)
	}
}

// TestLongTables holds that a table repeats its head on each page, and that what does
// not fit into the report is said.
func TestLongTables(t *testing.T) {
	t.Parallel()
	report := demo.Large(100, 10, 2).At(2)
	pages := strings.Split(textOf(t, write(t, Options{}, report)), "\f")
	heads, rows := 0, 0
	for _, page := range pages {
		if strings.Contains(page, "nginx 1.26.0") {
			rows++
			if regexp.MustCompile(`(?m)^\s*Host\s+Port\s+`).MatchString(page) {
				heads++
			}
		}
	}
	if rows < 25 || heads != rows {
		t.Errorf("of %d pages with rows %d have a head", rows, heads)
	}
	if n := len(regexp.MustCompile(`host-\d+\.example\.org \(10\.0\.\d+\.\d+\)\s+\d+/tcp\s+open\s+(http|ssh)`).FindAllString(strings.Join(pages, ""), -1)); n != 1001 {
		t.Errorf("the inventory lists %d of 1001 ports", n)
	}
	many := demo.Large(1500, 5, 2).At(2)
	for len(many.Changes) < 5000 {
		many.Changes = append(many.Changes, many.Changes...)
	}
	has(t, textOf(t, write(t, Options{Inventory: 50}, many)), "1000 of "+strconv.Itoa(len(many.Changes))+" changes are shown.", "1000 of 1515 ports are shown.", "50 of 7515 ports are shown.")
}

// droidFonts is where Debian's fonts-droid-fallback lies.
const droidFonts = "/usr/share/fonts-droid-fallback/truetype"

// TestScripts holds that what is written in the scripts of the world shows, or is made
// visible as escapes.
func TestScripts(t *testing.T) {
	t.Parallel()
	report := demo.Saying([]string{"русский хост", "ελληνικός", "שרת", "日本語", "💥", "ad\u200bmin", "e\u0301le\u0300ve"}).At(3)
	text := textOf(t, write(t, Options{}, report))
	has(t, text, "русский хост", "ελληνικός", "שרת", `\u{65e5}\u{672c}\u{8a9e}`, `\u{1f4a5}`, `ad\u{200b}min`)
	if strings.Contains(text, "日") {
		t.Error("a character shows that no font has")
	}
	droid := write(t, Options{FontDir: droidFonts}, report)
	has(t, textOf(t, droid), "русский хост", "日本語", `\u{1f4a5}`)
	if fonts := tool(t, droid, "pdffonts", "FILE"); strings.Count(fonts, "CID TrueType") != 3 {
		t.Errorf("the fonts are not what is used:\n%s", fonts)
	}
	has(t, textOf(t, write(t, Options{FontDir: "testdata"}, report)), `\u{65e5}`) // no font there
	for _, c := range []struct{ line, want string }{{"abc", "abc"}, {"שרת", "תרש"}, {"a שרת 12 b", "a 12 תרש b"}} {
		if got := visual(c.line); got != c.want {
			t.Errorf("%q is drawn as %q, not %q", c.line, got, c.want)
		}
	}
}

// TestSameBytes holds that a run gives the same bytes whenever it is asked for.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	o := Options{Brand: state.Brand{Organisation: "Example", Logo: state.Logo{Type: "image/png", Data: square(t), Width: 40, Height: 40}}, Inventory: 2000}
	first := write(t, o, demo.Nights(49).At(49))
	time.Sleep(1100 * time.Millisecond) // the dates of a PDF are in seconds
	if !bytes.Equal(first, write(t, o, demo.Nights(49).At(49))) {
		t.Error("the same run gives other bytes a second later")
	}
	if info := tool(t, first, "pdfinfo", "FILE"); !strings.Contains(info, "2026") || strings.Count(info, "Wed Nov 18 02:03:00 2026") != 2 {
		t.Errorf("the dates are not those of the run:\n%s", info)
	}
}

// TestNothingIsLost holds that what the cover has no room for stands further behind, and
// that what OwnMap has to say is told to its end.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	report := demo.Nights(49).At(49)
	var o Options
	var long []string
	for i := range 10 {
		report.Run.Alerts = append(report.Run.Alerts, state.Alert{Kind: state.AlertStale, Text: "Alert number " + strconv.Itoa(i) + "."})
		o.Notices = append(o.Notices, "Notice number "+strconv.Itoa(i)+".")
	}
	for i := range 150 {
		long = append(long, "word-"+strconv.Itoa(i))
	}
	report.Run.Notes = []string{strings.Join(long, " ") + " the end"}
	text := textOf(t, write(t, o, report))
	has(t, text, "6 of 11 alerts are shown. The others stand in the notes.", "3 of 10 notices are shown.", "word-149 the end")
	for i := range 10 {
		has(t, text, "Alert number "+strconv.Itoa(i)+".", "Notice number "+strconv.Itoa(i)+".")
	}
}

// TestWholeOrNothing holds that only a whole PDF leaves, and that a library that panics
// is an error.
func TestWholeOrNothing(t *testing.T) {
	t.Parallel()
	content := write(t, Options{}, state.Report{})
	if err := validate(content); err != nil {
		t.Error(err)
	}
	broken := bytes.Replace(content, []byte("/Type /Page\n"), []byte("/Type /Pge \n"), 1)
	for name, bad := range map[string][]byte{"nothing": nil, "cut": content[:len(content)/2], "without its head": content[100:], "without a page": broken} {
		if validate(bad) == nil {
			t.Errorf("a PDF that is %s passes", name)
		}
	}
	// A font that does not know where its glyphs are makes gofpdf panic, and the PDF is made without.
	dir := t.TempDir()
	font, err := os.ReadFile(filepath.Join(droidFonts, "DroidSansFallback.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	places := binary.BigEndian.Uint32(font[bytes.Index(font, []byte("loca"))+8:])
	copy(font[places:], bytes.Repeat([]byte{7}, 100_000))
	if err := os.WriteFile(filepath.Join(dir, "broken.ttf"), font, 0o600); err != nil {
		t.Fatal(err)
	}
	report := demo.Saying([]string{"日本語"}).At(3)
	o := Options{FontDir: dir}
	if _, err := o.render(report); err == nil {
		t.Error("a broken font breaks nothing")
	}
	has(t, textOf(t, write(t, o, report)), `\u{65e5}`, "The fonts in "+dir+" cannot be used")
}

// TestNothingBreaksOut says the corpus everywhere, and wants a PDF that does nothing.
func TestNothingBreaksOut(t *testing.T) {
	t.Parallel()
	content := write(t, Options{Brand: state.Brand{Organisation: demo.Hostile()}, Inventory: 2000}, demo.Saying(demo.Corpus()).At(3))
	for _, word := range []string{"/JavaScript", "/JS", "/Launch", "/URI", "/OpenAction", "/AcroForm", "/Annots"} {
		if bytes.Contains(content, []byte(word)) {
			t.Errorf("the PDF has %s", word)
		}
	}
	text := textOf(t, content)
	for _, r := range text {
		if r != '\n' && r != '\f' && state.Clean(string(r)) != string(r) {
			t.Fatalf("the PDF has the character %U", r)
		}
	}
	has(t, text, "<script>alert(1)</script>", `\x1b[31mred`, "(x) Tj /JS (app.alert(1))")
}

// FuzzWrite holds that no bytes in any field bring a PDF down or make it invalid.
func FuzzWrite(f *testing.F) {
	for i, text := range demo.Corpus() {
		if i%8 == 0 { // TestNothingBreaksOut says them all
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		report := demo.Saying([]string{text}).At(3)
		report.Trend = nil    // says nothing, and takes most of the time
		h := &report.Hosts[0] // as if nothing had been cleaned
		h.Names, h.Ports[0].Service.Product, h.Ports[0].Process.Exe, report.Run.Error = []string{text}, text, text, text
		if err := New(Options{Brand: state.Brand{Organisation: text}, Notices: []string{text}, FontDir: droidFonts}).Write(&bytes.Buffer{}, report); err != nil {
			t.Fatal(err)
		}
	})
}
