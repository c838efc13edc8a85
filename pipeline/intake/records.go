package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxRecord is how long a record may be, in bytes: a banner of masscan has up to 64 KiB, each
// byte in six.
const maxRecord = 1 << 20

// records reads the objects of a JSON array, or of lines of JSON, one after the other. What
// programs do that write an array while they do not know its end is taken too: a comma after
// the last object, and masscan's {finished: 1}, which is no JSON.
type records struct {
	in   *bufio.Reader
	line int // of what was read last, from 1
	left int64
	buf  []byte

	begun, array, ended bool
}

func newRecords(r io.Reader) *records {
	return &records{in: bufio.NewReader(r), line: 1, left: maxUnpacked}
}

func (r *records) fault(format string, args ...any) error {
	return &lineError{r.line, fmt.Errorf(format, args...)}
}

// next returns the text of the next object, which is valid until the next call; io.EOF after
// the last.
func (r *records) next() ([]byte, error) {
	for {
		b, err := r.read()
		switch {
		case errors.Is(err, io.EOF) && r.array && !r.ended:
			return nil, r.fault("the array has no end: the file was cut off")
		case err != nil:
			return nil, err
		case b == ' ' || b == '\t' || b == '\r' || b == '\n' || b == ',' && r.begun && !r.ended:
		case r.ended:
			return nil, r.fault("there is something after the end of the array")
		case b == '[' && !r.begun:
			r.array, r.begun = true, true
		case b == ']' && r.array:
			r.ended = true
		case b == '{':
			r.begun = true
			text, err := r.object()
			if err != nil || !bytes.Equal(bytes.ReplaceAll(text, []byte(" "), nil), []byte("{finished:1}")) {
				return text, err
			}
		default:
			return nil, r.fault("%q stands where a record should begin", string(rune(b)))
		}
	}
}

// object reads an object, whose brace was read, to its end.
func (r *records) object() ([]byte, error) {
	r.buf = append(r.buf[:0], '{')
	depth, quoted := 1, false
	for depth > 0 {
		b, err := r.read()
		if errors.Is(err, io.EOF) {
			return nil, r.fault("a record has no end: the file was cut off")
		}
		if err != nil {
			return nil, err
		}
		r.buf = append(r.buf, b)
		switch {
		case len(r.buf) > maxRecord:
			return nil, r.fault("a record of more than %d MiB", maxRecord>>20)
		case quoted && b == '\\':
			b, err := r.read()
			if err != nil {
				return nil, r.fault("a record has no end: the file was cut off")
			}
			r.buf = append(r.buf, b)
		case b == '"':
			quoted = !quoted
		case !quoted && (b == '{' || b == '['):
			depth++
		case !quoted && (b == '}' || b == ']'):
			depth--
		}
	}
	return r.buf, nil
}

func (r *records) read() (byte, error) {
	b, err := r.in.ReadByte()
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, r.fault("the packed file was cut off")
		}
		return 0, err
	}
	if r.left--; r.left < 0 {
		return 0, r.fault("more than %d GiB", maxUnpacked>>30)
	}
	if b == '\n' {
		r.line++
	}
	return b, nil
}
