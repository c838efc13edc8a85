package state

import "net/url"

// WebLink returns the address of a page if a reader may follow it, and else nothing:
// over HTTP, complete, in one word, at most 1,000 bytes long. What has no place in an
// address is escaped in it (RFC 3986).
func WebLink(link string) string {
	const longest = 1000
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return ""
	}
	if link = u.String(); len(link) > longest {
		return ""
	}
	return link
}
