package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// maxSetting is how many bytes one setting of the web page may have.
const maxSetting = 1 << 16

// nodeOf reads JSON as if it stood in the config, so that both are held to the same rules.
// It has no line numbers.
func nodeOf(text []byte) (*yaml.Node, error) {
	if len(text) > maxSetting {
		return nil, fmt.Errorf("more than %d bytes", maxSetting)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("no JSON: something follows the value")
	}
	return nodeOfValue(value), nil
}

func nodeOfValue(value any) *yaml.Node {
	switch v := value.(type) {
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			node.Content = append(node.Content, scalar(name), nodeOfValue(v[name]))
		}
		return node
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, element := range v {
			node.Content = append(node.Content, nodeOfValue(element))
		}
		return node
	case string:
		return scalar(v)
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case json.Number:
		tag := "!!int"
		if _, err := v.Int64(); err != nil {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v.String()}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// linesOf returns the lines of the keys and elements below a node of a file, by their
// paths, like "profiles.full.ports" and "windows.0".
func linesOf(node *yaml.Node, path string, into map[string]int) map[string]int {
	below := func(name string, line int, value *yaml.Node) {
		if path != "" {
			name = path + "." + name
		}
		into[name] = line
		linesOf(value, name, into)
	}
	switch node.Kind { //nolint:exhaustive // nothing is below the others
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			below(node.Content[i].Value, node.Content[i].Line, node.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, element := range node.Content {
			below(strconv.Itoa(i), element.Line, element)
		}
	case yaml.ScalarNode:
		into[path+".0"] = node.Line // a list of one may be written without brackets
	}
	return into
}
