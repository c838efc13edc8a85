package load

import (
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// Dump writes the config as it is in force, every default among it, as YAML with
// a comment that says where it came from. Secrets are written as "***".
func (c Config) Dump(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "# from: %s\n", c.source)
	for _, warning := range c.warnings {
		fmt.Fprintf(&text, "# warning: %s\n", warning)
	}
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(c.forDump()); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write config: %w", err)
	}
	return nil
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
