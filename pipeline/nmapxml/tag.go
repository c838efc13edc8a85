package nmapxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

func broken(what string) error { return errors.New("broken XML: " + what) }

// readStart reads a start tag, its attributes with it.
func (s *Scanner) readStart() error {
	tag, err := s.readTag()
	if err != nil {
		return err
	}
	tag, s.closing = bytes.CutSuffix(tag, []byte{'/'})
	qualified, rest, ok := cutName(tag)
	if !ok {
		return broken("expected element name after <")
	}
	s.name = local(qualified)
	s.attrs = s.attrs[:0]
	for rest = trimSpace(rest); len(rest) > 0; rest = trimSpace(rest) {
		if len(s.attrs) == maxAttributes {
			return fmt.Errorf("an element with more than %d attributes", maxAttributes)
		}
		if rest, err = s.readAttr(rest); err != nil {
			return err
		}
	}
	return s.push(qualified)
}

// readAttr reads the attribute that stands at the beginning of the rest of a tag
// and returns what is behind it.
func (s *Scanner) readAttr(rest []byte) ([]byte, error) {
	name, rest, ok := cutName(rest)
	if !ok {
		return nil, broken("expected attribute name in element")
	}
	rest, ok = bytes.CutPrefix(trimSpace(rest), []byte{'='})
	if !ok {
		return nil, broken("attribute name without = in element")
	}
	rest = trimSpace(rest)
	if len(rest) == 0 || (rest[0] != '"' && rest[0] != '\'') {
		return nil, broken("unquoted or missing attribute value in element")
	}
	end := 1 + bytes.IndexByte(rest[1:], rest[0])
	if end == 0 {
		return nil, broken("attribute value without an end")
	}
	value, err := s.resolve(rest[1:end])
	if err != nil {
		return nil, err
	}
	s.attrs = append(s.attrs, Attr{Name: local(name), Value: value})
	return rest[end+1:], nil
}

// readEnd reads an end tag.
func (s *Scanner) readEnd() error {
	tag, err := s.readTag()
	if err != nil {
		return err
	}
	qualified, rest, ok := cutName(tag[1:])
	switch open := s.innermost(); {
	case !ok:
		return broken("expected element name after </")
	case len(trimSpace(rest)) > 0:
		return broken(fmt.Sprintf("invalid characters between </%.40s and >", qualified))
	case len(open) == 0:
		return broken(fmt.Sprintf("unexpected end element </%.40s>", qualified))
	case !bytes.Equal(open, qualified):
		return broken(fmt.Sprintf("element <%.40s> closed by </%.40s>", open, qualified))
	}
	s.name = local(qualified)
	s.pop()
	return nil
}

// readRest reads what nmap writes once in a document or never: a processing
// instruction, a comment, a document type, or a CDATA section, which is text.
// encoding/xml itself does.
func (s *Scanner) readRest() (text bool, err error) {
	bytesOf := &single{scanner: s, left: maxToken}
	token, err := xml.NewDecoder(bytesOf).RawToken()
	var syntax *xml.SyntaxError
	switch {
	case bytesOf.err != nil:
		return false, truncated(bytesOf.err)
	case errors.As(err, &syntax):
		return false, broken(syntax.Msg)
	case err != nil:
		return false, broken(strings.TrimPrefix(err.Error(), "xml: "))
	}
	switch t := token.(type) {
	case xml.Directive:
		return false, checkDoctype(string(t))
	case xml.CharData:
		s.text = t
		return true, nil
	}
	return false, nil
}

// single hands out one byte after the other, so that encoding/xml takes no more
// than its token.
type single struct {
	scanner *Scanner
	left    int
	err     error
}

// ReadByte implements io.ByteReader.
func (b *single) ReadByte() (byte, error) {
	if b.left--; b.left < 0 {
		b.err = ErrTooLong
		return 0, b.err
	}
	next, err := b.scanner.peek(0)
	if err != nil {
		b.err = err
		return 0, err
	}
	b.scanner.pos++
	return next, nil
}

// Read implements io.Reader, which xml.NewDecoder asks for and does not use.
func (b *single) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	next, err := b.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = next
	return 1, nil
}

// checkDoctype accepts `DOCTYPE nmaprun`, alone or with nmap's public
// identifier (nmap 6), which nothing reads. An internal subset could define
// entities: it is refused.
func checkDoctype(directive string) error {
	rest, ok := strings.CutPrefix(directive, "DOCTYPE "+rootElement)
	rest = strings.TrimSpace(rest)
	if !ok || strings.Contains(rest, "[") || (rest != "" && !strings.HasPrefix(rest, "PUBLIC ") && !strings.HasPrefix(rest, "SYSTEM ")) {
		return errors.New("a document type that is not nmap's")
	}
	return nil
}
