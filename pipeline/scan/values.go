package scan

import (
	"bytes"
	"strconv"

	"ownmap/pipeline/nmapxml"
	"ownmap/pipeline/state"
)

// Bounds of the table of words: a host that sends a new text with every port
// fills no more than that.
const (
	maxWords = 4096
	maxWord  = 64 // bytes of a word
)

// word returns a text cleaned, as state.Clean does. Most texts of a scan stand
// in it a thousand times: each is cleaned and kept once.
func (d *decoder) word(b []byte) string {
	switch string(b) { // of every port: not even looked up
	case "tcp":
		return "tcp"
	case "open":
		return "open"
	case "syn-ack":
		return "syn-ack"
	case "probed":
		return "probed"
	case "table":
		return "table"
	}
	if known, ok := d.words[string(b)]; ok {
		return known
	}
	raw := string(b)
	clean := state.Clean(raw)
	if len(raw) <= maxWord && len(d.words) < maxWords {
		d.words[raw] = clean
	}
	return clean
}

// attr returns the value of an attribute of the element whose start was read,
// until the next token is; nil if there is none. Of two with the same name it is
// the last, as encoding/xml has it.
func (d *decoder) attr(name string) []byte {
	var value []byte
	for _, a := range d.Attrs() {
		if string(a.Name) == name {
			value = a.Value
		}
	}
	return value
}

// text returns the value of an attribute as it stands there.
func (d *decoder) text(name string) string { return string(d.attr(name)) }

// children calls read at the start of each child of the element whose start was
// read; read reads the child to its end.
func (d *decoder) children(read func() error) error {
	for {
		kind, err := d.Next()
		if err == nil && kind == nmapxml.Start {
			err = read()
		}
		if err != nil || kind == nmapxml.End {
			return err
		}
	}
}

// content returns the text of the element whose start was read, without that of
// its children, until the next token is read.
func (d *decoder) content() ([]byte, error) {
	d.gathered = d.gathered[:0]
	for {
		kind, err := d.Next()
		switch {
		case err != nil:
			return nil, err
		case kind == nmapxml.End:
			return d.gathered, nil
		case kind == nmapxml.Text:
			d.gathered = append(d.gathered, d.Text()...)
		default:
			if err := d.Skip(); err != nil {
				return nil, err
			}
		}
	}
}

// count reads a number as encoding/xml does: space around it is nothing, and no
// text at all is zero.
func count(value []byte) (int, error) {
	if len(value) == 0 {
		return 0, nil
	}
	return strconv.Atoi(string(bytes.TrimSpace(value)))
}

// portNumber reads a port number in the same way.
func portNumber(value []byte) (uint16, error) {
	if len(value) == 0 {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 16)
	return uint16(n), err
}
