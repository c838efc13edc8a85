package login

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxInclude is how deep files of ~/.ssh/config may include one another, as
// ssh_config(5) has it.
const maxInclude = 16

// userConfig is ~/.ssh/config, read as ssh_config(5) says. Nothing in it is ever
// run: a Match that asks for more than host and user never matches.
type userConfig struct {
	home, user string
	blocks     []configBlock
}

// configBlock is the lines under one Host or Match.
type configBlock struct {
	conditions []configCondition
	lines      []configLine
}

// configCondition is what has to hold for a block: one of the patterns matches, and
// none of the negated ones does.
type configCondition struct {
	of       string // host, originalhost, user, localuser, all, never
	patterns []string
	negated  bool
}

type configLine struct {
	key   string // in lower case
	args  []string
	place string // file:line
}

// hostConfig is what ~/.ssh/config says of a host.
type hostConfig struct {
	hostName, alias, user string
	port                  uint16
	keyFiles, knownHosts  []string
	jump                  []string
}

// readUserConfig reads ~/.ssh/config; a missing file is empty.
func readUserConfig(home, user string) (*userConfig, error) {
	c := &userConfig{home: home, user: user, blocks: []configBlock{{}}}
	err := c.read(filepath.Join(home, ".ssh", "config"), 0, nil)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return c, err
}

// read reads a file; what it says holds under the conditions of the place that
// includes it.
func (c *userConfig) read(file string, depth int, under []configCondition) error {
	text, err := os.ReadFile(file) //nolint:gosec // the user's own file names what it includes
	if err != nil {
		return err
	}
	c.blocks = append(c.blocks, configBlock{conditions: under})
	for i, line := range strings.Split(string(text), "\n") {
		key, args, err := splitLine(line)
		place := fmt.Sprintf("%s:%d", file, i+1)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", place, err)
		case key == "" || len(args) == 0:
		case key == "host":
			c.blocks = append(c.blocks, configBlock{conditions: append(slices.Clone(under), configCondition{of: "originalhost", patterns: args})})
		case key == "match":
			c.blocks = append(c.blocks, configBlock{conditions: append(slices.Clone(under), matchConditions(args)...)})
		case key == "include":
			if err := c.include(args, depth); err != nil {
				return fmt.Errorf("%s: %w", place, err)
			}
		default:
			last := &c.blocks[len(c.blocks)-1]
			last.lines = append(last.lines, configLine{key, args, place})
		}
	}
	return nil
}

// include reads the files that match patterns; what follows belongs to the block
// before.
func (c *userConfig) include(patterns []string, depth int) error {
	if depth >= maxInclude {
		return fmt.Errorf("more than %d files include one another", maxInclude)
	}
	here := c.blocks[len(c.blocks)-1].conditions
	for _, pattern := range patterns {
		pattern = c.tilde(pattern)
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(c.home, ".ssh", pattern)
		}
		files, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := c.read(file, depth+1, here); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	c.blocks = append(c.blocks, configBlock{conditions: here})
	return nil
}

// lookUp returns what the config says of a host: the first value of each key.
func (c *userConfig) lookUp(host, user string) (hostConfig, error) {
	var h hostConfig
	h.user = user
	for _, block := range c.blocks {
		if !block.holds(host, &h, c.user) {
			continue
		}
		for _, line := range block.lines {
			if err := c.apply(&h, line, host); err != nil {
				return h, fmt.Errorf("%s: %w", line.place, err)
			}
		}
	}
	for i, file := range h.keyFiles {
		h.keyFiles[i] = c.expand(file, host, h)
	}
	return h, nil
}

func (b configBlock) holds(host string, h *hostConfig, local string) bool {
	for _, condition := range b.conditions {
		holds := false
		switch condition.of {
		case "all":
			holds = true
		case "host":
			name := h.hostName
			if name == "" {
				name = host
			}
			holds = matches(condition.patterns, name)
		case "originalhost":
			holds = matches(condition.patterns, host)
		case "user":
			holds = h.user != "" && matches(condition.patterns, h.user)
		case "localuser":
			holds = matches(condition.patterns, local)
		case "never":
			return false
		}
		if holds == condition.negated {
			return false
		}
	}
	return true
}

// apply takes over one line.
func (c *userConfig) apply(h *hostConfig, line configLine, host string) error {
	value := line.args[0]
	switch line.key {
	case "hostname":
		if h.hostName == "" {
			h.hostName = c.expand(value, host, *h)
		}
	case "hostkeyalias":
		if h.alias == "" {
			h.alias = value
		}
	case "user":
		if h.user == "" {
			h.user = value
		}
	case "port":
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("port %q is no number from 1 to 65535", value)
		}
		if h.port == 0 {
			h.port = uint16(n)
		}
	case "identityfile":
		if value != "none" {
			h.keyFiles = append(h.keyFiles, value)
		}
	case "userknownhostsfile", "globalknownhostsfile":
		for _, file := range line.args {
			if file = c.expand(file, host, *h); !slices.Contains(h.knownHosts, file) {
				h.knownHosts = append(h.knownHosts, file)
			}
		}
	case "proxyjump":
		if h.jump == nil {
			h.jump = []string{}
			if value != "none" {
				h.jump = strings.Split(value, ",")
			}
		}
	case "proxycommand":
		if h.jump == nil && value != "none" {
			return errors.New("ProxyCommand is never run; write ProxyJump, or ssh.jump in ownmap.yaml")
		}
	}
	return nil
}

// expand replaces ~ and the tokens %h, %r, %u, %d and %%.
func (c *userConfig) expand(text, host string, h hostConfig) string {
	name := h.hostName
	if name == "" {
		name = host
	}
	return strings.NewReplacer("%%", "%", "%h", name, "%n", host, "%r", h.user, "%u", c.user, "%d", c.home).Replace(c.tilde(text))
}

func (c *userConfig) tilde(file string) string {
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		return filepath.Join(c.home, rest)
	}
	return file
}
