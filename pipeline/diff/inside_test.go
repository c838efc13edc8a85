package diff

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

// listenersOf reads lines like "80/tcp 0.0.0.0 /usr/sbin/nginx www-data nginx", the
// last three of which may be missing.
func listenersOf(t *testing.T, lines ...string) []state.Listener {
	t.Helper()
	var list []state.Listener
	for _, line := range lines {
		fields := append(strings.Fields(line), "", "", "")
		port, err := state.ParsePort(fields[0])
		if err != nil {
			t.Fatal(err)
		}
		clear := func(s string) string { return strings.TrimPrefix(s, "-") }
		list = append(list, state.Listener{
			Port: port, Bind: netip.MustParseAddr(fields[1]),
			Process: state.Process{Exe: clear(fields[2]), User: fields[3], Package: fields[4]},
		})
	}
	return list
}

func TestListeners(t *testing.T) {
	t.Parallel()
	const nginx = "80/tcp 0.0.0.0 /usr/sbin/nginx www-data nginx"
	for _, tc := range []struct {
		name     string
		was, now []string
		want     string
	}{
		{"a restart", []string{nginx}, []string{nginx}, ""},
		{"another program", []string{nginx}, []string{"80/tcp 0.0.0.0 /usr/bin/python3.11 www-data python3.11"}, "process-changed 80/tcp"},
		{"an upgrade", []string{"80/tcp 0.0.0.0 /usr/bin/python3.11 x p"}, []string{"80/tcp 0.0.0.0 /usr/bin/python3.12 x p"}, "process-updated 80/tcp"},
		{"without root", []string{nginx}, []string{"80/tcp 0.0.0.0 - www-data"}, ""},
		{"with root at last", []string{"80/tcp 0.0.0.0 - www-data"}, []string{nginx}, "(quiet) 80/tcp"},
		{"a new one", []string{nginx}, []string{nginx, "4444/tcp 0.0.0.0 /tmp/x root"}, "listener-new 4444/tcp"},
		{"one is gone", []string{nginx, "4444/tcp 0.0.0.0 /tmp/x root"}, []string{nginx}, "listener-gone 4444/tcp"},
		{"to all addresses", []string{"80/tcp 127.0.0.1 /usr/sbin/nginx www-data nginx"}, []string{nginx}, "bind-changed 80/tcp from 127.0.0.1, (quiet) 80/tcp"},
		{"to all addresses, another program", []string{"80/tcp 127.0.0.1 /usr/sbin/apache2 www-data apache2"}, []string{nginx}, "process-changed 80/tcp, (quiet) 80/tcp"},
		{"another random port", []string{"40001/tcp 0.0.0.0 /sbin/rpc.statd statd nfs"}, []string{"51234/tcp 0.0.0.0 /sbin/rpc.statd statd nfs"}, "(quiet) 40001/tcp, (quiet) 51234/tcp"},
		{
			"one random port more",
			[]string{"40001/tcp 0.0.0.0 /sbin/rpc.statd statd nfs"},
			[]string{"40001/tcp 0.0.0.0 /sbin/rpc.statd statd nfs", "51234/tcp 0.0.0.0 /sbin/rpc.statd statd nfs"},
			"listener-new 51234/tcp",
		},
		{"a random port of a stranger", []string{"40001/tcp 0.0.0.0 /sbin/rpc.statd statd nfs"}, []string{"51234/tcp 0.0.0.0 /tmp/x root"}, "listener-gone 40001/tcp, listener-new 51234/tcp"},
		{"a fixed port is no random one", []string{"2049/tcp 0.0.0.0 /x a b"}, []string{"2050/tcp 0.0.0.0 /x a b"}, "listener-gone 2049/tcp, listener-new 2050/tcp"},
		{"a random port for all to reach", []string{"40001/tcp 127.0.0.1 /x a b"}, []string{"51234/tcp 0.0.0.0 /x a b"}, "listener-gone 40001/tcp, listener-new 51234/tcp"},
		{
			"questions over UDP",
			[]string{"40001/udp 0.0.0.0 /usr/sbin/unbound unbound u"},
			[]string{"40001/udp 0.0.0.0 /usr/sbin/unbound unbound u", "40002/udp 0.0.0.0 /usr/sbin/unbound unbound u"},
			"(quiet) 40002/udp",
		},
		{"no questions any more", []string{"40001/udp 0.0.0.0 /usr/sbin/unbound unbound u"}, nil, "(quiet) 40001/udp"},
	} {
		was, now := listenersOf(t, tc.was...), listenersOf(t, tc.now...)
		look := state.Look{HostID: 7, Status: state.Answered, Listeners: now}
		var got []string
		inside := Listeners(state.Subject{HostID: 7, Was: was, Looked: true}, look)
		for _, m := range inside.Moves {
			words := string(m.Kind)
			if words == "" {
				words = "(quiet)"
			}
			port := m.Now.Port
			if port.Number == 0 {
				port = m.Was.Port
			}
			if words += " " + port.String(); m.Kind == state.BindChanged {
				words += " from " + m.Was.Bind.String()
			}
			got = append(got, words)
		}
		if text := strings.Join(got, ", "); text != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, text, tc.want)
		}
		if inside.Doubtful() != strings.ContainsFunc(strings.ReplaceAll(tc.want, "(quiet)", ""), func(r rune) bool { return r == '-' }) {
			t.Errorf("%s: doubtful %v", tc.name, inside.Doubtful())
		}
		for _, m := range Listeners(state.Subject{Was: was}, look).Moves {
			if m.Kind != "" {
				t.Errorf("%s: the first look tells %s", tc.name, m.Kind)
			}
		}
		look.Status = state.NotScanned
		if moves := Listeners(state.Subject{Was: was, Looked: true}, look).Moves; moves != nil {
			t.Errorf("%s: an incomplete look moves %v", tc.name, moves)
		}
	}
}

