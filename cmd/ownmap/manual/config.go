package manual

import (
	"regexp"
	"strings"
)

// ConfigPage returns the page ownmap.yaml(5), made of the config in which every key stands
// with its default and its meaning.
func ConfigPage(example []byte) []byte {
	r := &roff{}
	r.title("ownmap.yaml", "5", "Files of OwnMap")
	r.section("NAME")
	r.line(`ownmap.yaml \- the config of OwnMap`)
	head, parts := split(string(example))
	r.section("DESCRIPTION")
	r.text(head)
	r.section("KEYS")
	r.line("As YAML, each with its default. Those that have no default stand in the comments.")
	for _, part := range parts {
		r.line(`.SS ` + escape(part.key))
		if part.says != "" {
			r.text(part.says)
		}
		r.block(part.yaml)
	}
	r.section("SEE ALSO")
	r.line(`\fBownmap\fR(1), \fBownmap\-init\fR(1), \fBownmap\-check\fR(1), \fBownmap\-config\-show\fR(1)`)
	return r.Bytes()
}

// part is a key at the top of the config, with the comment above it.
type part struct{ key, says, yaml string }

// split returns the comment at the head of the config, and its parts.
func split(example string) (head string, parts []part) {
	// The head is the comments up to the first that stands above a key.
	above := regexp.MustCompile(`(?m)^(#.*\n)+[a-z_]+:`)
	at := above.FindStringIndex(example)
	if at == nil {
		return prose(example), nil
	}
	head, rest := prose(example[:at[0]]), example[at[0]:]
	var says, yaml strings.Builder
	key := ""
	end := func() {
		if key != "" {
			parts = append(parts, part{key, comment(says.String()), yaml.String()})
		}
		key = ""
		says.Reset()
		yaml.Reset()
	}
	top := regexp.MustCompile(`^([a-z_]+):`)
	for line := range strings.Lines(rest) {
		switch found := top.FindStringSubmatch(line); {
		case found != nil:
			key = found[1]
			yaml.WriteString(line)
		case key != "" && (strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" && !strings.HasPrefix(line, " ")):
			end()
			says.WriteString(line)
		case key != "":
			yaml.WriteString(line)
		default:
			says.WriteString(line)
		}
	}
	end()
	return head, parts
}

// prose is a comment without its marks.
func prose(text string) string {
	return regexp.MustCompile(`(?m)^# ?`).ReplaceAllString(strings.TrimSpace(text), "")
}

// comment is the comment above a key: prose, and what is indented in it as it is.
func comment(text string) string {
	var out strings.Builder
	was := false // whether the line before was indented
	for line := range strings.Lines(prose(text) + "\n") {
		is := strings.HasPrefix(line, "  ")
		if is != was && out.Len() > 0 && !strings.HasSuffix(out.String(), "\n\n") {
			out.WriteString("\n")
		}
		out.WriteString(line)
		if strings.TrimSpace(line) != "" {
			was = is
		}
	}
	return out.String()
}
