package state

import (
	"cmp"
	"net/netip"
	"time"
)

// Login says how to log in to a host over SSH, to look inside it.
type Login struct {
	Address    netip.Addr
	Name       string   // DNS name, as known_hosts and ~/.ssh/config may call the host; may be empty
	User       string   // empty: that of ~/.ssh/config, else whoever runs OwnMap
	Port       uint16   // 0: that of ~/.ssh/config, else 22
	KeyFiles   []string // private keys; they and the agent's are tried together
	Agent      bool     // ask the agent of $SSH_AUTH_SOCK
	Jump       []string // "[user@]host[:port]" to go through, in this order
	KnownHosts []string // files; empty: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts
	UserConfig bool     // ~/.ssh/config fills in what is empty here
	Sudo       bool     // try `sudo -n`
	Hash       bool     // SHA-256 of the executables
}

// Why a host was not looked inside, or not to the end. These are the only
// reasons, so that the ledger folds into few rows; the log has the details.
const (
	SSHNoAnswer       = "no answer over SSH"
	SSHRefused        = "SSH connection refused"
	SSHNoSSH          = "no SSH server answers"
	SSHKeyUnknown     = "SSH host key unknown"
	SSHKeyChanged     = "SSH host key changed"
	SSHLoginRefused   = "SSH login refused"
	SSHNoKeys         = "no usable SSH key"
	SSHTimeout        = "SSH time limit"
	SSHTooMuch        = "more output over SSH than allowed"
	SSHIncomplete     = "answer over SSH incomplete"
	SSHNothingToAsk   = "no way to list listeners there"
	SSHJumpFailed     = "SSH jump host not reached"
	SSHFault          = "SSH failed"
	InsideHostSilent  = "host did not answer the scan"
	InsideInterrupted = "interrupted"
)

// Listener is a socket on which a host takes connections or datagrams. Port and
// Bind are its identity on the host.
type Listener struct {
	Port    Port
	Bind    netip.Addr // 0.0.0.0 and :: are all addresses
	OnlyV6  bool       // of ::, takes no IPv4
	Process Process
	// What follows is of one look and no part of the state.
	PID     int
	Name    string // what the process calls itself, cleaned; anybody can forge it
	Deleted bool   // the executable's file is gone
	Hidden  bool   // the kernel has it, and the host's own ss or netstat does not show it
}

// CompareListeners orders listeners by port, then bind address.
func CompareListeners(a, b Listener) int {
	return cmp.Or(a.Port.Compare(b.Port), a.Bind.Compare(b.Bind))
}

// Covers says whether the listener takes what is sent to an address of its host.
// A loopback address is reached by nobody outside, so it covers itself alone.
func (l Listener) Covers(address netip.Addr) bool {
	bind, address := l.Bind.WithZone("").Unmap(), address.WithZone("").Unmap()
	if bind == address {
		return true
	}
	return bind.IsUnspecified() && (bind.Is4() == address.Is4() || bind.Is6() && !l.OnlyV6)
}

// Behind returns the listener that takes what is sent to a port of an address, and
// whether there is one. listeners are in CompareListeners order. Where none is
// bound so that it could, as behind an address translation outside of the host,
// it is one that is not bound to loopback.
func Behind(listeners []Listener, address netip.Addr, port Port) (Listener, bool) {
	var best Listener
	rank := 0
	for _, l := range listeners {
		if l.Port != port {
			continue
		}
		r := 0
		switch {
		case l.Bind == address:
			r = 3
		case l.Covers(address):
			r = 2
		case !l.Bind.IsLoopback():
			r = 1
		}
		if r > rank {
			best, rank = l, r
		}
	}
	return best, rank > 0
}

// Mapping is a rule of the host that hands a port on to somewhere else: a NAT
// rule, or a container's published port.
type Mapping struct {
	Port    Port
	Address netip.Addr // that it takes; the zero Addr: any
	To      string     // "172.17.0.2:80", cleaned
	Via     string     // "iptables", "nftables", "docker:web", cleaned
}

// Subject is a host that is to be looked inside, with what is known of it.
type Subject struct {
	Login   Login
	HostID  int64
	Name    string
	Outside []Host     // as this run saw it, one for each vantage; coverage tells what was looked at
	Was     []Listener // in CompareListeners order, as of the last complete look
	Looked  bool       // there was one
}

// Look is what a look inside a host brought.
type Look struct {
	HostID    int64
	Address   netip.Addr
	Status    CoverageStatus // Answered: complete. Nothing follows from any other
	Reason    string         // one of the reasons above; empty when complete
	Detail    string         // more of the reason, for the log and for `ownmap check`; cleaned
	Root      bool           // processes of all users could be read
	Listeners []Listener     // in CompareListeners order
	Findings  []Finding
}

// Complete says whether something follows from the look.
func (l Look) Complete() bool { return l.Status == Answered }

// InsideReport is what is known of the inside of a host as of a run.
type InsideReport struct {
	Status    CoverageStatus // of the last run that was to look inside; empty: none was
	Reason    string         // why it did not; empty when complete
	LookedAt  *time.Time     // when it was last looked inside to the end; nil: never
	Listeners []Listener     // as of then, in CompareListeners order
}

// InsideGap is a host that was to be looked inside and was not, or not to the end.
type InsideGap struct {
	HostID  int64
	Label   string
	Address netip.Addr
	Reason  string
	Since   *time.Time // when it was last looked inside to the end; nil: never
}
