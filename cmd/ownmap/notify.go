package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ownmap/pipeline/outbox"
	"ownmap/pipeline/state"
)

// errNotify ends a test in which a channel did not take its message; each line said why.
var errNotify = errors.New("a channel does not work; every FAIL line says why")

func (a *app) notifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try the channels over which messages go",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "test [CHANNEL...]",
		Short:   "Send a message that is marked as a test over all channels, or some",
		Example: "  ownmap notify test\n  ownmap notify test ops-mail",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(h *house) error { return a.notifyTest(cmd.Context(), h, args) })
		},
	})
	return cmd
}

// notifyTest sends a message to each recipient of channels and says what came of it. It
// goes past the outbox: who tries a channel wants to know now.
func (a *app) notifyTest(ctx context.Context, h *house, names []string) error {
	channels := h.channels()
	known := slices.Sorted(maps.Keys(channels))
	if len(known) == 0 {
		return usagef("there are no channels: add some under channels in ownmap.yaml")
	}
	for _, name := range names {
		if _, ok := channels[name]; !ok {
			return usagef("unknown channel %q: known are %s", name, strings.Join(known, ", "))
		}
	}
	if len(names) == 0 {
		names = known
	}
	failed := false
	for _, name := range names {
		recipients := h.policy.Channels[name].Recipients
		if len(recipients) == 0 {
			recipients = []string{""}
		}
		for _, recipient := range recipients {
			to := state.Delivery{Channel: name, Recipient: recipient}.To()
			if err := a.sendTest(ctx, channels[name], recipient); err != nil {
				failed = true
				fmt.Fprintf(a.stdout, "FAIL  %s: %s\n", to, state.Clean(err.Error()))
				continue
			}
			fmt.Fprintf(a.stdout, "ok    %s\n", to)
		}
	}
	if failed {
		return errNotify
	}
	return nil
}

func (a *app) sendTest(ctx context.Context, channel outbox.Channel, recipient string) error {
	return channel.Send(ctx, state.Message{
		ID: "ownmap-test-" + strings.ToLower(rand.Text()), Kind: state.MessageTest, Recipient: recipient, At: a.now(),
		Title: "Test message of OwnMap", Lines: []string{"If you can read this, the channel works.", "Sent by " + a.author() + ": ownmap notify test"},
	})
}
