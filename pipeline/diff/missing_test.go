package diff_test

import (
	"testing"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/state"
)

func TestAskedSame(t *testing.T) {
	t.Parallel()
	const plain = "nmap -oX a.xml -p 1-100 192.0.2.0/28"
	for _, c := range []struct {
		name string
		a, b diff.Asked
		want bool
	}{
		{"another output file", diff.Asked{plain, 16}, diff.Asked{"/usr/bin/nmap -p 1-100 -oA b 192.0.2.0/28", 16}, true},
		{"verbose, with reasons", diff.Asked{plain, 16}, diff.Asked{plain + " -vv -d2 --reason --stats-every 5s", 16}, true},
		{"another port set", diff.Asked{plain, 16}, diff.Asked{"nmap -oX a.xml -p 1-70 192.0.2.0/28", 16}, false},
		{"another total: a name did not resolve", diff.Asked{plain, 16}, diff.Asked{plain, 15}, false},
		{"another order", diff.Asked{"nmap a b", 2}, diff.Asked{"nmap b a", 2}, false},
		{"random addresses", diff.Asked{"nmap -iR 9", 9}, diff.Asked{"nmap -iR 9", 9}, false},
		{"hosts without open ports left out", diff.Asked{"nmap --open a", 1}, diff.Asked{"nmap --open a", 1}, false},
		{"service detection is no verbosity", diff.Asked{"nmap -sV a", 1}, diff.Asked{"nmap a", 1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.a.Same(c.b) != c.want || c.b.Same(c.a) != c.want {
				t.Errorf("same is not %v", c.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	const was = `
192.0.2.1 up
tcp answered 1-100
22/tcp open
192.0.2.2 up
tcp answered 1-100
udp answered 53
22/tcp open
`
	for _, c := range []struct {
		name, now string
		same      bool
		want      string
	}{
		{"asked the same", "192.0.2.1 up\ntcp answered 1-100\n22/tcp open\n", true, "host-down 192.0.2.2\n"},
		{"asked something else", "192.0.2.1 up\ntcp answered 1-100\n22/tcp open\n", false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before, now := parseHosts(t, was), parseHosts(t, c.now)
			missing := diff.Missing(before, now, c.same)
			if len(missing) != 1 || len(missing[0].Coverage) != 2 {
				t.Fatalf("missing: %v", missing)
			}
			if got := tell(diff.States(before, append(now, missing...))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestMissingMovedName holds that a name which belongs to another address now
// takes nobody down: the scan asked the other address.
func TestMissingMovedName(t *testing.T) {
	t.Parallel()
	was := parseHosts(t, "192.0.2.1 up web.example.org\n22/tcp open\n")
	now := parseHosts(t, "192.0.2.2 up web.example.org\ntcp answered 1-100\n22/tcp open\n")
	now = append(now, diff.Missing(was, now, true)...)
	const want = "host-new web.example.org (192.0.2.2)\nport-opened web.example.org (192.0.2.2) 22/tcp: nothing -> open\n"
	if got := tell(diff.States(was, now)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKept(t *testing.T) {
	t.Parallel()
	was := parseHosts(t, "192.0.2.1 up\ntcp answered 1-1000\n22/tcp open\n80/tcp open\n443/tcp open\n192.0.2.2 up\ntcp answered 1-1000\n22/tcp open\n")
	now := parseHosts(t, "192.0.2.1 up\ntcp answered 1-100\n22/tcp open\n192.0.2.2 up\ntcp silent\n")
	if n := diff.Kept(was, now); n != 1 {
		t.Errorf("%d ports are kept, want 443/tcp alone: 80/tcp is closed, 192.0.2.2 is silent as a whole", n)
	}
}

// TestBetween compares two known states forth and back: who came is gone on the way
// back, and however many went down, they are down.
func TestBetween(t *testing.T) {
	t.Parallel()
	early := parseHosts(t, `192.0.2.1 up
tcp answered 1-100
22/tcp open
192.0.2.2 up
tcp answered 1-100
192.0.2.3 up
tcp answered 1-100
192.0.2.4 up
tcp answered 1-100
`)
	late := parseHosts(t, `192.0.2.1 up
tcp answered 1-100
80/tcp open
192.0.2.2 down
tcp silent
192.0.2.3 down
tcp silent
192.0.2.4 down
tcp silent
192.0.2.5 up
tcp answered 1-100
80/tcp open
`)
	for name, c := range map[string]struct {
		was, now []state.Host
		want     string
	}{
		"forth": {early, late, `port-closed 192.0.2.1 22/tcp: open -> nothing
port-opened 192.0.2.1 80/tcp: nothing -> open
host-down 192.0.2.2
host-down 192.0.2.3
host-down 192.0.2.4
host-new 192.0.2.5
port-opened 192.0.2.5 80/tcp: nothing -> open
`},
		"back": {late, early, `port-opened 192.0.2.1 22/tcp: nothing -> open
port-closed 192.0.2.1 80/tcp: open -> nothing
host-back 192.0.2.2
host-back 192.0.2.3
host-back 192.0.2.4
host-down 192.0.2.5
`},
	} {
		if got := tell(diff.Outcome{Changes: diff.Between(c.was, c.now)}); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