func TestListenersKeepWhatWasKnown(t *testing.T) {
	t.Parallel()
	was, now := listenersOf(t, "80/tcp 0.0.0.0 /usr/sbin/nginx www-data nginx"), listenersOf(t, "80/tcp 0.0.0.0 - www-data")
	inside := Listeners(state.Subject{Was: was, Looked: true}, state.Look{Status: state.Answered, Listeners: now})
	if got := inside.Look.Listeners[0].Process; got != was[0].Process {
		t.Errorf("a look without rights took the process away: %v", got)
	}
	if now[0].Process.Known() {
		t.Error("the look that was handed in was changed")
	}
}

func TestInsidesTellOnce(t *testing.T) {
	t.Parallel()
	was := listenersOf(t, "22/tcp 0.0.0.0 /usr/sbin/sshd root o", "25/tcp 0.0.0.0 /usr/sbin/exim4 root e")
	now := listenersOf(t, "22/tcp 0.0.0.0 /usr/sbin/sshd root o", "80/tcp 0.0.0.0 /usr/sbin/nginx root n")
	changes := []state.Change{
		{Kind: state.PortOpened, HostID: 7, Port: state.Port{Protocol: state.TCP, Number: 80}},
		{Kind: state.PortClosed, HostID: 7, Port: state.Port{Protocol: state.TCP, Number: 25}},
	}
	for id, want := range map[int64]string{7: "[ ]", 8: "[listener-gone listener-new]"} {
		list := Insides([]state.Subject{{HostID: id, Was: was, Looked: true}}, []state.Look{{HostID: id, Status: state.Answered, Listeners: now}}, changes)
		var kinds []state.Kind
		for _, m := range list[0].Moves {
			kinds = append(kinds, m.Kind)
		}
		if got := fmt.Sprint(kinds); got != want {
			t.Errorf("host %d: %s, want %s", id, got, want)
		}
	}
}
