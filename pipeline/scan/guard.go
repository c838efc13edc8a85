package scan

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What is refused of an XML document before anybody looks at its meaning.
const (
	maxDepth      = 16 // nmap's own depth is 5, and 3 more for tables of scripts
	maxAttributes = 64 // of one element
	rootElement   = "nmaprun"
)

var (
	// errTruncated says that a document ends before its root element does.
	errTruncated = errors.New("the output of nmap ends half-way")
	// errTooLong says that there is more output than any scan prints.
	errTooLong = errors.New("the output of nmap is too long")
)

// guard is an xml.TokenReader that lets pass what nmap writes and nothing else:
// one root element, no document type but nmap's own, no depth, no trailing
// text. encoding/xml knows no entities but the five of XML, so none expand.
type guard struct {
	raw   *xml.Decoder
	depth int
	roots int
}

// Token implements xml.TokenReader.
func (g *guard) Token() (xml.Token, error) {
	token, err := g.raw.RawToken()
	if err != nil {
		if errors.Is(err, io.EOF) && (g.depth > 0 || g.roots == 0) {
			err = errTruncated
		}
		return nil, err
	}
	if err := g.check(token); err != nil {
		return nil, err // without the token: the outer decoder takes it before the error
	}
	return token, nil
}

func (g *guard) check(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return g.open(t)
	case xml.EndElement:
		g.depth--
	case xml.CharData:
		if g.depth == 0 && strings.TrimSpace(string(t)) != "" {
			return errors.New("text outside of the root element")
		}
	case xml.Directive:
		return checkDoctype(string(t))
	}
	return nil
}

func (g *guard) open(t xml.StartElement) error {
	switch g.depth++; {
	case g.depth == 1 && g.roots > 0:
		return fmt.Errorf("a second root element, <%s>", t.Name.Local)
	case g.depth == 1 && t.Name.Local != rootElement:
		return fmt.Errorf("the root element is <%.40s> and not <%s>: no output of nmap", t.Name.Local, rootElement)
	case g.depth > maxDepth:
		return fmt.Errorf("elements are nested deeper than %d", maxDepth)
	case len(t.Attr) > maxAttributes:
		return fmt.Errorf("an element with more than %d attributes", maxAttributes)
	}
	if g.depth == 1 {
		g.roots++
	}
	return nil
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

// cappedReader fails with errTooLong after its limit of bytes.
type cappedReader struct {
	source io.Reader
	left   int64
}

func (c *cappedReader) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLong
	}
	n, err := c.source.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}
