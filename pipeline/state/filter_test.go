package state

import (
	"reflect"
	"strings"
	"testing"
)

func FuzzParseFilter(f *testing.F) {
	for _, s := range []string{
		"", "22", "22/tcp 161/udp 1-1024/tcp 80,443/tcp", "10.1.0.0/16 10.1.0.5-9 web-* host:a.example.org 2001:db8::7", `tag:prod owner: product:"Apache httpd" process:nginx`,
		"state:open|filtered state:down vantage:dmz since:7d older:30d", "unapproved -approved not drifted stale new snoozed", `"not" -"a ""b""" free`, "host:\"a *\" host:-x*",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err != nil {
			if len(err.Error()) > 3*MaxFilter || Clean(err.Error()) != err.Error() && len(err.Error()) <= MaxText {
				t.Errorf("error %q", err)
			}
			return
		}
		canonical := filter.String()
		again, err := ParseFilter(canonical)
		if err != nil || again.String() != canonical || !reflect.DeepEqual(again, filter) {
			t.Errorf("%q: canonical %q reads as %q, %v\n%#v\n%#v", text, canonical, again, err, filter, again)
		}
		if len(canonical) > MaxFilter || strings.TrimSpace(canonical) != canonical {
			t.Errorf("%q: canonical %q", text, canonical)
		}
	})
}
