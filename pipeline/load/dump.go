package load

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// Dump writes the config as it is in force, every default among it, as YAML with
// comments that say where each key was set. Secrets are written as "***".
func (c Config) Dump(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "# from: %s\n", c.source)
	for _, warning := range c.warnings {
		fmt.Fprintf(&text, "# warning: %s\n", warning)
	}
	text.WriteString("# What has no comment is built in.\n")
	var root yaml.Node
	if err := root.Encode(c.forDump()); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	c.noteSources(&root, "")
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(&root); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	return nil
}

// noteSources says behind each key where it was set: in the file, or on the web page.
func (c Config) noteSources(node *yaml.Node, path string) {
	note := func(name string, line, value *yaml.Node) {
		if path != "" {
			name = path + "." + name
		}
		if source := c.sourceOf(name); source != "" {
			if len(value.Content) == 0 || value.Style&yaml.FlowStyle != 0 {
				line = value // it stands in the line of its key
			}
			line.LineComment = source
		}
		if value.Style&yaml.FlowStyle == 0 {
			c.noteSources(value, name)
		}
	}
	switch node.Kind { //nolint:exhaustive // nothing is below the others
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			note(node.Content[i].Value, node.Content[i], node.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, element := range node.Content {
			if element.Kind == yaml.ScalarNode {
				note(strconv.Itoa(i), element, element)
				continue
			}
			c.noteSources(element, path+"."+strconv.Itoa(i))
		}
	}
}

// sourceOf returns where what a path leads to was set, or "".
func (c Config) sourceOf(path string) string {
	if line, ok := c.lines[path]; ok {
		return fmt.Sprintf("%s:%d", filepath.Base(c.source), line)
	}
	key, rest, _ := strings.Cut(path, ".")
	i, err := strconv.Atoi(rest)
	switch key := state.SettingKey(key); {
	case key == state.SettingWindow && err == nil && i < len(c.Windows):
		rest = c.Windows[i].Name
	case key == state.SettingExclude && err == nil && i < len(c.Exclude):
		rest = c.Exclude[i].String()
	}
	if s, ok := c.set.settings[state.Setting{Key: state.SettingKey(key), Name: rest}.Label()]; ok {
		return state.Source{By: s.By, At: s.At}.String()
	}
	return ""
}

// forDump returns the config so that what it writes can be read back: a URL that
// came from a file is told by the file alone.
func (c Config) forDump() Config {
	if c.Database.URLFile != "" {
		c.Database.URL = state.Secret{}
	}
	channels := make(map[string]Channel, len(c.Channels))
	for name, channel := range c.Channels {
		for _, s := range channel.secrets() {
			if *s.file != "" {
				*s.text = state.Secret{}
			}
		}
		channels[name] = channel
	}
	c.Channels = channels
	if c.Watch.HeartbeatFile != "" {
		c.Watch.Heartbeat = state.Secret{}
	}
	if o := c.Auth.OIDC; o != nil && o.ClientSecretFile != "" {
		told := *o
		told.ClientSecret = state.Secret{}
		c.Auth.OIDC = &told
	}
	return c
}
