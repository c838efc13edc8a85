package export

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"
)

// object is a JSON object that is written in parts, one after the other: one with all
// ports of a large network is several times as long as what it is made from.
type object struct {
	out    *bufio.Writer // keeps its first error until end
	indent string        // empty: everything in one line
	begun  bool
}

func newObject(w io.Writer, indent string) *object {
	return &object{out: bufio.NewWriter(w), indent: indent}
}

func (o *object) write(texts ...string) {
	for _, text := range texts {
		_, _ = o.out.WriteString(text)
	}
}

// line begins a line within so many objects and lists.
func (o *object) line(depth int) {
	if o.indent != "" {
		o.write("\n", strings.Repeat(o.indent, depth))
	}
}

// next begins a member.
func (o *object) next() {
	if o.begun {
		o.write(",")
	} else {
		o.write("{")
	}
	o.begun = true
}

// members writes the members of a struct.
func (o *object) members(v any) error {
	text, err := encoded(v, "", o.indent)
	if err != nil {
		return err
	}
	o.next()
	o.write(strings.TrimSuffix(text[len("{"):len(text)-len("}")], "\n"))
	return nil
}

// writeList writes a member that is a list.
func writeList[T any](o *object, name string, elements iter.Seq[T]) error {
	o.next()
	o.line(1)
	o.write(`"`, name, `":`)
	if o.indent != "" {
		o.write(" ")
	}
	o.write("[")
	empty := true
	for v := range elements {
		text, err := encoded(v, strings.Repeat(o.indent, 2), o.indent)
		if err != nil {
			return err
		}
		if !empty {
			o.write(",")
		}
		empty = false
		o.line(2)
		o.write(text)
	}
	if !empty {
		o.line(1)
	}
	o.write("]")
	return nil
}

// end ends the object with a newline.
func (o *object) end() error {
	o.line(0)
	o.write("}\n")
	if err := o.out.Flush(); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}
