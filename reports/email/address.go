package email

import (
	"fmt"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
)

// maxAddress is the longest address that a mail server takes, in bytes (RFC 5321,
// 4.5.3.1.3, less the angle brackets).
const maxAddress = 254

// longName is how long a name in the head of a mail gets, in characters.
const longName = 60

// address reads one address. A domain of other letters becomes its form in ASCII (RFC
// 5891), which every mail server takes.
func address(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil {
		return nil, fmt.Errorf("%.300q: %w", text, err)
	}
	at := strings.LastIndexByte(a.Address, '@')
	if domain := a.Address[at+1:]; !ascii(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return nil, fmt.Errorf("%.300q: %w", text, err)
		}
		a.Address = a.Address[:at+1] + domain
	}
	if len(a.Address) > maxAddress {
		return nil, fmt.Errorf("%.300q: longer than %d bytes (RFC 5321)", text, maxAddress)
	}
	a.Name = inHead(a.Name, 80)
	return a, nil
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > '~' })
}
