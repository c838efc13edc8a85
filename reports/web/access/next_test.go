package access

import (
	"net/url"
	"strings"
	"testing"
)

func TestSafeNext(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/ports?q=tag%3Aprod&page=2": "/ports?q=tag%3Aprod&page=2",
		"/hosts/10.20.0.11":          "/hosts/10.20.0.11",
		"/":                          "/", "": "/",
		"https://evil.example.com/": "/", "//evil.example.com/": "/", "///evil.example.com": "/", "/\\evil.example.com": "/",
		"\\\\evil.example.com": "/", "/\t/evil.example.com": "/", "/\n/evil.example.com": "/", "\t//evil.example.com": "/",
		" /x": "/", "javascript:alert(1)": "/", "evil.example.com": "/", "/x#//evil": "/", "/%zz": "/", "/x y": "/",
		"/login?next=/login": "/", "/logout": "/", "/" + strings.Repeat("x", 3000): "/", "/\u00a0/x": "/",
	} {
		if got := SafeNext(next); got != want {
			t.Errorf("%q: %q, want %q", next, got, want)
		}
	}
}

// Wherever a sign-in leads, it is here.
func FuzzSafeNext(f *testing.F) {
	here, _ := url.Parse("https://ownmap.example.org/")
	for _, seed := range []string{"/x", "//evil", "/\\evil", "/..//evil", "/./\tx", "https:evil", "/x?//y", "/%2f/evil", "/@evil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := SafeNext(next)
		there, err := here.Parse(got)
		if err != nil || there.Host != here.Host || there.Scheme != here.Scheme || there.User != nil {
			t.Errorf("%q leads to %q, %v", next, got, err)
		}
		if strings.ContainsAny(got, "\\\t\r\n\x00") || strings.HasPrefix(got, "//") {
			t.Errorf("%q leads to %q, which browsers read otherwise", next, got)
		}
	})
}
