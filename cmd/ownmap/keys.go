package main

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/link"
	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
)

func (a *app) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Keys and links with which messages let ports be approved: list, rotate, revoke",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.keysListCommand(), a.keysRotateCommand(), a.keysRevokeCommand())
	return cmd
}

func (a *app) keysListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys that sign links to approve, by name",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				keys, err := h.ring.Keys()
				if err != nil {
					return err
				}
				return a.printKeys(cmd.Context(), h, keys, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) keysRotateCommand() *cobra.Command {
	var revokeAll, asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Sign new links with a new key; links that are out stay good until their time is over",
		Long: `Rotate makes a new key, which signs the links of messages from now on. The old
one is kept until the last link that it signed is over, 7 days at most after its
message was due. With --revoke-all it is thrown away: no link that is out is
good for anything, and messages that are not sent yet go out without links.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				keys, err := h.rotate(cmd.Context(), revokeAll)
				if err != nil {
					return err
				}
				return a.printKeys(cmd.Context(), h, keys, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&revokeAll, "revoke-all", false, "throw the old keys away: all links that are out end now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) keysRevokeCommand() *cobra.Command {
	var to, message string
	var all bool
	cmd := &cobra.Command{
		Use:   "revoke --to RECIPIENT | --message ID | --all",
		Short: "End links that are out: those to somebody, those of a message, or all",
		Example: `  ownmap keys revoke --to alice@example.org
  ownmap keys revoke --to soc            # a channel without recipients
  ownmap keys revoke --message ownmap-2f1c0d5a9be347108c6d4e21`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if chosen := []bool{to != "", message != "", all}; count(chosen) != 1 {
				return usagef("say whose links end: --to RECIPIENT, --message ID or --all")
			}
			return a.with(cmd.Context(), func(h *house) error {
				list, err := h.book.RevokeLinks(cmd.Context(), to, message, all, a.actor(), a.now())
				if err != nil {
					return err
				}
				return text.Changed(a.stdout, "revoked the links of", list, a.textOptions())
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "links in messages to this `RECIPIENT`; of a channel that has none, its name")
	cmd.Flags().StringVar(&message, "message", "", "links of the message with this `ID`, as `ownmap audit` has it")
	cmd.Flags().BoolVar(&all, "all", false, "all links")
	return cmd
}

func count(flags []bool) (n int) {
	for _, flag := range flags {
		if flag {
			n++
		}
	}
	return n
}

// actor is the person at the keyboard, for the audit.
func (a *app) actor() state.Actor { return state.Actor{Name: a.author(), Via: "cli"} }

// rotate has a new key sign from now on, and writes that into the audit.
func (h *house) rotate(ctx context.Context, revokeAll bool) ([]link.Key, error) {
	now := h.app.now()
	last, _, err := h.book.LinksOfKeys(ctx, now)
	if err != nil {
		return nil, err
	}
	keys, err := h.ring.Rotate(func(k link.Key) time.Time {
		if revokeAll {
			return time.Time{}
		}
		// A run that is being kept just now may have drawn the old key.
		if soon := now.Add(state.LinkLifetime); last[k.Name()].Before(soon) {
			return soon
		}
		return last[k.Name()]
	})
	if err != nil {
		return nil, err
	}
	detail := map[string]string{"kept": strconv.Itoa(len(keys) - 1)}
	if revokeAll {
		detail["links"] = "all that were out ended"
		if _, err := h.book.RevokeLinks(ctx, "", "", true, h.app.actor(), now); err != nil {
			return nil, err
		}
	}
	return keys, h.book.AuditKeys(ctx, h.app.actor(), "keys-rotate", keys[0].Name(), detail)
}

func (a *app) printKeys(ctx context.Context, h *house, keys []link.Key, asJSON bool) error {
	_, good, err := h.book.LinksOfKeys(ctx, a.now())
	if err != nil {
		return err
	}
	list := make([]state.LinkKey, len(keys))
	for i, k := range keys {
		list[i] = state.LinkKey{Name: k.Name(), Made: k.Made, Messages: good[k.Name()]}
		if !k.Until.IsZero() {
			list[i].Until = &k.Until
		}
	}
	if asJSON {
		return export.LinkKeysJSON(a.stdout, list)
	}
	return text.LinkKeys(a.stdout, list, a.textOptions())
}
