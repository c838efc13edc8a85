package main

import (
	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
)

// scopeFlags are the flags that select ports in bulk.
type scopeFlags struct {
	all, unapproved bool
	hosts, tags     []string
}

func (f *scopeFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.hosts, "host", nil, "only hosts of this address, prefix or name (repeatable)")
	cmd.Flags().StringSliceVar(&f.tags, "tag", nil, "only hosts with this tag (repeatable)")
}

// registerBulk adds the flags of commands that change what they select.
func (f *scopeFlags) registerBulk(cmd *cobra.Command) {
	f.register(cmd)
	cmd.Flags().BoolVar(&f.all, "all", false, "every host")
}

// scope joins the flags with port arguments.
func (f *scopeFlags) scope(ports []string) (state.Scope, error) {
	scope := state.Scope{All: f.all, Hosts: f.hosts, Tags: f.tags, Unapproved: f.unapproved}
	for _, arg := range ports {
		p, err := state.ParsePort(arg)
		if err != nil {
			return scope, &usageError{err: err}
		}
		scope.Ports = append(scope.Ports, p)
	}
	return scope, nil
}

// isBulk says whether flags select the hosts rather than a first argument.
func (f *scopeFlags) isBulk() bool { return f.all || len(f.hosts)+len(f.tags) > 0 }

// bulk reads `HOST PORT...`, or PORT... beside --all, --host or --tag. What
// changes approvals must say what it means.
func (f *scopeFlags) bulk(args []string) (state.Scope, error) {
	if f.isBulk() {
		return f.scope(args)
	}
	if len(args) < 2 {
		return state.Scope{}, usagef("say which ports: HOST PORT..., or --host, --tag or --all")
	}
	scope, err := f.scope(args[1:])
	scope.Hosts = []string{args[0]}
	return scope, err
}
