package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// answers are what goes into the config.
type answers struct {
	Targets                     []string
	Organisation, TimeZone      string
	MailHost, MailTLS, MailUser string
	MailPort                    int
	MailPasswordFile, MailFrom  string
	MailTo                      []string
	SSHUser, SSHKey, KnownHosts string
}

// complete checks what was said, and fills in what goes without saying.
func (o *initOptions) complete() error {
	for _, text := range slices.Concat(o.Targets, o.MailTo, []string{o.dir, o.Organisation, o.MailHost, o.MailUser, o.MailPasswordFile, o.MailFrom, o.SSHUser, o.SSHKey}) {
		if text != state.Clean(text) {
			return usagef("%q has control characters", text)
		}
	}
	if len(o.Targets) == 0 {
		o.Targets = []string{"127.0.0.1", "::1"}
	}
	for _, target := range o.Targets {
		if _, err := state.ParseSpec(target); err != nil {
			return &usageError{err: fmt.Errorf("--target: %w", err)}
		}
	}
	o.TimeZone = zoneName(time.Local)
	if err := o.completeMail(); err != nil {
		return err
	}
	if o.SSHUser == "" && (o.SSHKey != "" || o.sshTest != "") {
		return usagef("--ssh-key and --ssh-test need --ssh-user")
	}
	if o.SSHUser != "" {
		path, err := filepath.Abs(cmp.Or(o.SSHKey, filepath.Join(o.dir, "id_ed25519")))
		if err != nil {
			return err
		}
		// `ownmap hostkeys accept` writes it, as the service: in /etc/ownmap that may not.
		o.SSHKey, o.KnownHosts = path, filepath.Join(cmp.Or(o.state, o.dir), "known_hosts")
	}
	return nil
}

func (o *initOptions) completeMail() error {
	if o.MailHost == "" {
		if o.MailFrom != "" || len(o.MailTo) > 0 || o.MailUser != "" || o.MailPasswordFile != "" || o.testMail {
			return usagef("mail needs a server: --mail-host")
		}
		return nil
	}
	host, port, err := splitMailHost(o.MailHost)
	if err != nil {
		return &usageError{err: fmt.Errorf("--mail-host: %w", err)}
	}
	o.MailHost, o.MailPort = host, port
	if o.MailTLS == "" {
		o.MailTLS = "starttls"
		if port == 465 { // RFC 8314: TLS from the first byte
			o.MailTLS = "tls"
		}
	}
	switch {
	case !slices.Contains([]string{"starttls", "tls", "opportunistic", "none"}, o.MailTLS):
		return usagef("--mail-tls %q: it takes starttls, tls, opportunistic or none", o.MailTLS)
	case o.MailFrom == "" || len(o.MailTo) == 0:
		return usagef("mail needs a sender and somebody who is told: --mail-from, --mail-to")
	case o.MailUser != "" && o.MailPasswordFile == "" && o.password == "":
		return usagef("--mail-user needs --mail-password-file")
	case o.MailUser == "" && o.MailPasswordFile != "":
		return usagef("--mail-password-file needs --mail-user")
	}
	for _, address := range append([]string{o.MailFrom}, o.MailTo...) {
		if err := checkAddress(address); err != nil {
			return &usageError{err: err}
		}
	}
	if o.password != "" {
		o.MailPasswordFile = filepath.Join(o.dir, "smtp")
	}
	if o.MailPasswordFile != "" {
		o.MailPasswordFile, err = filepath.Abs(o.MailPasswordFile)
	}
	return err
}

// splitMailHost reads HOST or HOST:PORT.
func splitMailHost(text string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	var alone *net.AddrError
	if errors.As(err, &alone) { // no port
		return strings.Trim(text, "[]"), 0, nil
	}
	port, err = strconv.Atoi(digits)
	if err != nil || port < 1 || port > 65535 || host == "" {
		return "", 0, fmt.Errorf("%q is no mail server, like smtp.example.org or smtp.example.org:587", text)
	}
	return host, port, nil
}

func checkAddress(text string) error {
	if _, err := mail.ParseAddress(text); err != nil {
		return fmt.Errorf("%q is no mail address, like ops@example.org", text)
	}
	return nil
}

// zoneName is the name of the machine's time zone as the config takes it.
func zoneName(zone *time.Location) string {
	if name := zone.String(); name != "Local" {
		return name
	}
	// Go does not say which zone the local one is; the link does (localtime(5)).
	path, err := filepath.EvalSymlinks("/etc/localtime")
	if err != nil {
		return "UTC"
	}
	_, name, found := strings.Cut(path, "/zoneinfo/")
	if _, err := time.LoadLocation(name); !found || err != nil || strings.HasPrefix(name, "Etc/") {
		return "UTC"
	}
	return name
}
