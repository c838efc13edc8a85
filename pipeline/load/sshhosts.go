package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// sshBlock is what a Host line of ssh_config(5) begins.
type sshBlock struct {
	line     int
	patterns []string // nil: of all hosts
	skip     bool     // it depends on more than the host
	said     map[string]string
}

// forges are hosts that stand in many SSH configs and are nobody's own.
func forges() []string {
	return []string{"github.com", "ssh.github.com", "gitlab.com", "bitbucket.org", "altssh.bitbucket.org", "codeberg.org", "git.sr.ht", "ssh.dev.azure.com"}
}

// sshKeyword splits a line of ssh_config(5): the keyword in small letters, and the rest.
func sshKeyword(line string) (keyword, value string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return strings.ToLower(line), ""
	}
	value = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line[end:]), "="))
	return strings.ToLower(line[:end]), strings.Trim(value, `"`)
}

// sshConfig reads the hosts that ssh_config(5) names one by one, each to be looked inside.
func (f *faults) sshConfig(text []byte, common state.Target) (targets []state.Target, notes []string) {
	blocks, notes := f.sshBlocks(text)
	seen := map[state.Spec]bool{}
	for _, b := range blocks {
		for _, alias := range b.patterns {
			if strings.HasPrefix(alias, "!") {
				continue
			}
			if strings.ContainsAny(alias, "*?") {
				notes = append(notes, f.passed(b.line, alias, "it is a pattern and names no host"))
				continue
			}
			t, why, ok := f.sshTarget(b.line, alias, blocks, common)
			switch {
			case why != "":
				notes = append(notes, f.passed(b.line, alias, why))
			case ok && !seen[t.Spec]:
				seen[t.Spec] = true
				targets = append(targets, t)
				if jump := sshValue(blocks, alias, "proxyjump") + sshValue(blocks, alias, "proxycommand"); jump != "" && jump != "none" {
					notes = append(notes, state.Clean(fmt.Sprintf("%s:%d: %s is reached through another host: say so with jump: under ssh: of targets in ownmap.yaml", f.file, b.line, alias)))
				}
			}
		}
	}
	return targets, notes
}

// sshBlocks reads the blocks of a config.
func (f *faults) sshBlocks(text []byte) (blocks []sshBlock, notes []string) {
	blocks = []sshBlock{{said: map[string]string{}}}
	no := 0
	for line := range bytes.Lines(text) {
		no++
		keyword, value := sshKeyword(string(line))
		b := &blocks[len(blocks)-1]
		switch keyword {
		case "":
		case "host":
			patterns := strings.Fields(strings.ReplaceAll(value, `"`, ""))
			if len(patterns) == 0 {
				f.add(no, "Host without a name")
			}
			blocks = append(blocks, sshBlock{line: no, patterns: append([]string{}, patterns...), said: map[string]string{}})
		case "match":
			blocks = append(blocks, sshBlock{line: no, patterns: []string{}, skip: true, said: map[string]string{}})
			notes = append(notes, f.passed(no, "Match "+value, "what it says depends on more than the host"))
		case "include":
			notes = append(notes, f.passed(no, "Include "+value, "import that file by itself"))
		case "hostname", "user", "port", "proxyjump", "proxycommand":
			if b.said[keyword] == "" {
				b.said[keyword] = value
			}
		}
	}
	return blocks, notes
}

// sshTarget makes the target of a name; why says that it is none.
func (f *faults) sshTarget(line int, alias string, blocks []sshBlock, common state.Target) (t state.Target, why string, ok bool) {
	name := strings.ReplaceAll(sshValue(blocks, alias, "hostname"), "%h", alias)
	if name == "" {
		if _, err := state.ParseSpec(alias); err != nil {
			return t, "that is no name of a host", false
		}
		name = alias
	}
	if slices.Contains(forges(), strings.ToLower(name)) {
		return t, "it is not yours to scan", false
	}
	if t, ok = f.targetAt(line, strings.Trim(name, "[]"), common); !ok {
		return t, "", false
	}
	if a, err := netip.ParseAddr(t.Spec.String()); err == nil && strangeAddress(a) != "" {
		return t, strangeAddress(a), false
	}
	t.SSH.Look = state.LookOn
	if user := sshValue(blocks, alias, "user"); user != "" {
		t.SSH.User = user
	}
	if text := sshValue(blocks, alias, "port"); text != "" {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			f.add(line, "port %s of %s: it takes a number from 1 to 65535", show(text), show(alias))
			return t, "", false
		}
		if t.SSH.Port = uint16(port); port == 22 {
			t.SSH.Port = 0
		}
	}
	return t, "", true
}

// sshValue returns what a config says of a host: the first that any block says whose patterns
// are about it.
func sshValue(blocks []sshBlock, host, keyword string) string {
	for _, b := range blocks {
		if b.said[keyword] != "" && b.about(host) {
			return b.said[keyword]
		}
	}
	return ""
}

func (b sshBlock) about(host string) bool {
	if b.skip {
		return false
	}
	about := b.patterns == nil
	for _, p := range b.patterns {
		bare := strings.TrimPrefix(p, "!")
		if matched, err := path.Match(strings.ReplaceAll(bare, "[", `\[`), host); err == nil && matched {
			if bare != p {
				return false
			}
			about = true
		}
	}
	return about
}
