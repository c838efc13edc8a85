package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) deliveriesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deliveries",
		Short: "Messages on their way: list, send, retry or drop them",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.deliveriesListCommand(), a.deliveriesSendCommand(), a.deliveriesChangeCommand(
		"retry ID... | retry --all", "Try messages again now, also those that were refused for good", "to be tried again:", (*house).retryDeliveries,
	), a.deliveriesChangeCommand("drop ID... | drop --all", "Give messages up that are not delivered", "dropped", (*house).dropDeliveries))
	return cmd
}

func (a *app) deliveriesListCommand() *cobra.Command {
	var asJSON bool
	var settled int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is not delivered, and why",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				list, err := h.book.Deliveries(cmd.Context(), settled)
				if err != nil {
					return err
				}
				if asJSON {
					return export.DeliveriesJSON(a.stdout, list)
				}
				return text.Deliveries(a.stdout, list, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().IntVar(&settled, "sent", 0, "also so many of the newest that are sent or dropped")
	return cmd
}

func (a *app) deliveriesSendCommand() *cobra.Command {
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "send",
		Short: "Send what is due, as a run and a worker do",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				if err := h.lookLate(cmd.Context()); err != nil {
					return err
				}
				return h.deliver(cmd.Context(), patience)
			})
		},
	}
	cmd.Flags().DurationVar(&patience, "wait", 0, "how long to wait for what is due later")
	return cmd
}

// deliveriesChangeCommand makes a command that does something to deliveries.
func (a *app) deliveriesChangeCommand(use, short, verb string, do func(*house, context.Context, []int64, bool) ([]state.Delivery, error)) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := deliveryIDs(args, all)
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), func(h *house) error {
				list, err := do(h, cmd.Context(), ids, all)
				if err != nil {
					return err
				}
				if missing := len(ids) - len(list); missing > 0 {
					fmt.Fprintf(a.stderr, "ownmap: warning: %s not waiting: `ownmap deliveries list` shows what is\n", state.Count(missing, "of them is", "of them are"))
				}
				return text.Changed(a.stdout, verb, list, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all that are not delivered")
	return cmd
}

func deliveryIDs(args []string, all bool) ([]int64, error) {
	if all == (len(args) > 0) {
		return nil, usagef("say which: the numbers of `ownmap deliveries list`, or --all")
	}
	ids := make([]int64, len(args))
	for i, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id < 1 {
			return nil, usagef("%q is no number of a delivery", arg)
		}
		ids[i] = id
	}
	return ids, nil
}

func (h *house) retryDeliveries(ctx context.Context, ids []int64, all bool) ([]state.Delivery, error) {
	return h.book.RetryDeliveries(ctx, ids, all, state.Actor{Name: h.app.author(), Via: "cli"}, h.app.now())
}

func (h *house) dropDeliveries(ctx context.Context, ids []int64, all bool) ([]state.Delivery, error) {
	return h.book.DropDeliveries(ctx, ids, all, state.Actor{Name: h.app.author(), Via: "cli"}, h.app.now())
}
