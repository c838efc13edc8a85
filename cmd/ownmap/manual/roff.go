package manual

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
)

// roff is a page in the language of man(7).
type roff struct{ bytes.Buffer }

// title begins a page. It has no date: pages do not depend on the day.
func (r *roff) title(name, section, manual string) {
	r.line(`.TH "` + strings.ToUpper(name) + `" "` + section + `" "" "OwnMap" "` + manual + `"`)
	r.line(".nh") // no hyphens in words: commands are copied from here
	r.line(".ad l")
}

func (r *roff) section(title string) { r.line(".SH " + title) }

func (r *roff) line(text string) { fmt.Fprintln(r, text) }

// item is a word and what it means. The meaning is prose.
func (r *roff) item(head, prose string) {
	r.line(".TP")
	r.line(head)
	r.line(inline(prose))
}

// block shows lines as they are.
func (r *roff) block(text string) {
	r.line(".PP")
	r.line(".RS 4")
	r.line(".nf")
	for line := range strings.Lines(strings.TrimRight(outdent(text), "\n") + "\n") {
		r.line(guard(escape(strings.TrimRight(line, "\n"))))
	}
	r.line(".fi")
	r.line(".RE")
}

// text is prose in paragraphs; indented ones are shown as they are.
func (r *roff) text(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(paragraph, "  ") {
			r.block(paragraph)
			continue
		}
		if i > 0 {
			r.line(".PP")
		}
		r.line(inline(paragraph))
	}
}

// inline is prose in one line, with what stands between backticks in bold.
func inline(prose string) string {
	text := guard(escape(strings.Join(strings.Fields(prose), " ")))
	return regexp.MustCompile("`([^`]*)`").ReplaceAllString(text, `\fB${1}\fR`)
}

// escape has roff print a text as it is: a backslash is one, and a dash is what can be typed
// (man-pages(7)).
func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "^", `\(ha`, "~", `\(ti`).Replace(text)
}

// guard keeps a line from being taken for a command of roff.
func guard(line string) string {
	if strings.HasPrefix(line, ".") {
		return `\&` + line
	}
	return line
}

// outdent takes away the spaces that all lines begin with.
func outdent(text string) string {
	least := -1
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if spaces := len(line) - len(strings.TrimLeft(line, " ")); least < 0 || spaces < least {
			least = spaces
		}
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(line[min(max(least, 0), len(line)-len(strings.TrimLeft(line, " "))):])
	}
	return out.String()
}
