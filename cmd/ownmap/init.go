package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ownmap/pipeline/load"
)

// errInit ends an init whose config stands but of which something does not work yet; each
// line said what.
var errInit = errors.New("the config is written, and something in it does not work yet; every FAIL line says what. `ownmap check` tries it again")

// initOptions are what init was told on the command line.
type initOptions struct {
	answers

	dir, sshTest string
	yes, force   bool
	timer, web   bool
	password     string // that was typed
	testMail     bool

	service account // whom the units run as
	state   string  // directory of the service; empty: there is no service
	kept    string  // what the config is called that was there before
}

func (a *app) initCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first config, try mail and SSH, and have every night scanned",
		Long: `Init asks what to scan and whom to tell, writes ownmap.yaml with a comment at each
key, and tries whether mail and SSH work. On a terminal it asks for what no option
says; else, and with --yes, it takes the options and the defaults.

It writes into /etc/ownmap for root, else into the directory that it is called in. A
config that is there stays, unless --force says otherwise; then it is kept beside the
new one, under a name with the time. Secrets go into files of their own that only OwnMap can read.`,
		Example: `  ownmap init
  ownmap init --yes --target 10.20.0.0/24 --mail-host smtp.example.org \
      --mail-from ownmap@example.org --mail-to ops@example.org --timer`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.init(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "dir", "", "`DIR` to write into (default: /etc/ownmap for root, else the current one)")
	flags.BoolVarP(&o.yes, "yes", "y", false, "ask nothing")
	flags.BoolVar(&o.force, "force", false, "write though there is a config; the old one is kept as ownmap.yaml.TIME.old")
	flags.StringSliceVar(&o.Targets, "target", nil, "`HOST` to scan: address, prefix, range or name (repeatable; default: this machine)")
	flags.StringVar(&o.Organisation, "organisation", "", "whose reports they are: `NAME`")
	flags.StringVar(&o.MailHost, "mail-host", "", "mail server: `HOST` or HOST:PORT")
	flags.StringVar(&o.MailTLS, "mail-tls", "", "`WORD`: starttls, tls, opportunistic or none (default: starttls, on port 465 tls)")
	flags.StringVar(&o.MailUser, "mail-user", "", "`USER` to log in to the mail server as")
	flags.StringVar(&o.MailPasswordFile, "mail-password-file", "", "`FILE` with the password")
	flags.StringVar(&o.MailFrom, "mail-from", "", "`ADDRESS` that mails come from")
	flags.StringSliceVar(&o.MailTo, "mail-to", nil, "`ADDRESS` that mails go to (repeatable)")
	flags.BoolVar(&o.testMail, "test-mail", false, "send a mail that is marked as a test")
	flags.StringVar(&o.SSHUser, "ssh-user", "", "`USER` to log in to the hosts as, to look inside")
	flags.StringVar(&o.SSHKey, "ssh-key", "", "`FILE` with the private key; made if it is not there (default: id_ed25519 beside the config)")
	flags.StringVar(&o.sshTest, "ssh-test", "", "`HOST` to try the login on")
	flags.BoolVar(&o.timer, "timer", false, "have systemd scan every night (ownmap.timer, ownmap-deliver.timer)")
	flags.BoolVar(&o.web, "web", false, "have systemd start the web page and a worker (ownmap-web.service)")
	return cmd
}

// init writes a config and tries it.
func (a *app) init(ctx context.Context, o initOptions) error {
	if err := o.place(); err != nil {
		return err
	}
	path := filepath.Join(o.dir, "ownmap.yaml")
	if _, err := os.Lstat(path); err == nil && !o.force {
		return fmt.Errorf("%s is there, and stays as it is: change it, or say --force to write a new one", path)
	}
	if o.service = serviceUser("ownmap"); o.service.served() {
		var err error
		if o.state, err = load.StateDir(a.stateDir, load.Default(), a.env, os.Geteuid()); err != nil {
			return err
		}
	}
	system := findSystemd(ctx)
	if ask := a.asker(); ask != nil && !o.yes {
		if err := o.interview(ask, system); err != nil {
			return err
		}
	}
	if err := o.complete(); err != nil {
		return err
	}
	if err := o.write(path, a.env, a.now()); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, "wrote "+path)
	if o.kept != "" {
		fmt.Fprintln(a.stdout, "the config that was there is "+o.kept)
	}
	config, err := load.Read(path, a.env)
	if err != nil {
		return err
	}
	failed := a.tryConfig(ctx, config, o)
	failed = a.offer(ctx, system, o, path) || failed
	if failed {
		return errInit
	}
	return nil
}

// place chooses the directory.
func (o *initOptions) place() (err error) {
	if o.dir == "" {
		o.dir = "."
		if os.Geteuid() == 0 {
			o.dir = "/etc/ownmap"
		}
	}
	o.dir, err = filepath.Abs(o.dir)
	return err
}
