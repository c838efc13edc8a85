package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
	"ownmap/reports/web/access"
)

func (a *app) tokensCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tokens",
		Short: "Passwords for programs that use the API of the web page",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.tokensListCommand(), a.tokensCreateCommand(), a.tokensRevokeCommand())
	return cmd
}

func (a *app) tokensListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens, the newest first, with those that were revoked",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				tokens, err := h.book.APITokens(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return export.TokensJSON(a.stdout, tokens)
				}
				return text.Tokens(a.stdout, tokens, a.now(), a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) tokensCreateCommand() *cobra.Command {
	var roleText, expires string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token and print it, this once; NAME says what it is for",
		Example: `  ownmap tokens create dashboard
  ownmap tokens create deploy --role admin --expires 90d
  curl -H "Authorization: Bearer $TOKEN" https://ownmap.example.org/api/v1/status`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			role, err := state.ParseRole(roleText)
			if err != nil {
				return &usageError{err: err}
			}
			if err := state.CheckTokenName(args[0]); err != nil {
				return &usageError{err: err}
			}
			t := state.APIToken{Name: args[0], Role: role, By: a.author(), CreatedAt: a.now()}
			if expires != "" {
				end, err := parseUntil(expires, a.now())
				if err != nil {
					return err
				}
				if !end.After(a.now()) {
					return usagef("--expires %q is in the past: leave it out for a token without an end", expires)
				}
				t.ExpiresAt = &end
			}
			return a.with(cmd.Context(), func(h *house) error {
				token, sum := access.NewSecretToken()
				if _, err := h.book.AddAPIToken(cmd.Context(), sum, t, state.Actor{Name: a.author(), Via: "cli"}); err != nil {
					return err
				}
				fmt.Fprintln(a.stderr, "ownmap: this is the only time that the token is shown")
				fmt.Fprintln(a.stdout, token)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&roleText, "role", string(state.Viewer), "viewer, which reads, or admin, which changes things")
	cmd.Flags().StringVar(&expires, "expires", "", "until a date (2027-01-31) or for a time (90d, 12h)")
	return cmd
}

func (a *app) tokensRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke TOKEN...",
		Short: "End tokens for good, by name or by number",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				for _, arg := range args {
					if err := h.revokeToken(cmd.Context(), arg, a.now()); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func (h *house) revokeToken(ctx context.Context, which string, now time.Time) error {
	tokens, err := h.book.APITokens(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tokens, func(t state.APIToken) bool {
		return t.RevokedAt == nil && (t.Name == which || strconv.FormatInt(t.ID, 10) == which)
	})
	if i < 0 {
		return fmt.Errorf("there is no token %q that is good: `ownmap tokens list` shows them", which)
	}
	t, err := h.book.RevokeAPIToken(ctx, tokens[i].ID, now, state.Actor{Name: h.app.author(), Via: "cli"})
	if err != nil {
		return err
	}
	fmt.Fprintf(h.app.stdout, "the token %s opens nothing any more\n", t.Name)
	return nil
}
