package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// file is a PDF as gofpdf writes it (ISO 32000-1, 7.5): each object once, one behind the
// other, and then where each begins.
type file struct {
	content    []byte
	begins     []int // where the object of a number begins; number 0 is none
	ends       []int
	root, info int
}

func parse(content []byte) (*file, error) {
	f := &file{content: content}
	start := f.last(`startxref\s+(\d+)\s+%%EOF\s*$`)
	f.root, f.info = f.last(`/Root (\d+) 0 R`), f.last(`/Info (\d+) 0 R`)
	table, found := bytes.CutPrefix(content[min(max(start, 0), len(content)):], []byte("xref\n0 "))
	size, table, cut := bytes.Cut(table, []byte("\n"))
	n, err := strconv.Atoi(string(size))
	const entry = 20 // bytes
	if !found || !cut || err != nil || n < 1 || len(table) < n*entry || f.root >= n || f.info >= n || min(f.root, f.info) < 1 {
		return nil, errors.New("the PDF has no table of its objects")
	}
	f.begins, f.ends = make([]int, n), make([]int, n)
	for i := 1; i < n; i++ {
		f.begins[i], err = strconv.Atoi(string(table[i*entry:][:10]))
		if at := f.begins[i]; err != nil || at < 0 || at > start || !bytes.HasPrefix(content[at:start], fmt.Appendf(nil, "%d 0 obj\n", i)) {
			return nil, fmt.Errorf("the PDF's object %d is not where it is said to be", i)
		}
	}
	end := start
	for _, number := range slices.Backward(f.numbers()) {
		f.ends[number], end = end, f.begins[number]
	}
	return f, nil
}

// last returns the number that a pattern finds at the end of the file, or -1.
func (f *file) last(pattern string) int {
	const trailer = 200 // bytes, less than the table before it has
	m := regexp.MustCompile(pattern).FindSubmatch(f.content[max(0, len(f.content)-trailer):])
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// numbers returns those of all objects, in the order in which they stand.
func (f *file) numbers() []int {
	var all []int
	for i := 1; i < len(f.begins); i++ {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b int) int { return f.begins[a] - f.begins[b] })
	return all
}

// body returns what stands between "obj" and "endobj"; nothing if there is no such object.
func (f *file) body(number int) []byte {
	if number < 1 || number >= len(f.begins) {
		return nil
	}
	_, body, _ := bytes.Cut(f.content[f.begins[number]:f.ends[number]], []byte("obj\n"))
	return bytes.TrimSuffix(body, []byte("endobj\n"))
}

// The numbers that gofpdf gives to the tree of the pages and to their resources.
const pagesObject, resourcesObject = 1, 2

// pageObjects are the numbers of a page and of the stream that draws it.
type pageObjects struct{ number, content int }

// pages returns the pages in order.
func (f *file) pages() ([]pageObjects, error) {
	kids := regexp.MustCompile(`^<</Type /Pages\s*/Kids \[([\d R]+)\]`).FindSubmatch(f.body(pagesObject))
	if kids == nil {
		return nil, errors.New("the PDF has no pages")
	}
	var pages []pageObjects
	contents := regexp.MustCompile(`^<</Type /Page\n[^()]*/Contents (\d+) 0 R>>\n$`)
	for _, kid := range regexp.MustCompile(`(\d+) 0 R`).FindAllSubmatch(kids[1], -1) {
		number, _ := strconv.Atoi(string(kid[1]))
		m := contents.FindSubmatch(f.body(number))
		if m == nil {
			return nil, fmt.Errorf("the PDF's object %d is no page", number)
		}
		content, _ := strconv.Atoi(string(m[1]))
		pages = append(pages, pageObjects{number, content})
	}
	return pages, nil
}

// fonts returns the names of the fonts in the resources, by what gofpdf calls a font: its
// family, with a B behind it if it is bold.
func (f *file) fonts() map[string]string {
	names := make(map[string]string)
	for _, m := range regexp.MustCompile(`/(F[0-9a-f]+) (\d+) 0 R\n`).FindAllSubmatch(f.body(resourcesObject), -1) {
		number, _ := strconv.Atoi(string(m[2]))
		if base := regexp.MustCompile(`/BaseFont /utf8(\w+)\n`).FindSubmatch(f.body(number)); base != nil {
			names[string(base[1])] = string(m[1])
		}
	}
	return names
}

// stream returns the bytes of a stream that is not compressed.
func stream(body []byte) ([]byte, error) {
	m := regexp.MustCompile(`^<</Length (\d+)>>\nstream\n`).FindSubmatch(body)
	if m == nil {
		return nil, errors.New("no plain stream")
	}
	length, _ := strconv.Atoi(string(m[1]))
	if len(body) < len(m[0])+length {
		return nil, errors.New("the stream is cut")
	}
	return body[len(m[0]):][:length], nil
}
