package banner

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// maxTitle is how much of a page's title is taken, in bytes.
const maxTitle = 256

// page is an answer of HTTP, or of RTSP and SIP, which look the same.
type page struct {
	status   string
	code     int
	names    []string // of header fields, lower case
	values   map[string][]string
	body     []byte
	complete bool // all header fields are there
}

func isHTTP(said []byte) bool {
	for _, start := range []string{"HTTP/", "RTSP/", "SIP/"} {
		if bytes.HasPrefix(said, []byte(start)) {
			return true
		}
	}
	return false
}

// readPage reads the lines that have an end.
func readPage(said []byte) page {
	p := page{values: map[string][]string{}}
	for line := range bytes.Lines(said) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break
		}
		said = said[len(line):]
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			p.complete, p.body = true, said
			break
		}
		if p.status == "" {
			p.status = text
			if fields := strings.Fields(text); len(fields) > 1 {
				p.code, _ = strconv.Atoi(fields[1])
			}
			continue
		}
		name, value, _ := strings.Cut(text, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		p.names = append(p.names, name)
		p.values[name] = append(p.values[name], strings.TrimSpace(value))
	}
	return p
}

// understandHTTP takes the status line, who serves it, which header fields there
// are, and the title of the page.
func understandHTTP(said []byte, end ending, own string) voice {
	p := readPage(said)
	v := voice{kind: "http", parts: []string{collapse(p.status)}}
	// A service in trouble answers differently in a moment; half an answer was cut.
	v.sure = p.code != 429 && p.code < 500 && (p.complete || end == endFull) && end != endCut && end != endTrickle
	v.wantsTLS = p.code >= 400 && p.code < 500 && mentionsTLS(p.body)
	for _, name := range []string{"server", "x-powered-by"} {
		for _, value := range p.values[name] {
			v.parts = append(append(v.parts, name), mask(value, own)...)
		}
	}
	for _, value := range p.values["www-authenticate"] {
		v.parts = append(append(v.parts, "www-authenticate"), mask(challenge(value), own)...)
	}
	names := slices.DeleteFunc(slices.Clone(p.names), varies)
	slices.Sort(names)
	v.parts = append(append(v.parts, "names"), slices.Compact(names)...)
	if title, _ := title(p.body); title != "" {
		v.parts = append(append(v.parts, "title"), mask(title, own)...)
	}
	return v
}

// httpWhole says whether the header fields, and as much of the body as counts, are there.
func httpWhole(said []byte) bool {
	p := readPage(said)
	if !p.complete {
		return false
	}
	if _, closed := title(p.body); closed {
		return true
	}
	length := p.values["content-length"]
	if len(length) == 0 {
		return p.code == 204 || p.code == 304
	}
	n, err := strconv.Atoi(length[0])
	return err == nil && n >= 0 && len(p.body) >= n
}

// title is the title of a page, and whether its end is there.
func title(body []byte) (string, bool) {
	lower := lowerASCII(body)
	from := bytes.Index(lower, []byte("<title"))
	if from < 0 {
		return "", false
	}
	open := bytes.IndexByte(lower[from:], '>')
	if open < 0 {
		return "", false
	}
	from += open + 1
	size := bytes.Index(lower[from:], []byte("</title"))
	if size < 0 {
		return "", false
	}
	return string(body[from : from+min(size, maxTitle)]), true
}

// mentionsTLS says whether a page tells who came without TLS to come with it. All
// servers that do say one of these words, each in a sentence of its own.
func mentionsTLS(body []byte) bool {
	lower := lowerASCII(body)
	return bytes.Contains(lower, []byte("https")) || bytes.Contains(lower, []byte("ssl")) || bytes.Contains(lower, []byte("tls"))
}

// lowerASCII keeps the length, as bytes.ToLower does not of what is no UTF-8.
func lowerASCII(body []byte) []byte {
	lower := bytes.Clone(body)
	for i, b := range lower {
		if isUpper(b) {
			lower[i] = b + 'a' - 'A'
		}
	}
	return lower
}

// challenge is the scheme and the realm of WWW-Authenticate, without nonces and
// tickets (RFC 9110, section 11.6.1).
func challenge(value string) string {
	scheme, rest, _ := strings.Cut(value, " ")
	at := strings.Index(strings.ToLower(rest), "realm=")
	if at < 0 {
		return scheme
	}
	realm := rest[at+len("realm="):]
	if quoted, isQuoted := strings.CutPrefix(realm, `"`); isQuoted {
		realm, _, _ = strings.Cut(quoted, `"`)
	} else {
		realm, _, _ = strings.Cut(realm, ",")
	}
	return scheme + " " + realm
}

// varies says of which header fields even the presence may change from one answer
// to the next: what caches, proxies and meters add.
func varies(name string) bool {
	if slices.Contains([]string{
		"accept-ranges", "age", "alt-svc", "cf-ray", "connection", "content-encoding", "content-length", "date", "etag", "expires", "keep-alive",
		"last-modified", "nel", "report-to", "retry-after", "server-timing", "set-cookie", "transfer-encoding", "vary", "via", "warning",
	}, name) {
		return true
	}
	for _, word := range []string{"-id", "cache", "nonce", "ratelimit", "request", "served", "time", "trace"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
