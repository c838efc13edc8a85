package slack

import (
	"fmt"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// linked has a message lead to where each of its ports can be approved.
func linked(m state.Message) state.Message {
	m.Links.Approve = func(host int64, ports ...state.Port) string {
		if len(ports) > state.MostLinked {
			return fmt.Sprintf("https://ownmap.example.org/ports?q=%d", host)
		}
		return fmt.Sprintf("https://ownmap.example.org/a/%0*d", 72+4*len(ports), host*70000+int64(ports[0].Number))
	}
	return m
}

// TestLinksToApprove holds that a port can be approved from its row as long as that takes
// no row the room.
func TestLinksToApprove(t *testing.T) {
	t.Parallel()
	of := func(m state.Message) string { return read(t, Render(Names{}, m)) }
	for _, test := range []struct {
		message  state.Message
		approve  int // links of ports
		complete []string
	}{
		// An approval is void, so 3000/tcp awaits approval, and 8080/tcp is new; the host is down.
		{message(state.MessageChanges, 48), 2, nil},
		{message(state.MessageReminder, 46), 6, []string{"[approve all 3]("}},
		{message(state.MessageBaseline, 1), 0, nil},
	} {
		plain, handy := of(test.message), of(linked(test.message))
		if n := strings.Count(handy, "[approve]("); n != test.approve {
			t.Errorf("%s: %d links, want %d:\n%s", test.message.Kind, n, test.approve, handy)
		}
		for _, text := range test.complete {
			if !strings.Contains(handy, text) {
				t.Errorf("%s: %q is missing:\n%s", test.message.Kind, text, handy)
			}
		}
		if strings.Count(plain, "\n") != strings.Count(handy, "\n") {
			t.Errorf("%s: links take rows away:\n%s\n%s", test.message.Kind, plain, handy)
		}
		hold(t, string(test.message.Kind), Render(Names{}, linked(test.message)))
	}
	for _, n := range []int{40, 1000} {
		m := many(last(), state.MessageChanges, n, "x")
		if plain, handy := of(m), of(linked(m)); plain != handy {
			t.Errorf("%d changes: links in a message that has no room for them", n)
		}
	}
	broken := message(state.MessageChanges, 48)
	broken.Links.Approve = func(int64, ...state.Port) string { return "javascript:alert(1)" }
	if text := of(broken); strings.Contains(text, "javascript") || strings.Contains(text, "approve](") {
		t.Errorf("a link that is none:\n%s", text)
	}
}
