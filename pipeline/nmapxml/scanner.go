// Package nmapxml reads the XML that nmap writes, token by token and in bounded
// memory. It takes what encoding/xml takes in its strict mode, and of that only
// what nmap's own documents are made of: one nmaprun element, no document type
// but nmap's, so no entities but the five of XML, no text beside the root, little
// depth. Its tokens are those of encoding/xml, many times faster.
package nmapxml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits of a document. nmap's own depth is 5, and 3 more for tables of scripts;
// its longest tags carry the output of a script.
const (
	maxDepth      = 16
	maxAttributes = 64      // of one element
	maxToken      = 8 << 20 // bytes of one tag or text
	firstBuffer   = 64 << 10
	rootElement   = "nmaprun"
)

var (
	// ErrTruncated says that a document ends before its root element does.
	ErrTruncated = errors.New("the document ends half-way")
	// ErrTooLong says that a tag or a text is longer than nmap writes any.
	ErrTooLong = errors.New("a tag or text of more than 8 MiB")
)

// Kind tells tokens apart.
type Kind uint8

// The tokens of a document. A tag that closes itself gives a Start and an End.
// Comments and processing instructions are checked and passed over.
const (
	Start Kind = iota + 1 // see Scanner.Name and Scanner.Attrs
	End                   // see Scanner.Name
	Text                  // see Scanner.Text
)

// Attr is an attribute: its name without the prefix of a name space, and its
// value with references resolved.
type Attr struct {
	Name, Value []byte
}

// Scanner reads one document. Names, attributes and texts are valid until the
// next call of Next or Skip.
type Scanner struct {
	source  io.Reader
	failed  error  // what source failed with, to be said once the buffer is used up
	buf     []byte // buf[pos:] was read and not used yet
	pos     int
	lines   int // line ends before buf[0]
	name    []byte
	attrs   []Attr
	text    []byte
	scratch []byte // texts and values of the token that are not as they stand in buf
	closing bool   // the last Start closed itself
	open    []byte // the names of the open elements, one behind the other
	starts  []int  // where in open each begins
	rooted  bool   // the root element was seen
	err     error
}

// NewScanner returns a scanner over a document.
func NewScanner(source io.Reader) *Scanner {
	return &Scanner{source: source, buf: make([]byte, 0, firstBuffer)}
}

// Name returns the name of the Start or End that was read, without the prefix of
// a name space.
func (s *Scanner) Name() []byte { return s.name }

// Attrs returns the attributes of the Start that was read, in their order.
func (s *Scanner) Attrs() []Attr { return s.attrs }

// Text returns the Text that was read, with references resolved.
func (s *Scanner) Text() []byte { return s.text }

// Line returns the number of the line that was read last, from 1.
func (s *Scanner) Line() int { return 1 + s.lines + bytes.Count(s.buf[:s.pos], []byte{'\n'}) }

// Next reads the next token. It fails with io.EOF after a whole document, with
// ErrTruncated within one, with ErrTooLong, with what the source failed with, or
// with what is wrong with the document; and for good.
func (s *Scanner) Next() (Kind, error) {
	if s.err != nil {
		return 0, s.err
	}
	kind, err := s.next()
	s.err = err
	return kind, err
}

// Skip reads to the end of the element whose Start was read.
func (s *Scanner) Skip() error {
	if s.closing {
		s.closing = false
		s.pop()
		return nil
	}
	for depth := len(s.starts); len(s.starts) >= depth; {
		if _, err := s.Next(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scanner) next() (Kind, error) {
	if s.closing {
		s.closing = false
		s.pop()
		return End, nil
	}
	s.scratch = s.scratch[:0]
	for {
		first, err := s.peek(0)
		if errors.Is(err, io.EOF) && (len(s.starts) > 0 || !s.rooted) {
			err = ErrTruncated
		}
		if err != nil {
			return 0, err
		}
		second := byte(0)
		if first == '<' {
			if second, err = s.peek(1); err != nil {
				return 0, truncated(err)
			}
		}
		switch {
		case first != '<':
			err = s.readText()
		case second == '/':
			return End, s.readEnd()
		case second == '?' || second == '!':
			var text bool
			if text, err = s.readRest(); err == nil && !text {
				continue
			}
		default:
			return Start, s.readStart()
		}
		if err == nil && len(s.starts) == 0 {
			if len(bytes.TrimSpace(s.text)) > 0 {
				return 0, errors.New("text outside of the root element")
			}
			continue
		}
		return Text, err
	}
}

// push notes that an element was opened.
func (s *Scanner) push(qualified []byte) error {
	switch depth := len(s.starts) + 1; {
	case depth == 1 && s.rooted:
		return fmt.Errorf("a second root element, <%.40s>", s.name)
	case depth == 1 && string(s.name) != rootElement:
		return fmt.Errorf("the root element is <%.40s> and not <%s>: no output of nmap", s.name, rootElement)
	case depth > maxDepth:
		return fmt.Errorf("elements are nested deeper than %d", maxDepth)
	}
	s.rooted = true
	s.starts = append(s.starts, len(s.open))
	s.open = append(s.open, qualified...)
	return nil
}

// pop notes that the innermost element was closed.
func (s *Scanner) pop() {
	last := len(s.starts) - 1
	s.open, s.starts = s.open[:s.starts[last]], s.starts[:last]
}

// innermost returns the name of the innermost open element, with its prefix.
func (s *Scanner) innermost() []byte {
	if len(s.starts) == 0 {
		return nil
	}
	return s.open[s.starts[len(s.starts)-1]:]
}
