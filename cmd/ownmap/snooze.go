package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) snoozeCommand() *cobra.Command {
	var until, reason, by string
	cmd := &cobra.Command{
		Use:   "snooze HOST [PORT...]",
		Short: "Do not alert or remind of a host or its ports for a while; nothing is approved by it",
		Example: `  ownmap snooze 10.20.0.5 8080/tcp --until 14d --reason "waits for the vendor"
  ownmap snooze build-3 --until 2027-01-31 --reason "is being rebuilt"
  ownmap snooze list
  ownmap snooze end 10.20.0.5`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ports, err := parsePorts(args[1:])
			if err != nil {
				return err
			}
			if until == "" || reason == "" {
				return usagef("a snooze has an end and a reason: --until 14d --reason TEXT")
			}
			s := state.Snooze{Reason: reason, By: by, Via: "cli"}
			if s.By == "" {
				s.By = a.author()
			}
			if s.Until, err = parseUntil(until, a.now()); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(h *house) error {
				list, err := h.book.Snooze(cmd.Context(), args[0], ports, s)
				if err != nil {
					return err
				}
				return text.Snoozes(a.stdout, list, a.textOptions())
			})
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "until a date (2027-01-31) or for a time (14d, 12h)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever meets it later")
	cmd.Flags().StringVar(&by, "by", "", "who (default: the user who is logged in)")
	cmd.AddCommand(a.snoozeListCommand(), a.snoozeEndCommand())
	return cmd
}

func (a *app) snoozeListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is snoozed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				list, err := h.book.Snoozes(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return export.SnoozesJSON(a.stdout, list)
				}
				return text.Snoozes(a.stdout, list, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) snoozeEndCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "end HOST [PORT...]",
		Short: "End snoozes before their time",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ports, err := parsePorts(args[1:])
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(h *house) error {
				list, err := h.book.EndSnoozes(cmd.Context(), args[0], ports, a.author())
				if err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "ended %s\n", state.Count(len(list), "snooze", "snoozes"))
				if len(list) == 0 {
					return nil
				}
				return text.Snoozes(a.stdout, list, a.textOptions())
			})
		},
	}
}

func parsePorts(args []string) ([]state.Port, error) {
	ports := make([]state.Port, len(args))
	for i, arg := range args {
		p, err := state.ParsePort(arg)
		if err != nil {
			return nil, &usageError{err: err}
		}
		ports[i] = p
	}
	return ports, nil
}
