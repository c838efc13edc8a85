package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"ownmap/pipeline/state"
)

// finished is when a run was over: the date of its PDF.
func finished(r state.Run) time.Time {
	if r.FinishedAt != nil {
		return r.FinishedAt.UTC()
	}
	return r.StartedAt.UTC()
}

// complete adds to a PDF what maroto cannot: an outline, the language, and the dates of
// the run in place of today's. The outline is an incremental update (ISO 32000-1, 7.5.6
// and 12.3.3): objects after the end of the file, with a catalog that replaces the old
// one.
func complete(content []byte, marks []mark, date time.Time) ([]byte, error) {
	modified := regexp.MustCompile(`/ModDate \(D:\d{14}\)`)
	content = modified.ReplaceAll(content, []byte("/ModDate (D:"+date.Format("20060102150405")+")"))
	trailer, err := parseTrailer(content)
	if err != nil {
		return nil, err
	}
	update := &update{base: content, next: trailer.size}
	outlines := update.reserve()
	items := make([]int, len(marks))
	for i := range items {
		items[i] = update.reserve()
	}
	for i, m := range marks {
		if m.page >= len(trailer.pages) {
			return nil, fmt.Errorf("the outline leads to page %d of %d", m.page+1, len(trailer.pages))
		}
		item := fmt.Sprintf("<</Title %s /Parent %d 0 R /Dest [%d 0 R /XYZ 0 %.1f null]", textString(m.title), outlines, trailer.pages[m.page], (pageHeight-m.y)*72/25.4)
		if i > 0 {
			item += fmt.Sprintf(" /Prev %d 0 R", items[i-1])
		}
		if i+1 < len(items) {
			item += fmt.Sprintf(" /Next %d 0 R", items[i+1])
		}
		update.object(items[i], item+">>")
	}
	if len(items) > 0 {
		update.object(outlines, fmt.Sprintf("<</Type /Outlines /First %d 0 R /Last %d 0 R /Count %d>>", items[0], items[len(items)-1], len(items)))
	} else {
		update.object(outlines, "<</Type /Outlines>>")
	}
	update.object(trailer.root, strings.TrimSuffix(trailer.catalog, ">>")+
		fmt.Sprintf("/Outlines %d 0 R /PageMode /UseOutlines /Lang (en) /ViewerPreferences <</DisplayDocTitle true>> >>", outlines))
	return update.end(trailer), nil
}

// trailer is what an update must know of the file that it continues.
type trailer struct {
	size, root, info, xref int
	catalog                string
	pages                  []int // object numbers, in order
}

func parseTrailer(content []byte) (trailer, error) {
	var t trailer
	end := content[max(0, bytes.LastIndex(content, []byte("\ntrailer"))):]
	for key, into := range map[string]*int{`/Size (\d+)`: &t.size, `/Root (\d+) 0 R`: &t.root, `/Info (\d+) 0 R`: &t.info, `startxref\s+(\d+)`: &t.xref} {
		m := regexp.MustCompile(key).FindSubmatch(end)
		if m == nil {
			return t, errors.New("the PDF's trailer lacks " + key)
		}
		*into, _ = strconv.Atoi(string(m[1]))
	}
	_, catalog, found := bytes.Cut(content[max(0, bytes.LastIndex(content, fmt.Appendf(nil, "\n%d 0 obj", t.root))):], []byte("obj"))
	catalog, _, ended := bytes.Cut(catalog, []byte("endobj"))
	if !found || !ended {
		return t, errors.New("the PDF has no catalog")
	}
	// Maroto's first page is opened to its width: leave that to the reader.
	t.catalog = strings.TrimSpace(regexp.MustCompile(`/(OpenAction \[[^\]]*\]|PageLayout /\w+)\s*`).ReplaceAllString(string(catalog), ""))
	kids := regexp.MustCompile(`\n1 0 obj\s*<</Type /Pages\s*/Kids \[([\d R]+)\]`).FindSubmatch(content)
	if kids == nil {
		return t, errors.New("the PDF has no pages")
	}
	for _, m := range regexp.MustCompile(`(\d+) 0 R`).FindAllSubmatch(kids[1], -1) {
		number, _ := strconv.Atoi(string(m[1]))
		t.pages = append(t.pages, number)
	}
	return t, nil
}

// update is an incremental update in the making.
type update struct {
	base    []byte
	next    int
	objects bytes.Buffer
	places  []place
}

type place struct{ number, offset int }

func (u *update) reserve() int { u.next++; return u.next - 1 }

func (u *update) object(number int, body string) {
	u.places = append(u.places, place{number, len(u.base) + u.objects.Len()})
	fmt.Fprintf(&u.objects, "%d 0 obj\n%s\nendobj\n", number, body)
}

func (u *update) end(t trailer) []byte {
	start := len(u.base) + u.objects.Len()
	u.objects.WriteString("xref\n")
	for _, p := range u.places {
		fmt.Fprintf(&u.objects, "%d 1\n%010d 00000 n \n", p.number, p.offset)
	}
	fmt.Fprintf(&u.objects, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /Prev %d>>\nstartxref\n%d\n%%%%EOF\n", u.next, t.root, t.info, t.xref, start)
	return append(u.base[:len(u.base):len(u.base)], u.objects.Bytes()...)
}

// textString is a text in UTF-16 with a byte order mark, in hexadecimal (ISO 32000-1,
// 7.9.2.2).
func textString(text string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return b.String() + ">"
}
