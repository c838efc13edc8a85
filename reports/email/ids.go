package email

import (
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"strings"

	"ownmap/pipeline/state"
)

// An ID of a message has these characters alone and gets so long, in bytes.
const (
	idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
	longestID = 100
)

// name gives the message and its thread names that are the same whenever it is made
// again: a mail that is sent twice is seen to be one. No name of a host is in them. Each
// part of a network has a thread of what changed, which begins with the baseline, and one
// for each other kind: reminders do not bury news.
func (m *Message) name(network string, message state.Message) {
	domain := domainOf(m.from)
	thread := []string{"thread", network}
	if message.Group != "" {
		thread = append(thread, message.Group)
	}
	switch message.Kind {
	case state.MessageBaseline, state.MessageChanges:
	case state.MessageReminder, state.MessageTrouble, state.MessageWell, state.MessageTest:
		thread = append(thread, "kind "+string(message.Kind))
	}
	m.root = "ownmap-" + digest(thread...) + "@" + domain
	m.ID = message.ID + "@" + domain
	m.list = "ownmap-" + digest("list", network)[:8] + "." + domain
	m.boundary = "ownmap-" + digest("boundary", m.ID)
}

// subject says in one line whose mail it is, of which part of the network, and its kind
// where it is not about changes.
func (m *Mailer) subject(message state.Message) string {
	names := m.networkAndBrands
	if group := inHead(message.Group, longName); group != "" {
		names = append(names[:len(names):len(names)], group)
	}
	parts := []string{"OwnMap"}
	if len(names) > 0 {
		parts = append(parts, strings.Join(names, ", "))
	}
	kind, said := kindOf(message), ""
	switch {
	case message.Kind == state.MessageTrouble || message.Kind == state.MessageTest:
		said = message.Title // in any case: what is wrong is not to be looked for
	case m.options.Subject == SubjectCounts:
		said = strings.TrimPrefix(strings.TrimPrefix(message.Subject(), "Reminder: "), "Baseline: ")
	}
	if kind.subject != "" {
		parts = append(parts, kind.subject)
	}
	if said = inHead(said, 120); said != "" {
		parts = append(parts, said)
	}
	return strings.Join(parts, ": ")
}

// digest is a name for a list of texts, 32 hexadecimal digits.
func digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// domainOf returns the domain of an address, or a name that never is one where it is
// no plain host name.
func domainOf(a *mail.Address) string {
	domain := strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
	if strings.Trim(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || domain == "" || strings.HasPrefix(domain, ".") ||
		strings.HasSuffix(domain, ".") || strings.Contains(domain, "..") {
		return "ownmap.invalid"
	}
	return domain
}
