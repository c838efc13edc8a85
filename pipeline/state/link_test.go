package state

import (
	"strings"
	"testing"
)

func TestWebLink(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://ownmap.example.org/archive/run/49.html?a=b&c=d#e": "https://ownmap.example.org/archive/run/49.html?a=b&c=d#e",
		"http://127.0.0.1:8480/":                                   "http://127.0.0.1:8480/",
		"HTTPS://x.example/a b\"<>\u202e":                          "https://x.example/a%20b%22%3C%3E%E2%80%AE",
		"":                                                         "",
		"archive/run/49.html":                                      "",
		"//evil.example/":                                          "",
		"https://":                                                 "",
		"https://x.example/\r\nBcc: a":                             "",
		"https://x.example\x00/":                                   "",
		" https://x.example/":                                      "",
		"javascript:alert(1)":                                      "",
		"file:///etc/passwd":                                       "",
		"https://x.example/" + strings.Repeat("a", 1000): "",
		"https://x.example/" + strings.Repeat(" ", 400):  "",
	} {
		if got := WebLink(in); got != want {
			t.Errorf("%.60q: %q, want %q", in, got, want)
		}
	}
}
