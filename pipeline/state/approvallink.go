package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
)

// LinkMode says what the links to approve in messages may do.
type LinkMode string

// The modes of links to approve.
const (
	LinksOn    LinkMode = "on"    // whoever has the link may approve what it names
	LinksLogin LinkMode = "login" // so may only who signs in besides
	LinksOff   LinkMode = "off"   // there are none
)

// LinkLifetime is how long a link to approve is good, from when its message is due.
const LinkLifetime = 7 * 24 * time.Hour

// MostLinked is how many ports one link approves at most. What is more asks for a login,
// and is no link to approve but one to the page.
const MostLinked = 10

// ErrLinkGone says that a link approves nothing: it was used, withdrawn or altered, its
// time is over, or its key is gone. Which of them is nobody's business who holds it.
var ErrLinkGone = errors.New("the link to approve is not good, or not any more")

// ErrLinkChanged says that something else listens than what the message of a link told, or
// than what its page showed.
var ErrLinkChanged = errors.New("what listens has changed")

// ErrLinkDone says that all that a link approves is approved already.
var ErrLinkDone = errors.New("it is approved already")

// ApprovalLinks is what all links to approve in one message have in common: a row of the
// database, made with that of the delivery. Each link is made of it and of what it
// approves, so that every try of the message has the same ones.
type ApprovalLinks struct {
	ID      int64  // random: a database that was set back does not give it again
	Key     string // that signs them, by its name
	Expires time.Time
}

// LinkScope is what one link approves, as its token says.
type LinkScope struct {
	Links   int64 // ApprovalLinks.ID
	Host    int64
	Ports   []Port // rising, 1 to MostLinked of them
	Expires time.Time
}

// PortList is the ports in one text, "22/tcp 443/tcp".
func (s LinkScope) PortList() string {
	texts := make([]string, len(s.Ports))
	for i, p := range s.Ports {
		texts[i] = p.String()
	}
	return strings.Join(texts, " ")
}

// Linked is what a link leads to: what its message told, and what is there now.
type Linked struct {
	Scope   LinkScope
	SentTo  string // the recipient; of a channel that knows only one, its name
	Channel string
	Message string // Message.ID
	Run     Run    // that the message is about
	Host    HostReport
	Ports   []LinkedPort // of each vantage, by vantage and port
}

// Author is who is recorded when somebody approves by the link: whom it was sent to, and who
// is signed in, if anybody is.
func (l Linked) Author(who Identity) string {
	if who.Role == Nobody {
		return l.SentTo
	}
	return l.SentTo + " (signed in as " + who.Name + ")"
}

// LinkedPort is one port that a link approves.
type LinkedPort struct {
	Vantage string
	Was     PortReport  // as the message told it
	Now     *PortReport // nil: it is not open any more, or nobody looks there any more
}

// Changed says whether something else is there than what the message told, so that an
// approval of that would be void: Approval.Drifted and Approval.Usurped decide.
func (p LinkedPort) Changed() bool {
	if p.Now == nil || p.Now.State != Open {
		return true
	}
	if p.Now.Approved() {
		return false // what is there now was looked at by whoever approved it
	}
	var told Approval
	told.Pin(p.Was.Service, p.Was.Behind())
	return told.Drifted(p.Now.Service) || told.Usurped(p.Now.Behind())
}

// Differs says whether a reader sees another text than the message had, be it only a
// version.
func (p LinkedPort) Differs() bool {
	return p.Now == nil || p.Now.State != p.Was.State || p.Now.Service.Summary() != p.Was.Service.Summary() || p.Now.Behind().Described() != p.Was.Behind().Described()
}

// Waits says whether the port is what the message told and awaits approval.
func (p LinkedPort) Waits() bool { return !p.Changed() && !p.Now.Approved() }

// Err says why the link approves nothing now: ErrLinkChanged, ErrLinkDone or nil.
func (l Linked) Err() error {
	switch {
	case slices.ContainsFunc(l.Ports, LinkedPort.Changed):
		return ErrLinkChanged
	case !slices.ContainsFunc(l.Ports, LinkedPort.Waits):
		return ErrLinkDone
	}
	return nil
}

// Seen identifies what is there now, as a reader of the page saw it: who approves says by
// it what was seen.
func (l Linked) Seen() string {
	h := sha256.New()
	for _, p := range l.Ports {
		fields := []string{p.Vantage, p.Was.Port.String()}
		if p.Now != nil {
			service, process := p.Now.Service.Fingerprint(), p.Now.Behind().Fingerprint()
			fields = append(fields, string(p.Now.State), service.String(), process.String())
		}
		for _, field := range append(fields, "") {
			h.Write([]byte(field))
			h.Write([]byte{0})
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// LinkUse is the wish to approve what a link names.
type LinkUse struct {
	Scope  LinkScope
	Seen   string     // Linked.Seen of the page that was looked at
	Who    Identity   // who sent it; nobody has to be signed in
	Reason string     // may be empty
	Until  *time.Time // nil: no end
	At     time.Time
}

// LinkKey is a key that signs links to approve, as far as anybody may know of it.
type LinkKey struct {
	Name     string
	Made     time.Time  // UTC
	Until    *time.Time // UTC; when it is thrown away; nil: it signs new links
	Messages int        // whose links it signed and that are good
}
