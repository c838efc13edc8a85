package email

import (
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// name gives the message and its thread names that are the same whenever it is made
// again: a mail that is sent twice is seen to be one. No name of a host is in them.
func (m *Message) name(network string, delivery Delivery, run state.Run) {
	domain := domainOf(m.from)
	addresses := make([]string, len(m.to))
	for i, a := range m.to {
		addresses[i] = a.Address
	}
	m.root = "ownmap-" + digest("thread", network) + "@" + domain
	m.ID = "ownmap-" + digest("message", network, run.StartedAt.UTC().Format(time.RFC3339Nano), number(run.ID), delivery.Channel, strings.Join(addresses, " ")) + "@" + domain
	m.list = "ownmap-" + digest("list", network)[:8] + "." + domain
	m.boundary = "ownmap-" + digest("boundary", m.ID)
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
