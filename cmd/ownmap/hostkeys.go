package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"ownmap/pipeline/enrich"
	"ownmap/pipeline/enrich/login"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// errKeys ends a command that could not get at the keys of some host; each line
// said why.
var errKeys = errors.New("some host did not show its keys")

func (a *app) hostkeysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hostkeys",
		Short: "Handle the SSH host keys of the hosts that are looked inside",
		Long: `OwnMap looks inside a host only if it knows the host's key. Scan shows the keys of
hosts, to be compared with what somebody knows from elsewhere; accept writes them to
known_hosts. A host that shows another key than the known one is a critical finding.`,
	}
	cmd.AddCommand(a.hostkeysScanCommand(), a.hostkeysAcceptCommand(), a.hostkeysRecipeCommand())
	return cmd
}

func (a *app) hostkeysScanCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "scan [HOST...]",
		Short:   "Show the host keys of hosts, and whether they are known",
		Example: "  ownmap hostkeys scan\n  ownmap hostkeys scan 10.20.0.7 web.example.org",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.eachHostKey(cmd.Context(), args, func(_ *login.Opener, l state.Login, keys []ssh.PublicKey, standing []string) error {
				for i, key := range keys {
					fmt.Fprintf(a.stdout, "%s  %-19s  %s  %s\n", hostOf(l), key.Type(), ssh.FingerprintSHA256(key), standing[i])
				}
				return nil
			})
		},
	}
}

func (a *app) hostkeysAcceptCommand() *cobra.Command {
	var all, replace bool
	var fingerprints []string
	cmd := &cobra.Command{
		Use:   "accept HOST...",
		Short: "Write the host keys of hosts to known_hosts",
		Long: `Accept asks hosts for their keys and writes those that are not known to the first
of their known_hosts files. With --fingerprint it takes only keys that somebody has
compared. A key that contradicts a known one is written with --replace only.`,
		Example: "  ownmap hostkeys accept 10.20.0.7 --fingerprint SHA256:...\n  ownmap hostkeys accept --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && !all {
				return usagef("name the hosts, or say --all")
			}
			return a.eachHostKey(cmd.Context(), args, func(o *login.Opener, l state.Login, keys []ssh.PublicKey, standing []string) error {
				return a.acceptKeys(o, l, keys, standing, fingerprints, replace)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "of every host that is to be looked inside")
	cmd.Flags().BoolVar(&replace, "replace", false, "also keys that contradict known ones, in their place")
	cmd.Flags().StringSliceVar(&fingerprints, "fingerprint", nil, "accept only the key with this `SHA256:...`")
	return cmd
}

func (a *app) acceptKeys(o *login.Opener, l state.Login, keys []ssh.PublicKey, standing, fingerprints []string, replace bool) error {
	var wanted []ssh.PublicKey
	for i, key := range keys {
		print := ssh.FingerprintSHA256(key)
		switch {
		case standing[i] == "known", len(fingerprints) > 0 && !slices.Contains(fingerprints, print):
		case standing[i] == "changed" && !replace:
			return fmt.Errorf("%s shows %s %s, and another key is known: find out why, then say --replace", hostOf(l), key.Type(), print)
		default:
			wanted = append(wanted, key)
		}
	}
	if len(wanted) == 0 {
		if len(fingerprints) > 0 && !slices.Contains(standing, "known") {
			return fmt.Errorf("%s shows no key with that fingerprint; `ownmap hostkeys scan %s` lists them", hostOf(l), hostOf(l))
		}
		fmt.Fprintf(a.stdout, "%s  nothing new\n", hostOf(l))
		return nil
	}
	file, err := o.Accept(l, wanted, replace)
	if err != nil {
		return err
	}
	for _, key := range wanted {
		fmt.Fprintf(a.stdout, "%s  %-19s  %s  accepted into %s\n", hostOf(l), key.Type(), ssh.FingerprintSHA256(key), file)
	}
	return nil
}

// hostOf returns what a user calls the host of a login.
func hostOf(l state.Login) string { return cmp.Or(l.Name, l.Address.String()) }

// eachHostKey hands over the keys of every host that is to be looked inside, or of
// those that are named.
func (a *app) eachHostKey(ctx context.Context, only []string, do func(*login.Opener, state.Login, []ssh.PublicKey, []string) error) error {
	return a.with(ctx, func(h *house) error {
		logins, err := h.logins(ctx, only)
		if err != nil {
			return err
		}
		opener := login.New(h.sshOptions())
		failed := false
		for _, l := range logins {
			keys, err := opener.ScanKeys(ctx, l)
			var standing []string
			if err == nil {
				standing, err = opener.Standing(l, keys)
			}
			if err == nil {
				err = do(opener, l, keys, standing)
			}
			if err != nil {
				failed = true
				fmt.Fprintf(a.stderr, "ownmap: error: %s: %s\n", hostOf(l), state.Clean(err.Error()))
			}
		}
		if failed {
			return errKeys
		}
		return nil
	})
}

// logins returns how to look inside the hosts of the plan, each once. A named host
// of which nobody said that it is to be looked inside is an error.
func (h *house) logins(ctx context.Context, only []string) ([]state.Login, error) {
	targets, err := h.book.Targets(ctx, h.config.StateTargets())
	if err != nil {
		return nil, err
	}
	known, err := h.book.Known(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := load.NewPlanner(h.config, nil).Plan(ctx, targets, known, only)
	if err != nil {
		return nil, err
	}
	var logins []state.Login
	for _, host := range plan.Hosts {
		known := func(l state.Login) bool { return l.Address == host.Address }
		if host.Login != nil && (host.Listed || len(only) > 0) && !slices.ContainsFunc(logins, known) {
			logins = append(logins, *host.Login)
		}
	}
	if len(logins) == 0 {
		return nil, errors.New("no host is to be looked inside: give its target `ssh: on`, see ssh in config.example.yaml")
	}
	return logins, nil
}

func (a *app) hostkeysRecipeCommand() *cobra.Command {
	var user, key string
	cmd := &cobra.Command{
		Use:   "recipe",
		Short: "Print a script that lets OwnMap look inside a host, and do nothing else there",
		Long: `Recipe prints a shell script, to be read and then run as root on a host: it makes a
user whose key is bound to one helper that belongs to root, and a line for sudo that
allows the helper alone. ` + "`ssh.user`" + ` and the private key go into ownmap.yaml.`,
		Example: "  ownmap hostkeys recipe --key /etc/ownmap/id_ed25519.pub >recipe.sh",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if strings.Trim(user, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" || user == "" || user[0] == '-' {
				return usagef("--user %q is no name of a user", user)
			}
			text, err := os.ReadFile(key)
			if err != nil {
				return fmt.Errorf("the public key: %w", err)
			}
			public, comment, _, _, err := ssh.ParseAuthorizedKey(text)
			if err != nil {
				return fmt.Errorf("%s holds no public key: %w", key, err)
			}
			line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public))) + " " + state.Clean(comment)
			_, err = fmt.Fprint(a.stdout, enrich.Recipe(user, line))
			return err
		},
	}
	cmd.Flags().StringVar(&user, "user", "ownmap", "name of the `USER` on the host")
	cmd.Flags().StringVar(&key, "key", "/etc/ownmap/id_ed25519.pub", "`FILE` with the public key of OwnMap")
	return cmd
}
