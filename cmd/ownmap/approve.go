package main

import (
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

type approveOptions struct {
	scope      scopeFlags
	reason, by string
	until      string
	json       bool
	export     bool
}

func (o *approveOptions) register(cmd *cobra.Command) {
	o.scope.registerBulk(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for whoever asks next year")
	cmd.Flags().StringVar(&o.by, "by", "", "who (default: the user who is logged in)")
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
}

func (a *app) approveCommand() *cobra.Command {
	var o approveOptions
	cmd := &cobra.Command{
		Use:   "approve HOST PORT... | approve --all|--host HOST|--tag TAG [PORT...]",
		Short: "Approve open ports, bound to what listens there now",
		Example: `  ownmap approve web-1.example.org 443/tcp --reason "public web server"
  ownmap approve --tag dmz 22/tcp --until 90d
  ownmap approve --all --reason baseline
  ownmap approve --rule-export > rules.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.export {
				if len(args) > 0 || o.scope.isBulk() {
					return usagef("--rule-export prints all approvals that are in force: it takes nothing else")
				}
				return a.with(cmd.Context(), func(h *house) error {
					rules, err := h.book.RulesInForce(cmd.Context())
					if err != nil {
						return err
					}
					return export.RulesYAML(a.stdout, rules)
				})
			}
			grant, err := a.grant(args, o)
			if err != nil {
				return err
			}
			// In bulk only what awaits approval: an approval with a date or a reason of
			// its own is not overwritten by the way.
			grant.Scope.Unapproved = o.scope.isBulk()
			return a.with(cmd.Context(), func(h *house) error {
				granted, err := h.book.Approve(cmd.Context(), grant)
				return a.printApprovals("approved", granted, o.json, err)
			})
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&o.export, "rule-export", false, "approve nothing: print the approvals in force as rules (YAML)")
	cmd.Flags().StringVar(&o.until, "until", "", "until a date (2027-01-31) or for a time (90d, 12h)")
	return cmd
}

func (a *app) revokeCommand() *cobra.Command {
	var o approveOptions
	cmd := &cobra.Command{
		Use:   "revoke HOST PORT... | revoke --all|--host HOST|--tag TAG [PORT...]",
		Short: "Take approvals back; the ports are unapproved again",
		RunE: func(cmd *cobra.Command, args []string) error {
			grant, err := a.grant(args, o)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(h *house) error {
				ended, err := h.book.Revoke(cmd.Context(), grant)
				return a.printApprovals("revoked", ended, o.json, err)
			})
		},
	}
	o.register(cmd)
	return cmd
}

func (a *app) grant(args []string, o approveOptions) (state.Grant, error) {
	scope, err := o.scope.bulk(args)
	if err != nil {
		return state.Grant{}, err
	}
	grant := state.Grant{Scope: scope, Reason: o.reason, By: o.by, Via: "cli"}
	if grant.By == "" {
		grant.By = a.author()
	}
	if o.until != "" {
		until, err := parseUntil(o.until, a.now())
		if err != nil {
			return state.Grant{}, err
		}
		if !until.After(a.now()) {
			return state.Grant{}, usagef("--until %q is in the past: an approval ends in the future, or has no --until", o.until)
		}
		grant.Until = &until
	}
	return grant, nil
}

func (a *app) printApprovals(verb string, approvals []state.Approval, asJSON bool, err error) error {
	if err != nil {
		return err
	}
	if asJSON {
		return export.ApprovalsJSON(a.stdout, approvals)
	}
	return text.Approvals(a.stdout, verb, approvals, a.textOptions())
}

// author names the person at the keyboard, also behind sudo.
func (a *app) author() string {
	if name := a.env("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return a.env("USER")
}

// parseUntil reads a date, which is good to its end, a time, or a duration with
// the units of time.ParseDuration and d for days.
func parseUntil(s string, now time.Time) (time.Time, error) {
	if day, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	if days, found := strings.CutSuffix(s, "d"); found {
		if n, err := strconv.Atoi(days); err == nil && n > 0 {
			return now.AddDate(0, 0, n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	return time.Time{}, usagef("--until %q: use a date (2027-01-31), a time (RFC 3339) or a duration (90d, 12h)", s)
}
