package pdf

import (
	"fmt"
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

// outline writes the outline (ISO 32000-1, 12.3.3) as the object of a number.
func (w *writer) outline(number int, marks []mark, pages []pageObjects) error {
	items := make([]int, len(marks))
	for i := range items {
		items[i] = w.reserve()
	}
	for i, m := range marks {
		if m.page >= len(pages) {
			return fmt.Errorf("the outline leads to page %d of %d", m.page+1, len(pages))
		}
		item := fmt.Appendf(nil, "<</Title %s /Parent %d 0 R /Dest [%d 0 R /XYZ 0 %.1f null]", textString(m.title), number, pages[m.page].number, (pageHeight-m.y)*72/25.4)
		if i > 0 {
			item = fmt.Appendf(item, " /Prev %d 0 R", items[i-1])
		}
		if i+1 < len(items) {
			item = fmt.Appendf(item, " /Next %d 0 R", items[i+1])
		}
		w.object(items[i], append(item, ">>"...))
	}
	outline := []byte("<</Type /Outlines>>")
	if len(items) > 0 {
		outline = fmt.Appendf(nil, "<</Type /Outlines /First %d 0 R /Last %d 0 R /Count %d>>", items[0], items[len(items)-1], len(items))
	}
	w.object(number, outline)
	return nil
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
