package load

import (
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// Retention says what stays in the database.
type Retention struct {
	History  string `yaml:"history"`  // Forever, or days like 400d
	Runs     int    `yaml:"runs"`     // the newest so many stay, however old; 0: none
	Messages string `yaml:"messages"` // Forever, or days
}

// Forever says that nothing is taken away.
const Forever = "forever"

// shortestHistory is longer than links to approve last, and than anybody looks for what was.
const shortestHistory = 30

// Keeps returns the retention as the book has it.
func (r Retention) Keeps() state.Retention {
	return state.Retention{History: days(r.History), Runs: r.Runs, Messages: days(r.Messages)}
}

// days reads "400d"; 0: forever. The parser saw to the form.
func days(text string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
	if err != nil {
		return 0
	}
	return time.Duration(n) * 24 * time.Hour
}

func (p *parser) retention(node *yaml.Node) {
	r := &p.config.Retention
	p.fields(node, "retention",
		key{"history", func(n *yaml.Node) { p.age(n, "retention.history", &r.History) }},
		key{"runs", func(n *yaml.Node) { p.whole(n, "retention.runs", 0, 1_000_000, &r.Runs) }},
		key{"messages", func(n *yaml.Node) { p.age(n, "retention.messages", &r.Messages) }},
	)
}

// age reads for how long something stays.
func (p *parser) age(node *yaml.Node, what string, into *string) {
	const longest = 100 * 365
	text, number := node.Value, ""
	if node.Kind == yaml.ScalarNode {
		number, _ = strings.CutSuffix(text, "d")
	}
	n, err := strconv.Atoi(number)
	switch {
	case node.Kind == yaml.ScalarNode && text == Forever:
	case err != nil || number == text || n < shortestHistory || n > longest:
		p.add(node.Line, "%s is %s: it takes %s, or days from %dd to %dd", what, valueOf(node), Forever, shortestHistory, longest)
		return
	}
	*into = text
}
