package manual

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Reference returns all commands below root as one page of Markdown.
func Reference(root *cobra.Command) []byte {
	var b strings.Builder
	b.WriteString("# Commands\n\n<!-- `make generate` makes this page of the commands. -->\n\n")
	b.WriteString(root.Long + "\n\nEvery page is also one of the manual: `man ownmap-run`. The config has [a page with every key](../config.example.yaml).\n\n")
	options(&b, "Options of every command", root)
	for _, cmd := range All(root)[1:] {
		level := strings.Repeat("#", 1+min(3, strings.Count(cmd.CommandPath(), " ")))
		fmt.Fprintf(&b, "%s %s\n\n%s\n\n", level, cmd.CommandPath(), cmp.Or(cmd.Long, cmd.Short+"."))
		fmt.Fprintf(&b, "    %s\n\n", usage(cmd))
		options(&b, "", cmd)
		if cmd.Example != "" {
			fmt.Fprintf(&b, "```sh\n%s\n```\n\n", strings.TrimRight(outdent(cmd.Example), "\n"))
		}
	}
	return []byte(strings.TrimRight(b.String(), "\n") + "\n")
}

// options is a table of the options of a command's own.
func options(b *strings.Builder, title string, cmd *cobra.Command) {
	list := flags(cmd.NonInheritedFlags())
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "| %s | |\n|---|---|\n", cmp.Or(title, "option"))
	for _, flag := range list {
		fmt.Fprintf(b, "| `%s` | %s |\n", flag[0], strings.ReplaceAll(flag[1], "|", `\|`))
	}
	b.WriteString("\n")
}
