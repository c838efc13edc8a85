package nmapxml

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// token is a token of either scanner, copied.
type token struct {
	kind  Kind
	name  string
	attrs [][2]string
	text  string
}

// expected reads a document with encoding/xml in strict mode, and refuses of
// what that takes what no document of nmap's has.
func expected(r io.Reader) (tokens []token, err error) {
	g := &guard{raw: xml.NewDecoder(r)}
	d := xml.NewTokenDecoder(g)
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		if err != nil {
			return tokens, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			next := token{kind: Start, name: t.Name.Local}
			for _, a := range t.Attr {
				next.attrs = append(next.attrs, [2]string{a.Name.Local, a.Value})
			}
			tokens = append(tokens, next)
		case xml.EndElement:
			tokens = append(tokens, token{kind: End, name: t.Name.Local})
		case xml.CharData:
			if g.depth > 0 {
				tokens = append(tokens, token{kind: Text, text: string(t)})
			}
		}
	}
}

// guard lets pass of encoding/xml's tokens what nmap writes.
type guard struct {
	raw          *xml.Decoder
	depth, roots int
}

func (g *guard) Token() (xml.Token, error) {
	t, err := g.raw.RawToken()
	if errors.Is(err, io.EOF) && (g.depth > 0 || g.roots == 0) {
		err = errors.New("truncated")
	}
	if err == nil && !g.lets(t) {
		err = errors.New("not nmap's")
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (g *guard) lets(t xml.Token) bool {
	switch t := t.(type) {
	case xml.StartElement:
		if g.depth++; g.depth == 1 {
			g.roots++
		}
		return g.roots == 1 && (g.depth > 1 || t.Name.Local == "nmaprun") && g.depth <= 16 && len(t.Attr) <= 64
	case xml.EndElement:
		g.depth--
	case xml.CharData:
		return g.depth > 0 || strings.TrimSpace(string(t)) == ""
	case xml.Directive:
		rest, ok := strings.CutPrefix(string(t), "DOCTYPE nmaprun")
		rest = strings.TrimSpace(rest)
		return ok && !strings.Contains(rest, "[") && (rest == "" || strings.HasPrefix(rest, "PUBLIC ") || strings.HasPrefix(rest, "SYSTEM "))
	}
	return true
}
