package state

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// Redact returns the error of an HTTP call without what may be a secret of its address:
// path, query, fragment, user. Method and host stay, and errors.Is and errors.As find
// what is behind. An address that cannot be read is not told at all. Every other error
// is returned as it is.
func Redact(err error) error {
	var call *url.Error
	if !errors.As(err, &call) {
		return err
	}
	address, parseErr := url.Parse(call.URL)
	if parseErr != nil || call.Op == "parse" {
		return errors.New("the address of the call is not valid")
	}
	text := call.Err.Error()
	for _, secret := range secretsOf(address) {
		text = strings.ReplaceAll(text, secret, hiddenSecret)
	}
	return &redactedError{text: Clean(call.Op + " to " + address.Host + ": " + text), err: call.Err}
}

// secretsOf returns the parts of an address that are not to be printed, the longest
// first. A word of the path that is short is none: "api" would be missing elsewhere.
func secretsOf(address *url.URL) []string {
	const shortest, shortestPart = 4, 8
	parts := slices.Concat(strings.Split(address.Path, "/"), strings.Split(address.EscapedPath(), "/"))
	for _, values := range address.Query() {
		parts = append(parts, values...)
	}
	secrets := slices.DeleteFunc(parts, func(s string) bool { return len(s) < shortestPart })
	password, _ := address.User.Password()
	for _, whole := range []string{
		address.String(), address.RequestURI(), address.Path, address.EscapedPath(), address.RawQuery, address.Fragment, address.User.String(), address.User.Username(), password,
	} {
		if len(whole) >= shortest {
			secrets = append(secrets, whole)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return secrets
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }
func (e *redactedError) Unwrap() error { return e.err }
