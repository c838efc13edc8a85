package main

import (
	"context"
	"fmt"
	"strings"

	"ownmap/pipeline/state"
)

// checkRules says what each rule would approve, and which approves nothing.
func (a *app) checkRules(ctx context.Context, h *house) (string, error) {
	rules := h.config.StateRules()
	if len(rules) == 0 {
		return "none", nil
	}
	found, err := h.book.RuleMatches(ctx, rules)
	if err != nil {
		return "", err
	}
	lines := []string{state.Count(len(rules), "rule", "rules")}
	for _, m := range found {
		lines = append(lines, "      "+state.Clean(m.Rule.Where+"  "+m.Rule.String())+": "+ruleWords(m, m.Rule.Over(a.now())))
	}
	return strings.Join(lines, "\n"), nil
}

func ruleWords(m state.RuleMatch, over bool) string {
	switch {
	case over:
		return "its time is over"
	case m.Ports == 0:
		return "matches nothing"
	}
	text := fmt.Sprintf("%s on %s", state.Count(m.Ports, "port", "ports"), state.Count(m.Hosts, "host", "hosts"))
	if m.Others > 0 {
		text += fmt.Sprintf(", %d approved by a person already", m.Others)
	}
	if m.Unlinked > 0 {
		text += fmt.Sprintf(", %d not approved: a person took that back", m.Unlinked)
	}
	return text
}
