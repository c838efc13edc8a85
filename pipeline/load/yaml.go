package load

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// key is a key that a mapping may have, and what reads its value.
type key struct {
	name string
	read func(value *yaml.Node)
}

// document returns the one document of a file. What is no YAML, empty or more
// than one document is a mistake.
func (p *parser) document(text []byte) *yaml.Node {
	const empty = "the config is empty: delete it to scan this machine with the defaults, or begin with config.example.yaml"
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		p.add(1, empty)
		return nil
	case err != nil:
		p.syntax(text, err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.add(second.Line, "a second document begins here: one file is one config, remove the --- line")
	case !errors.Is(err, io.EOF):
		p.syntax(text, err)
	}
	root := first.Content[0]
	if missing(root) {
		p.add(1, empty)
		return nil
	}
	return root
}

// syntax adds what the YAML parser objects to. It names tabs only as a character
// that "cannot start any token", so they are looked for.
func (p *parser) syntax(text []byte, err error) {
	tabs := false
	for i, line := range bytes.Split(text, []byte("\n")) {
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if bytes.ContainsRune(indent, '\t') && len(bytes.TrimSpace(line)) > 0 {
			p.add(i+1, "a tab in the indentation: YAML wants spaces")
			tabs = true
		}
	}
	if tabs {
		return
	}
	line, message := placeOf(text, strings.TrimPrefix(err.Error(), "yaml: "))
	p.add(line, "no valid YAML: %s; check indentation, colons and quotes here and in the line before", state.Clean(message))
}

// placeOf returns the line of an error of the YAML library, and its message
// without it. Its parser counts lines from 0, its scanner from 1, and an unknown
// alias has no line at all.
func placeOf(text []byte, message string) (line int, rest string) {
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		if regexp.MustCompile(`^did not find expected (node content|'|key|<)`).MatchString(m[2]) {
			line++
		}
		return line, m[2]
	}
	if m := regexp.MustCompile(`^unknown anchor '(.*)' referenced`).FindStringSubmatch(message); m != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+m[1]))
		return 1 + bytes.Count(before, []byte("\n")), message
	}
	return 1, message
}

// fields reads a mapping. The keys are read in the order given, not in that of
// the file, so that one can depend on another.
func (p *parser) fields(node *yaml.Node, what string, keys ...key) {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	values := p.mapping(node, what, strings.Join(names, ", "))
	for _, pair := range values {
		if !containsKey(keys, pair.name) {
			p.add(pair.line, "unknown key %s in %s: %s", show(pair.name), what, remedy(pair.name, names))
		}
	}
	for _, k := range keys {
		for _, pair := range values {
			if pair.name == k.name {
				k.read(pair.value)
			}
		}
	}
}

func containsKey(keys []key, name string) bool {
	for _, k := range keys {
		if k.name == name {
			return true
		}
	}
	return false
}

// pair is one key of a mapping with its value.
type pair struct {
	name  string
	line  int
	value *yaml.Node
}

// mapping returns the pairs of a mapping in the order of the file, less the
// mistaken ones: keys set twice, keys without a value.
func (p *parser) mapping(node *yaml.Node, what, keys string) []pair {
	if node.Kind != yaml.MappingNode {
		p.add(node.Line, "%s is %s: it takes keys (%s)", what, kindOf(node), keys)
		return nil
	}
	var pairs []pair
	lines := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], follow(node.Content[i+1])
		if name.Kind != yaml.ScalarNode {
			p.add(name.Line, "a key of %s is %s: keys are plain words (%s)", what, kindOf(name), keys)
			continue
		}
		if line, twice := lines[name.Value]; twice {
			p.add(name.Line, "%s is set twice, first at line %d: keep one of them", name.Value, line)
			continue
		}
		lines[name.Value] = name.Line
		if missing(value) {
			p.add(name.Line, "%s has no value: give it one, or remove the key", show(name.Value))
			continue
		}
		pairs = append(pairs, pair{name.Value, name.Line, value})
	}
	return pairs
}

// each calls read for every element of a list, or for the value itself if it is
// no list.
func (p *parser) each(node *yaml.Node, read func(*yaml.Node)) {
	if node.Kind != yaml.SequenceNode {
		read(node)
		return
	}
	for _, element := range node.Content {
		read(follow(element))
	}
}

// text returns a text. A number is one only where it is asked for, because YAML
// may spell it otherwise than the user did.
func (p *parser) text(node *yaml.Node, what string) (string, bool) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
		return node.Value, true
	}
	if node.Kind == yaml.ScalarNode && !missing(node) {
		p.add(node.Line, "%s is %s: put %s into quotes", what, kindOf(node), show(node.Value))
	} else {
		p.add(node.Line, "%s is %s: it takes a text", what, kindOf(node))
	}
	return "", false
}

// whole reads a whole number within limits.
func (p *parser) whole(node *yaml.Node, what string, least, most int, into *int) {
	var n int
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!int" || node.Decode(&n) != nil || n < least || n > most {
		p.add(node.Line, "%s is %s: it takes a whole number from %d to %d", what, valueOf(node), least, most)
		return
	}
	*into = n
}

// flag reads true or false.
func (p *parser) flag(node *yaml.Node, what string, into *bool) {
	if node.Kind != yaml.ScalarNode || node.ShortTag() != "!!bool" {
		p.add(node.Line, "%s is %s: it takes true or false", what, valueOf(node))
		return
	}
	*into = strings.EqualFold(node.Value, "true")
}

// duration reads a duration within limits.
func (p *parser) duration(node *yaml.Node, what string, least, most Duration, into *Duration) {
	d, err := time.ParseDuration(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil || Duration(d) < least || Duration(d) > most {
		p.add(node.Line, "%s is %s: it takes a time with its unit, like 30s, 15m or 1h, from %s to %s", what, valueOf(node), least, most)
		return
	}
	*into = Duration(d)
}

// follow returns what an alias stands for.
func follow(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		return node.Alias
	}
	return node
}

func missing(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

// valueOf shows a scalar, and of anything else its kind.
func valueOf(node *yaml.Node) string {
	if node.Kind == yaml.ScalarNode && !missing(node) {
		return show(node.Value)
	}
	return kindOf(node)
}

func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.DocumentNode, yaml.AliasNode:
		return "an alias"
	case yaml.ScalarNode:
	}
	switch node.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	}
	return "a text"
}
