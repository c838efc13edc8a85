package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"slices"
)

// writer writes a PDF.
type writer struct {
	out      bytes.Buffer
	begins   []int // where each object begins, by number
	free     []int // numbers that are to be given again
	deflater *zlib.Writer
	deflated bytes.Buffer
}

// newWriter begins a PDF with the head of another one, whose numbers it goes on with.
func newWriter(f *file) *writer {
	w := &writer{begins: make([]int, len(f.begins))}
	w.out.Write(f.content[:slices.Min(f.begins[1:])])
	w.deflater = zlib.NewWriter(&w.deflated)
	return w
}

// reserve returns the number of a new object.
func (w *writer) reserve() int {
	if last := len(w.free) - 1; last >= 0 {
		number := w.free[last]
		w.free = w.free[:last]
		return number
	}
	w.begins = append(w.begins, 0)
	return len(w.begins) - 1
}

func (w *writer) object(number int, body []byte) {
	w.begins[number] = w.out.Len()
	fmt.Fprintf(&w.out, "%d 0 obj\n", number)
	w.out.Write(bytes.TrimSuffix(body, []byte("\n")))
	w.out.WriteString("\nendobj\n")
}

// stream writes a stream, compressed (ISO 32000-1, 7.4.4).
func (w *writer) stream(number int, data []byte) error {
	w.deflated.Reset()
	w.deflater.Reset(&w.deflated) // a new one would take a megabyte for each page
	_, err := w.deflater.Write(data)
	if err = errors.Join(err, w.deflater.Close()); err != nil {
		return err
	}
	w.begins[number] = w.out.Len()
	fmt.Fprintf(&w.out, "%d 0 obj\n<</Filter /FlateDecode /Length %d>>\nstream\n", number, w.deflated.Len())
	w.out.Write(w.deflated.Bytes())
	w.out.WriteString("\nendstream\nendobj\n")
	return nil
}

// end writes where the objects are (ISO 32000-1, 7.5.4), and returns the whole.
func (w *writer) end(root, info int) []byte {
	start := w.out.Len()
	fmt.Fprintf(&w.out, "xref\n0 %d\n0000000000 65535 f \n", len(w.begins))
	for _, at := range w.begins[1:] {
		if at == 0 {
			w.out.WriteString("0000000000 00001 f \n")
			continue
		}
		fmt.Fprintf(&w.out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&w.out, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(w.begins), root, info, start)
	return w.out.Bytes()
}
