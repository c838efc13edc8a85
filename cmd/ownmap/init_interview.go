package main

import (
	"errors"
	"path/filepath"
	"strings"

	"ownmap/pipeline/state"
)

// interview asks for what no option said.
func (o *initOptions) interview(ask *asker, system systemd) (err error) {
	if len(o.Targets) == 0 {
		if o.Targets, err = ask.words("Which hosts are yours to scan? Addresses, prefixes, ranges, names", "127.0.0.1 ::1", func(word string) error {
			_, err := state.ParseSpec(word)
			return err
		}); err != nil {
			return err
		}
	}
	if o.Organisation == "" {
		if o.Organisation, err = ask.line("Whose reports are they? Name of your organisation, or nothing", "", nil); err != nil {
			return err
		}
	}
	if err := o.interviewMail(ask); err != nil {
		return err
	}
	if err := o.interviewSSH(ask); err != nil {
		return err
	}
	if !system.runs || !system.installed {
		return nil
	}
	if !o.timer {
		if o.timer, err = ask.yes("Scan every night at 2:00 (ownmap.timer)?", true); err != nil {
			return err
		}
	}
	if !o.web {
		o.web, err = ask.yes("Start the web page, on 127.0.0.1:8480, and a worker?", false)
	}
	return err
}

func (o *initOptions) interviewMail(ask *asker) (err error) {
	if o.MailHost == "" {
		if o.MailHost, err = ask.line("Mail server that takes reports, as HOST or HOST:PORT, or nothing for no mail", "", func(text string) error {
			_, _, err := splitMailHost(text)
			return err
		}); err != nil || o.MailHost == "" {
			return err
		}
	}
	if o.MailFrom == "" {
		if o.MailFrom, err = ask.line("Mails come from", "", checkAddress); err != nil {
			return err
		}
	}
	if len(o.MailTo) == 0 {
		if o.MailTo, err = ask.words("Mails go to", "", checkAddress); err != nil {
			return err
		}
	}
	if o.MailUser == "" {
		if o.MailUser, err = ask.line("User to log in to the mail server as, or nothing", "", nil); err != nil {
			return err
		}
	}
	if o.MailUser != "" && o.MailPasswordFile == "" {
		if o.password, err = ask.secret("Password"); err != nil {
			return err
		}
		if o.password == "" {
			return errors.New("no password: nothing was written")
		}
	}
	if !o.testMail {
		o.testMail, err = ask.yes("Send a test mail when the config is written?", true)
	}
	return err
}

func (o *initOptions) interviewSSH(ask *asker) (err error) {
	if o.SSHUser == "" {
		if o.SSHUser, err = ask.line("User to log in to these hosts as, to see which process stands behind a port, or nothing", "", func(text string) error {
			if strings.ContainsAny(text, " \t@:") {
				return errors.New("a name of a user, like ownmap")
			}
			return nil
		}); err != nil || o.SSHUser == "" {
			return err
		}
	}
	if o.SSHKey == "" {
		if o.SSHKey, err = ask.line("Its private key; made if it is not there", filepath.Join(o.dir, "id_ed25519"), nil); err != nil {
			return err
		}
	}
	if o.sshTest == "" {
		o.sshTest, err = ask.line("Host to try that on, or nothing", "", nil)
	}
	return err
}
