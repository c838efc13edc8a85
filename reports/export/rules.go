package export

import (
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// RulesYAML writes rules as a file that `rules_file` of the config names.
func RulesYAML(w io.Writer, rules []state.Rule) error {
	const head = `# Approvals in force, as rules: to be read, put under version control, and named by
# rules_file in ownmap.yaml. Of two rules that match a port the first one approves.
`
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(struct {
		Rules []state.Rule `yaml:"rules"`
	}{append([]state.Rule{}, rules...)}); err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	return encoder.Close()
}
