// Package manual makes the pages of the manual and the command reference from the commands
// themselves, so that neither can tell of what is not there. The same commands give the same
// bytes, on any day.
package manual

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Page returns the page of a command in the language of man-pages(7), for section 1.
func Page(cmd *cobra.Command) []byte {
	r := &roff{}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	r.title(name, "1", "Commands of OwnMap")
	r.section("NAME")
	r.line(escape(name) + ` \- ` + escape(cmd.Short))
	r.section("SYNOPSIS")
	r.line(`\fB` + escape(cmd.CommandPath()) + `\fR` + escape(strings.TrimPrefix(usage(cmd), cmd.CommandPath())))
	r.section("DESCRIPTION")
	r.text(cmp.Or(cmd.Long, cmd.Short+"."))
	if subs := shown(cmd); len(subs) > 0 {
		r.section("COMMANDS")
		for _, sub := range subs {
			r.item(`\fB`+escape(sub.Name())+`\fR`, sub.Short)
		}
	}
	r.options("OPTIONS", cmd.NonInheritedFlags())
	r.options("OPTIONS OF EVERY COMMAND", cmd.InheritedFlags())
	if cmd.Example != "" {
		r.section("EXAMPLES")
		r.block(cmd.Example)
	}
	if !cmd.HasParent() {
		r.root()
	}
	r.seeAlso(cmd)
	return r.Bytes()
}

// shown returns the commands below one that people are told of.
func shown(cmd *cobra.Command) (list []*cobra.Command) {
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			list = append(list, sub)
		}
	}
	return list
}

// All returns a command and all below it that people are told of, in the order of the list.
func All(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range shown(cmd) {
		list = append(list, All(sub)...)
	}
	return list
}

// usage is how a command is called.
func usage(cmd *cobra.Command) string {
	if len(shown(cmd)) > 0 && cmd.HasParent() && !cmd.Flags().HasAvailableFlags() {
		return cmd.CommandPath() + " COMMAND"
	}
	if !cmd.HasParent() {
		return cmd.CommandPath() + " [--config FILE] COMMAND"
	}
	return strings.Replace(cmd.UseLine(), " [flags]", " [OPTIONS]", 1)
}

// flags are the options of a set that people are told of: how each is written and what it
// does.
func flags(set *pflag.FlagSet) (list [][2]string) {
	set.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Name == "help" {
			return
		}
		kind, says := pflag.UnquoteUsage(flag)
		written := "--" + flag.Name
		if flag.Shorthand != "" {
			written = "-" + flag.Shorthand + ", " + written
		}
		if kind != "" {
			written += " " + strings.ToUpper(kind)
		}
		if value := flag.DefValue; kind != "" && value != "" && value != "[]" && value != "0" && !strings.Contains(says, "default") {
			says += fmt.Sprintf(" (default: %s)", value)
		}
		list = append(list, [2]string{written, says})
	})
	return list
}

// root adds what is true for all commands.
func (r *roff) root() {
	r.section("ENVIRONMENT")
	for _, item := range [][2]string{
		{"OWNMAP_CONFIG", "The config file, where --config names none."},
		{"STATE_DIRECTORY", "The state directory, where neither --state-dir nor the config names one; systemd sets it."},
		{"CREDENTIALS_DIRECTORY", "Where systemd's credentials are: ${CREDENTIALS_DIRECTORY}/NAME in the config. Other variables can stand there too."},
		{"OWNMAP_PG_BIN", "Where the programs of PostgreSQL for the private database are, if not where the system keeps them."},
		{"JOURNAL_STREAM", "Set by systemd: what goes to stderr begins with its priority (sd-daemon(3))."},
		{"NO_COLOR", "No colour."},
	} {
		r.item(`\fB`+escape(item[0])+`\fR`, item[1])
	}
	r.section("FILES")
	for _, item := range [][2]string{
		{"/etc/ownmap/ownmap.yaml", "The config, after ./ownmap.yaml; `ownmap init` writes it, ownmap.yaml(5) tells of every key."},
		{"/var/lib/ownmap", "The state: the private database (pg), the archive of reports (archive), the keys of links to approve (approval-keys)."},
		{"/usr/share/doc/ownmap/examples", "The config with every key and its default."},
	} {
		r.item(`\fI`+escape(item[0])+`\fR`, item[1])
	}
}

func (r *roff) options(title string, set *pflag.FlagSet) {
	list := flags(set)
	if len(list) == 0 {
		return
	}
	r.section(title)
	for _, flag := range list {
		written, value, _ := strings.Cut(flag[0], " ")
		if strings.HasSuffix(written, ",") { // -v, --verbose VALUE
			short := written
			written, value, _ = strings.Cut(value, " ")
			written = short + " " + written
		}
		head := `\fB` + escape(written) + `\fR`
		if value != "" {
			head += ` \fI` + escape(value) + `\fR`
		}
		r.item(head, flag[1])
	}
}

func (r *roff) seeAlso(cmd *cobra.Command) {
	var pages []string
	add := func(c *cobra.Command) {
		pages = append(pages, `\fB`+escape(strings.ReplaceAll(c.CommandPath(), " ", "-"))+`\fR(1)`)
	}
	if cmd.HasParent() {
		add(cmd.Root())
		if cmd.Parent() != cmd.Root() {
			add(cmd.Parent())
		}
	}
	for _, sub := range shown(cmd) {
		add(sub)
	}
	pages = append(pages, `\fBownmap.yaml\fR(5)`)
	r.section("SEE ALSO")
	r.line(strings.Join(pages, ",\n"))
}
