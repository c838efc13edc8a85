package nmapxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

// errOpenQuote says that a tag ends before the value of an attribute does.
var errOpenQuote = errors.New("broken XML: attribute value without an end")

func broken(what string) error { return errors.New("broken XML: " + what) }

// readStart reads a start tag, its attributes with it. nmap writes no closing
// bracket within one: where the first is not the tag's own, the tag is read
// anew.
func (s *Scanner) readStart() error {
	if n := bytes.IndexByte(s.buf[s.pos:], '>'); n > 0 {
		err := s.parseStart(s.buf[s.pos+1 : s.pos+n])
		if !errors.Is(err, errOpenQuote) {
			s.pos += n + 1
			return err
		}
		s.scratch = s.scratch[:0]
	}
	tag, err := s.readTag()
	if err != nil {
		return err
	}
	return s.parseStart(tag)
}

// parseStart takes a start tag, without its brackets, to pieces.
func (s *Scanner) parseStart(tag []byte) (err error) {
	s.closing = len(tag) > 0 && tag[len(tag)-1] == '/'
	if s.closing {
		tag = tag[:len(tag)-1]
	}
	qualified, name, rest := cutName(tag)
	if name == nil {
		return broken("expected element name after <")
	}
	s.name = name
	s.attrs = s.attrs[:0]
	for rest = trimSpace(rest); len(rest) > 0; rest = trimSpace(rest) {
		if len(s.attrs) == maxAttributes {
			return fmt.Errorf("an element with more than %d attributes", maxAttributes)
		}
		if rest, err = s.parseAttr(rest); err != nil {
			return err
		}
	}
	return s.push(qualified)
}

// parseAttr takes the attribute at the beginning of the rest of a tag to pieces
// and returns what is behind it.
func (s *Scanner) parseAttr(rest []byte) ([]byte, error) {
	_, name, rest := cutName(rest)
	if name == nil {
		return nil, broken("expected attribute name in element")
	}
	if rest = trimSpace(rest); len(rest) == 0 || rest[0] != '=' {
		return nil, broken("attribute name without = in element")
	}
	if rest = trimSpace(rest[1:]); len(rest) == 0 || (rest[0] != '"' && rest[0] != '\'') {
		return nil, broken("unquoted or missing attribute value in element")
	}
	quote, rest := rest[0], rest[1:]
	n := plain(rest, quote)
	end := n
	if end < len(rest) && rest[end] != quote {
		end += bytes.IndexByte(rest[n:], quote)
	}
	if end == len(rest) || end < n {
		return nil, errOpenQuote
	}
	value := rest[:end:end]
	if end > n {
		var err error
		if value, err = s.rewrite(value, n); err != nil {
			return nil, err
		}
	}
	s.attrs = append(s.attrs, Attr{Name: name, Value: value})
	return rest[end+1:], nil
}

// readEnd reads an end tag.
func (s *Scanner) readEnd() error {
	if open, rest := s.innermost(), s.buf[s.pos+2:]; len(open) > 0 && len(rest) > len(open) && rest[len(open)] == '>' && bytes.Equal(rest[:len(open)], open) {
		_, s.name, _ = cutName(rest[:len(open)+1]) // as nmap writes it
		s.pos += 2 + len(open) + 1
		s.pop()
		return nil
	}
	tag, err := s.readTag()
	if err != nil {
		return err
	}
	qualified, name, rest := cutName(tag[1:])
	switch open := s.innermost(); {
	case name == nil:
		return broken("expected element name after </")
	case len(trimSpace(rest)) > 0:
		return broken(fmt.Sprintf("invalid characters between </%.40s and >", qualified))
	case len(open) == 0:
		return broken(fmt.Sprintf("unexpected end element </%.40s>", qualified))
	case !bytes.Equal(open, qualified):
		return broken(fmt.Sprintf("element <%.40s> closed by </%.40s>", open, qualified))
	}
	s.name = name
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
