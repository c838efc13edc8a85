package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"ownmap/pipeline/state"
	"ownmap/reports/export"
	"ownmap/reports/text"
	"ownmap/reports/web/access"
)

func (a *app) passwdCommand() *cobra.Command {
	var roleText string
	var disable bool
	cmd := &cobra.Command{
		Use:   "passwd NAME",
		Short: "Set who may sign in to the web page, and their password",
		Long: `Sets a user of the web page and their password, which is asked for twice, or read
from one line of standard input if that is no terminal. Whoever was signed in as
that user is signed out. The first user becomes an admin, later ones viewers
unless --role says otherwise.`,
		Example: `  ownmap passwd alice --role admin
  ownmap passwd bob </run/secrets/bob
  ownmap passwd bob --disable`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if err := state.CheckUserName(name); err != nil {
				return &usageError{err: err}
			}
			role := state.Nobody
			if roleText != "" {
				var err error
				if role, err = state.ParseRole(roleText); err != nil {
					return &usageError{err: err}
				}
			}
			if disable && roleText != "" {
				return usagef("--disable and --role exclude each other: who is let in no more has no role")
			}
			return a.with(cmd.Context(), func(h *house) error {
				if _, configured := h.config.Auth.Users[name]; configured {
					return fmt.Errorf("%s is set under auth.users in %s: change it there", name, h.config.Source())
				}
				if disable {
					return h.disable(cmd.Context(), name)
				}
				return h.passwd(cmd.Context(), name, role)
			})
		},
	}
	cmd.Flags().StringVar(&roleText, "role", "", "viewer, who reads, or admin, who changes things")
	cmd.Flags().BoolVar(&disable, "disable", false, "let the user in no more; a new password lets them in again")
	return cmd
}

// passwd sets the password of a user, who is added if there is none of that name.
func (h *house) passwd(ctx context.Context, name string, role state.Role) error {
	old, err := h.book.User(ctx, name)
	known := err == nil
	if err != nil && !errors.Is(err, state.ErrNoUser) {
		return err
	}
	password, err := h.app.password(name)
	if err != nil {
		return err
	}
	hash, err := access.Hash(password, name, access.DefaultCost)
	if err != nil {
		return err
	}
	by, at := state.Actor{Name: h.app.author(), Via: "cli"}, h.app.now()
	if known {
		edit := state.UserEdit{PasswordHash: &hash, Disabled: new(false)}
		if role != state.Nobody {
			edit.Role = &role
		}
		old, err = h.book.EditUser(ctx, name, edit, at, by)
	} else {
		if role == state.Nobody {
			role = h.roleOfNext(ctx)
		}
		old, err = h.book.AddUser(ctx, state.User{Name: name, PasswordHash: hash, Role: role}, false, at, by)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(h.app.stdout, "%s can sign in, as %s\n", name, old.Role)
	return nil
}

// roleOfNext is the role of a new user: somebody has to be an admin.
func (h *house) roleOfNext(ctx context.Context) state.Role {
	if some, err := h.book.HasUsers(ctx); err == nil && !some && len(h.config.Auth.Users) == 0 {
		return state.Admin
	}
	return state.Viewer
}

func (h *house) disable(ctx context.Context, name string) error {
	edit := state.UserEdit{Disabled: new(true)}
	if _, err := h.book.EditUser(ctx, name, edit, h.app.now(), state.Actor{Name: h.app.author(), Via: "cli"}); err != nil {
		return err
	}
	fmt.Fprintf(h.app.stdout, "%s is let in no more\n", name)
	return nil
}

// password asks for a new password twice, or reads it from one line of standard input.
func (a *app) password(name string) (string, error) {
	file, isFile := a.stdin.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return passwordLine(a.stdin)
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(a.stderr, prompt)
		defer fmt.Fprintln(a.stderr)
		typed, err := term.ReadPassword(int(file.Fd()))
		return string(typed), err
	}
	password, err := ask("Password for " + name + ": ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if err := state.CheckPassword(password, name); err != nil {
		return "", err
	}
	again, err := ask("Password, again: ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if again != password {
		return "", errors.New("the two passwords differ: nothing was changed")
	}
	return password, nil
}

// passwordLine reads a password as programs give it: one line and no more.
func passwordLine(r io.Reader) (string, error) {
	const most = 4096
	reader := bufio.NewReader(io.LimitReader(r, most))
	line, err := reader.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if _, err := reader.ReadByte(); err == nil {
		return "", errors.New("the password on standard input has more than one line")
	}
	if line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"); line == "" {
		return "", errors.New("no password: type one at a terminal, or write one line to standard input")
	}
	return line, nil
}

func (a *app) usersCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "users",
		Short: "List who may sign in to the web page with a password; passwd sets them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				guard := access.New(access.Options{Store: h.book, Users: h.config.Auth.StateUsers()})
				users, err := guard.AllUsers(cmd.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return export.UsersJSON(a.stdout, users)
				}
				return text.Users(a.stdout, users, a.textOptions())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
