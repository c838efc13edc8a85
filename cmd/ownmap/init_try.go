package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// tryConfig tries mail and SSH of a config, and says whether something does not work. The
// database is not needed for either.
func (a *app) tryConfig(ctx context.Context, config load.Config, o initOptions) (failed bool) {
	line := func(what, found string, err error) {
		if err != nil {
			failed = true
			fmt.Fprintf(a.stdout, "FAIL  %-6s  %s\n", what, state.Visible(strings.ReplaceAll(err.Error(), "\n", "; ")))
			return
		}
		fmt.Fprintf(a.stdout, "ok    %-6s  %s\n", what, state.Visible(found))
	}
	h := &house{app: a, log: a.log(), file: config, config: config, look: appearanceOf(config)}
	if o.MailHost != "" {
		var err error
		if o.MailPasswordFile != "" {
			err = o.service.reads(ctx, o.MailPasswordFile, "chown root:"+o.service.name+" FILE && chmod 640 FILE")
		}
		if err == nil {
			err = h.tryMail(ctx, o)
		}
		line("mail", fmt.Sprintf("%s takes mail from %s", o.MailHost, o.MailFrom), err)
	}
	var unread error
	if o.SSHUser != "" {
		unread = o.service.reads(ctx, o.SSHKey, "chown "+o.service.name+": FILE && chmod 600 FILE")
	}
	switch {
	case unread != nil:
		line("ssh", "", unread)
	case o.sshTest != "":
		found, err := h.tryLogin(ctx, o.sshTest)
		line("ssh", found, err)
	case o.SSHUser != "":
		fmt.Fprintf(a.stdout, "      ssh     next, on each host: ownmap hostkeys recipe --key %s.pub; then ownmap hostkeys accept HOST\n", o.SSHKey)
	}
	return failed
}

// tryMail asks the mail server whether it would take a mail, or sends one.
func (h *house) tryMail(ctx context.Context, o initOptions) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	channel, err := h.mail(h.config.Channels["mail"])
	if err != nil {
		return err
	}
	if c, ok := channel.(checker); ok && !o.testMail {
		return c.Check(ctx)
	}
	for _, to := range o.MailTo {
		err = errors.Join(err, h.app.sendTest(ctx, channel, to))
	}
	return err
}

// tryLogin looks inside a host, as a run would.
func (h *house) tryLogin(ctx context.Context, host string) (string, error) {
	planner := load.NewPlanner(h.config, nil)
	plan, err := planner.Plan(ctx, h.config.StateTargets(), nil, []string{host})
	if err != nil {
		return "", err
	}
	if len(plan.Hosts) == 0 || plan.Hosts[0].Login == nil {
		return "", fmt.Errorf("%s is none of the hosts that are looked inside", host)
	}
	look := h.insider(nil).Check(ctx, *plan.Hosts[0].Login)
	switch {
	case look.Reason == state.SSHKeyUnknown:
		return "", fmt.Errorf("%s: %s: `ownmap hostkeys scan %s` shows it, `ownmap hostkeys accept %s` notes it", host, look.Reason, host, host)
	case !look.Complete():
		return "", fmt.Errorf("%s: %s (%s): `ownmap hostkeys recipe --key %s.pub` prints what the host has to be told", host, look.Reason, look.Detail, plan.Hosts[0].Login.KeyFiles[0])
	case !look.Root:
		return host + " lets it in, not as root: processes of other users stay unknown", nil
	}
	return host + " lets it in, as root", nil
}

// systemd is whether it runs this machine, and whether it knows our units.
type systemd struct{ runs, installed bool }

// findSystemd looks for it as sd_booted(3) says.
func findSystemd(ctx context.Context) systemd {
	if info, err := os.Lstat("/run/systemd/system"); err != nil || !info.IsDir() {
		return systemd{}
	}
	return systemd{runs: true, installed: exec.CommandContext(ctx, "systemctl", "cat", "ownmap.timer").Run() == nil}
}

// offer switches on what begins runs, or says how. It says whether that failed.
func (a *app) offer(ctx context.Context, system systemd, o initOptions, path string) (failed bool) {
	enable := func(units ...string) {
		text, err := exec.CommandContext(ctx, "systemctl", append([]string{"enable", "--now"}, units...)...).CombinedOutput() //nolint:gosec // our own units
		if err != nil {
			failed = true
			fmt.Fprintf(a.stdout, "FAIL  %-6s  systemctl enable --now %s: %s\n", "units", strings.Join(units, " "), state.Clean(strings.TrimSpace(string(text)+" "+err.Error())))
			return
		}
		fmt.Fprintf(a.stdout, "ok    %-6s  %s\n", "units", strings.Join(units, ", "))
	}
	usable := system.runs && system.installed
	if usable && !o.service.known && (o.timer || o.web) {
		fmt.Fprintf(a.stdout, "FAIL  %-6s  there is no user %s, whom they run as: `useradd --system --user-group --home-dir /var/lib/ownmap --no-create-home --shell /usr/sbin/nologin %[2]s`, then give /etc/ownmap to its group: `chgrp -R %[2]s /etc/ownmap`\n", "units", o.service.name)
		return true
	}
	nightly := []string{"ownmap.timer"}
	if !o.web { // else the worker sends what waits, and looks whether runs are late
		nightly = append(nightly, "ownmap-deliver.timer")
	}
	if o.web && usable {
		enable("ownmap-web.service", "ownmap-worker@local.service")
	}
	switch {
	case o.timer && usable:
		enable(nightly...)
		fmt.Fprintln(a.stdout, "next: `systemctl start ownmap` scans now, `ownmap check` tries what a run needs")
	case usable:
		fmt.Fprintf(a.stdout, "next: `systemctl enable --now %s` scans every night, `ownmap check` tries what a run needs\n", strings.Join(nightly, " "))
	default:
		program, err := os.Executable()
		if err != nil {
			program = "ownmap"
		}
		fmt.Fprintf(a.stdout, "next: `ownmap --config %s run` scans; every night by a line of crontab(5):\n  0 2 * * * %s --config %s run --quiet\n", path, program, path)
		if o.timer || o.web {
			failed = true
			why := "systemd does not run this machine"
			if system.runs {
				why = "its units are not installed: `make install` does that, and the packages do"
			}
			fmt.Fprintf(a.stdout, "FAIL  %-6s  %s\n", "units", why)
		}
	}
	return failed
}
