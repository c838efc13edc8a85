package access

import (
	"net/url"
	"strings"
	"unicode"
)

// SafeNext returns where to go after a sign-in: a path of this site, or "/" where what
// was asked for is anything else. Browsers take a backslash for a slash, leave out tabs
// and line breaks, and read two slashes as the beginning of another site's address.
func SafeNext(next string) string {
	const home = "/"
	if len(next) > 2000 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return home
	}
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Fragment != "" {
		return home
	}
	if path, _, _ := strings.Cut(next, "?"); path == "/login" || path == "/logout" {
		return home
	}
	return next
}
