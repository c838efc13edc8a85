package load

import (
	"fmt"
	"slices"
)

// Scripts returns the names of the NSE scripts that a profile may ask for: those
// that read what a service says of itself. nmap puts all of them into its
// category "safe" and none into one of those that guess passwords, test for
// weaknesses or ask others (nmap(1), "Nmap Scripting Engine"). Nothing else ever
// becomes a script: no category, no pattern, no path.
func Scripts() []string {
	return []string{
		"ajp-headers", "amqp-info", "banner", "cassandra-info", "cups-info", "dns-nsid", "epmd-info", "ftp-syst",
		"http-date", "http-favicon", "http-generator", "http-headers", "http-ntlm-info", "http-robots.txt",
		"http-security-headers", "http-title", "imap-capabilities", "imap-ntlm-info", "ldap-rootdse",
		"memcached-info", "mongodb-info", "ms-sql-info", "ms-sql-ntlm-info", "mysql-info", "nbstat", "ntp-info",
		"oracle-tns-version", "pop3-capabilities", "pop3-ntlm-info", "rdp-enum-encryption", "rdp-ntlm-info",
		"redis-info", "rpcinfo", "rtsp-methods", "sip-methods", "smb-os-discovery", "smb-protocols",
		"smb-security-mode", "smb2-capabilities", "smb2-security-mode", "smtp-commands", "smtp-ntlm-info",
		"snmp-info", "snmp-sysdescr", "ssh-hostkey", "ssh2-enum-algos", "sshv1", "ssl-cert", "ssl-date",
		"telnet-encryption", "telnet-ntlm-info", "tls-alpn", "upnp-info", "vnc-info", "xmpp-info",
	}
}

// checkScript returns an error if a profile may not ask for a script.
func checkScript(name string) error {
	known := Scripts()
	if slices.Contains(known, name) {
		return nil
	}
	if like := suggest(name, known); like != "" {
		return fmt.Errorf("unknown script %s: did you mean %q?", show(name), like)
	}
	return fmt.Errorf("script %s is not allowed: only scripts that do no harm are, by their names; config.example.yaml lists them", show(name))
}
