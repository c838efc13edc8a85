package state

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	const address = "https://canary-user:canary-word@hooks.example.org:8443/services/canary-path/x%20y?token=canary-query#canary-part"
	inner := errors.New("got \"POST /services/canary-path/x%20y?token=canary-query\", canary-path, canary-word, \x1b[31m")
	err := Redact(errors.Join(errors.New("first"), &url.Error{Op: "Post", URL: address, Err: inner}))
	want := `Post to hooks.example.org:8443: got "POST ***", ***, ***, \x1b[31m`
	if err.Error() != want || !errors.Is(err, inner) {
		t.Errorf("%q, want %q", err, want)
	}
	for _, address := range []string{"https://canary host/", "https://h/%zzcanary", "canary://[::1", "https://h:canary/", "https://h/\x7fcanary"} {
		_, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err == nil {
			t.Fatalf("%q is taken", address)
		}
		if text := Redact(err).Error(); strings.Contains(text, "canary") {
			t.Errorf("%q tells %q", address, text)
		}
	}
	if err := Redact(context.Canceled); !errors.Is(err, context.Canceled) || Redact(nil) != nil {
		t.Errorf("other errors do not stay: %v", err)
	}
}
