package state

import (
	"slices"
	"strings"
	"testing"
)

func TestParsePort(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Port{
		"22": {TCP, 22}, "22/tcp": {TCP, 22}, "53/UDP": {UDP, 53}, "65535/sctp": {SCTP, 65535}, "0080/tcp": {TCP, 80},
	} {
		got, err := ParsePort(text)
		if err != nil || got != want {
			t.Errorf("ParsePort(%q) = %v, %v", text, got, err)
		}
		if again, err := ParsePort(got.String()); err != nil || again != got {
			t.Errorf("%v reads back as %v, %v", got, again, err)
		}
	}
	for _, text := range []string{"", "/", "/tcp", "22/", "22/icmp", "0", "65536", "-1", "+1", "22/tcp/udp", "ssh", "22 ", "22-23", "0x16"} {
		if got, err := ParsePort(text); err == nil || got != (Port{}) || !strings.Contains(err.Error(), text) {
			t.Errorf("ParsePort(%q) = %v, %v", text, got, err)
		}
	}
}

func TestPortCompare(t *testing.T) {
	t.Parallel()
	ports := []Port{{UDP, 53}, {TCP, 80}, {TCP, 53}, {SCTP, 80}, {TCP, 7}}
	slices.SortFunc(ports, Port.Compare)
	want := []Port{{TCP, 7}, {TCP, 53}, {UDP, 53}, {SCTP, 80}, {TCP, 80}}
	if !slices.Equal(ports, want) {
		t.Errorf("sorted: %v", ports)
	}
}

func FuzzParsePort(f *testing.F) {
	for _, seed := range []string{"22", "53/udp", "0", "99999/tcp", "\x1b[2J/tcp", "22/\u202e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePort(text)
		if err != nil {
			return
		}
		if again, err := ParsePort(p.String()); err != nil || again != p || p.Number == 0 {
			t.Errorf("%q gives %v, and that gives %v (%v)", text, p, again, err)
		}
	})
}
