package login

import (
	"errors"
	"path"
	"strings"
)

// splitLine parts "key value value", "key=value", with quotes and comments.
func splitLine(line string) (key string, args []string, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", nil, nil
	}
	end := strings.IndexAny(line, " \t=")
	if end < 0 {
		return strings.ToLower(line), nil, nil
	}
	key = strings.ToLower(line[:end])
	rest := strings.TrimPrefix(strings.TrimLeft(line[end:], " \t"), "=")
	for rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != '#'; rest = strings.TrimLeft(rest, " \t") {
		var word string
		if rest[0] == '"' {
			i := strings.IndexByte(rest[1:], '"')
			if i < 0 {
				return "", nil, errors.New("a quote is not closed")
			}
			word, rest = rest[1:1+i], rest[2+i:]
		} else if i := strings.IndexAny(rest, " \t"); i >= 0 {
			word, rest = rest[:i], rest[i:]
		} else {
			word, rest = rest, ""
		}
		args = append(args, word)
	}
	return key, args, nil
}

// matchConditions reads the criteria of a Match.
func matchConditions(args []string) []configCondition {
	var list []configCondition
	for i := 0; i < len(args); i++ {
		word, value, joined := strings.Cut(args[i], "=")
		word, negated := strings.CutPrefix(strings.ToLower(word), "!")
		switch word {
		case "all":
			list = append(list, configCondition{of: "all", negated: negated})
		case "host", "originalhost", "user", "localuser":
			if !joined && i+1 < len(args) {
				i++
				value = args[i]
			}
			list = append(list, configCondition{of: word, patterns: strings.Split(value, ","), negated: negated})
		default: // exec and whatever else would have to be run or known
			return []configCondition{{of: "never"}}
		}
	}
	return list
}

// matches says whether a name matches one of the patterns and none of those that
// are negated (ssh_config(5), PATTERNS).
func matches(patterns []string, name string) bool {
	found := false
	for _, pattern := range patterns {
		pattern, negated := strings.CutPrefix(pattern, "!")
		escaped := strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(strings.ToLower(pattern))
		ok, err := path.Match(escaped, strings.ToLower(name))
		if err != nil || !ok {
			continue
		}
		if negated {
			return false
		}
		found = true
	}
	return found
}
