package pdf

import (
	"bytes"
	"fmt"
	"regexp"
	"time"
)

// fill fills the blank document that maroto made: it draws the pages, each compressed
// before the next one, leaves the specimen out, and adds what maroto cannot: an outline,
// the language, and the date of the run in place of today's.
func (d *document) fill(blank []byte, date time.Time) ([]byte, error) {
	f, err := parse(blank)
	if err != nil {
		return nil, err
	}
	pages, err := f.pages()
	if err != nil {
		return nil, err
	}
	last := len(d.sheets)
	if len(pages) != last+1 {
		return nil, fmt.Errorf("the PDF has %d pages, not %d", len(pages)-1, last)
	}
	names, err := d.fonts.names(f)
	if err != nil {
		return nil, err
	}
	specimen := pages[last]
	pages = pages[:last]
	sheets := make(map[int]*sheet, last) // by what draws them
	for i, p := range pages {
		sheets[p.content] = d.sheets[i]
	}
	w := newWriter(f)
	w.free = []int{specimen.number, specimen.content}
	outline := w.reserve()
	var drawing []byte
	for _, number := range f.numbers() {
		switch body := f.body(number); number {
		case specimen.number, specimen.content:
		case pagesObject:
			w.object(number, tree(body, pages))
		case f.root:
			w.object(number, catalog(body, outline))
		case f.info:
			w.object(number, dated(body, date))
		default:
			s := sheets[number]
			if s == nil {
				w.object(number, body)
				continue
			}
			if drawing, err = s.over(drawing[:0], body); err != nil {
				return nil, err
			}
			drawing = s.draw(drawing, names)
			if err = w.stream(number, drawing); err != nil {
				return nil, err
			}
		}
	}
	if err := w.outline(outline, d.marks, pages); err != nil {
		return nil, err
	}
	return w.end(f.root, f.info), nil
}

// over appends what maroto drew on the page of a sheet, where it has pictures.
func (s *sheet) over(to, body []byte) ([]byte, error) {
	if len(s.images) == 0 {
		return to, nil
	}
	drawn, err := stream(body)
	return append(to, drawn...), err
}

// names returns the names of the fonts in a file.
func (f *fonts) names(file *file) (map[*face]string, error) {
	fonts := file.fonts()
	names := make(map[*face]string)
	for _, of := range f.drawn() {
		name := fonts[of.family+string(of.style())]
		if name == "" {
			return nil, fmt.Errorf("the PDF has no font %s", of.family)
		}
		names[of] = name
	}
	return names, nil
}

// tree returns the page tree with these pages alone.
func tree(body []byte, pages []pageObjects) []byte {
	kids := []byte("/Kids [")
	for _, p := range pages {
		kids = fmt.Appendf(kids, "%d 0 R ", p.number)
	}
	kids = fmt.Appendf(kids, "]\n/Count %d", len(pages))
	return regexp.MustCompile(`/Kids \[[^\]]*\]\s*/Count \d+`).ReplaceAllLiteral(body, kids)
}

// catalog returns a catalog with an outline. Maroto has the first page opened to its
// width: that is left to the reader.
func catalog(body []byte, outline int) []byte {
	body = regexp.MustCompile(`/(OpenAction \[[^\]]*\]|PageLayout /\w+)\s*`).ReplaceAll(body, nil)
	return fmt.Appendf(bytes.TrimSuffix(bytes.TrimSpace(body), []byte(">>")),
		"/Outlines %d 0 R /PageMode /UseOutlines /Lang (en) /ViewerPreferences <</DisplayDocTitle true>> >>", outline)
}

// dated returns the information on a document with the date of its last change.
func dated(body []byte, date time.Time) []byte {
	modified := regexp.MustCompile(`/ModDate \(D:\d{14}\)`)
	return modified.ReplaceAll(body, []byte("/ModDate (D:"+date.Format("20060102150405")+")"))
}
