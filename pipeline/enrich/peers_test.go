package enrich

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ownmap/pipeline/lab/sshlab"
	"ownmap/pipeline/state"
)

// firstLine reads the nonce from the first line of the script.
func firstLine(in io.Reader) string {
	line, _ := bufio.NewReader(in).ReadString('\n')
	word, _, _ := strings.Cut(strings.TrimPrefix(line, "n="), " ")
	return word
}

// answers is a host on which nginx listens, as far as limit bytes say so.
func answers(limit, status int) sshlab.Script {
	return func(_ string, in io.Reader, out io.Writer) int {
		text := strings.ReplaceAll(string(nginxAnswer()), testNonce, firstLine(in))
		if limit == 0 {
			limit = len(text)
		}
		_, _ = io.WriteString(out, text[:limit])
		return status
	}
}

// hang reads until the client goes away.
func hang(in io.Reader) int {
	_, _ = io.Copy(io.Discard, in)
	time.Sleep(time.Minute) // longer than any limit of these tests; the connection is closed long before
	return 0
}

// peer is something that a host may turn out to be.
type peer struct {
	name   string
	peer   *sshlab.Peer
	reason string // empty: the look is complete
}

func brokenPeers(t *testing.T) []peer {
	t.Helper()
	says := func(status int, text string) *sshlab.Peer {
		return sshlab.Scripted(t, func(_ string, in io.Reader, out io.Writer) int {
			n := firstLine(in)
			_, _ = io.WriteString(out, strings.ReplaceAll(text, "$", n))
			return status
		})
	}
	const whole = "$ hello Linux 1\n"
	table := "  sl\n   0: 00000000:0050 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n\n"
	return []peer{
		{"whole", sshlab.Scripted(t, answers(0, 0)), ""},
		{"banner of the day and forged ends around it", sshlab.Scripted(t, func(_ string, in io.Reader, out io.Writer) int {
			n := firstLine(in)
			_, _ = io.WriteString(out, "Welcome!\nhello Linux 0\nend tcp 0\ndone\n"+strings.ReplaceAll(string(nginxAnswer()), testNonce, n)+"done\nbye\n")
			return 0
		}), ""},
		{"silent TCP", sshlab.Raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), state.SSHTimeout},
		{"closes at once", sshlab.Raw(t, func(net.Conn) {}), state.SSHNoSSH},
		{"HTTP", sshlab.Says(t, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"+strings.Repeat("x", 300), false), state.SSHNoSSH},
		{"endless banner", sshlab.Says(t, "no SSH here\r\n", true), state.SSHNoSSH},
		{"version of 10 MB", sshlab.Says(t, "SSH-2.0-"+strings.Repeat("x", 10<<20), false), state.SSHFault},
		{"version and nothing else", sshlab.Says(t, "SSH-2.0-OpenSSH_9.2\r\n", false), state.SSHTimeout},
		{"garbage after the version", sshlab.Says(t, "SSH-2.0-OpenSSH_9.2\r\n"+strings.Repeat("\xff", 1000), false), state.SSHFault},
		{"nothing listens", sshlab.Refused(t), state.SSHRefused},
		{"lets nobody in", sshlab.Locked(t), state.SSHLoginRefused},
		{"shell hangs", sshlab.Scripted(t, func(_ string, in io.Reader, _ io.Writer) int { return hang(in) }), state.SSHTimeout},
		{"half an answer, then hangs", sshlab.Scripted(t, func(c string, in io.Reader, out io.Writer) int {
			answers(500, 0)(c, in, out)
			return hang(in)
		}), state.SSHTimeout},
		{"half an answer", sshlab.Scripted(t, answers(500, 0)), state.SSHIncomplete},
		{"half an answer, no status", sshlab.Scripted(t, answers(500, -1)), state.SSHIncomplete},
		{"whole answer, bad status", sshlab.Scripted(t, answers(0, 1)), state.SSHIncomplete},
		{"endless output", sshlab.Scripted(t, func(_ string, _ io.Reader, out io.Writer) int {
			for {
				if _, err := io.WriteString(out, strings.Repeat("x", 1<<15)); err != nil {
					return 0
				}
			}
		}), state.SSHTooMuch},
		{"nologin", says(1, "This account is currently not available.\n"), state.SSHIncomplete},
		{"ForceCommand true", says(0, ""), state.SSHIncomplete},
		{"forged end marker alone", says(0, "hello Linux 0\ndone\n"), state.SSHIncomplete},
		{"another nonce", says(0, "ffffffffffffffffffffffff hello Linux 0\nffffffffffffffffffffffff done\n"), state.SSHIncomplete},
		{"no tables and no tools", says(0, whole+"$ done\n"), state.SSHNothingToAsk},
		{"tables that cannot be read", says(0, whole+"$ begin tcp\n\n$ end tcp 1\n$ done\n"), state.SSHNothingToAsk},
		{"a table that breaks off", says(0, whole+"$ begin tcp\n"+table+"$ begin udp\n\n$ end udp 0\n$ done\n"), state.SSHIncomplete},
		{"a system nobody knows", says(0, "$ hello Plan9 0\n$ begin bsd\nwhat?\n$ end bsd 127\n$ done\n"), state.SSHNothingToAsk},
		{"listeners without number", sshlab.Scripted(t, func(_ string, in io.Reader, out io.Writer) int {
			n := firstLine(in)
			_, _ = fmt.Fprintf(out, "%s hello FreeBSD 0\n%s begin sockstat\n", n, n)
			for port := range 20000 {
				_, _ = fmt.Fprintf(out, "www nginx 9 6 tcp4 *:%d *:*\n", port+1)
			}
			_, _ = fmt.Fprintf(out, "\n%s end sockstat 0\n%s done\n", n, n)
			return 0
		}), state.SSHTooMuch},
		{"FreeBSD", says(0, "$ hello FreeBSD 0\n$ begin sockstat\nwww nginx 9 6 tcp4 *:80 *:*\n\n$ end sockstat 0\n$ done\n"), ""},
		{"macOS", says(0, "$ hello Darwin 0\n$ begin lsof\np9\ncnginx\nu0\nLroot\nf6\ntIPv4\nPTCP\nn*:80\n\n$ end lsof 0\n$ done\n"), ""},
		{"Windows", sshlab.Scripted(t, func(command string, _ io.Reader, out io.Writer) int {
			rest, windows := strings.CutPrefix(command, `cmd.exe /c "echo `)
			if !windows {
				_, _ = io.WriteString(out, "'sh' is not recognized as an internal or external command\r\n")
				return 1
			}
			n, _, _ := strings.Cut(rest, " ")
			_, _ = fmt.Fprintf(out, "%[1]s hello Windows 1\r\n%[1]s begin windows\r\n  TCP    0.0.0.0:80   0.0.0.0:0   ABH\xd6REN   1012\r\n%[1]s end windows 0\r\n%[1]s done\r\n", n)
			return 0
		}), ""},
	}
}

// together returns hosts that answer when all of them have been asked.
func together(t *testing.T, n int) (peers []peer) {
	t.Helper()
	var asked sync.WaitGroup
	asked.Add(n)
	for range n {
		here := sync.OnceFunc(asked.Done)
		peers = append(peers, peer{"waits for others", sshlab.Scripted(t, func(c string, in io.Reader, out io.Writer) int {
			here()
			asked.Wait()
			return answers(0, 0)(c, in, out)
		}), ""})
	}
	return peers
}

// TestPeers looks inside everything that a host may turn out to be: each is called
// what it is, none of them reads as "nothing listens", and no one waits for another.
func TestPeers(t *testing.T) {
	t.Parallel()
	peers := slices.Concat(together(t, 8), brokenPeers(t))
	farm := sshlab.Start(t, sshlab.Options{}, sshlab.Options{Shell: "/usr/sbin/nologin"}, sshlab.Options{Config: "ForceCommand true"},
		sshlab.Options{Init: "printf '#!/bin/sh\\necho motd; exec /bin/sh \"$@\"\\n' >/usr/local/bin/noisy; chmod 755 /usr/local/bin/noisy", Shell: "/usr/local/bin/noisy"})
	dir := t.TempDir()
	known, err := os.ReadFile(farm.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.Write(known)
	for _, p := range peers {
		text.WriteString(p.peer.KnownKey)
	}
	file := filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var subjects []state.Subject
	var wants, names []string
	for _, p := range peers {
		s := state.Subject{Login: state.Login{Address: p.peer.Address.Addr(), Port: p.peer.Address.Port(), User: "u", KeyFiles: []string{farm.KeyFile}, KnownHosts: []string{file}, Sudo: true}}
		subjects, wants, names = append(subjects, s), append(wants, p.reason), append(names, p.name)
	}
	for i, h := range farm.Hosts {
		subjects = append(subjects, subjectOf(farm, h, sshlab.User, 22))
		wants = append(wants, []string{"", state.SSHIncomplete, state.SSHIncomplete, ""}[i])
		names = append(names, []string{"a real host", "real nologin", "real ForceCommand", "real noise"}[i])
	}
	add := func(name, reason string, edit func(*state.Login)) {
		s := subjectOf(farm, farm.Hosts[0], sshlab.User, 22)
		edit(&s.Login)
		subjects, wants, names = append(subjects, s), append(wants, reason), append(names, name)
	}
	other := sshlab.Start(t, sshlab.Options{})
	add("unknown key", state.SSHKeyUnknown, func(l *state.Login) { l.KnownHosts = nil })
	add("wrong user key", state.SSHLoginRefused, func(l *state.Login) { l.KeyFiles = []string{other.KeyFile} })
	add("unknown user", state.SSHLoginRefused, func(l *state.Login) { l.User = "nobody-of-that-name" })
	add("no key", state.SSHNoKeys, func(l *state.Login) { l.KeyFiles = []string{"/nonexistent"} })
	add("no jump host", state.SSHJumpFailed, func(l *state.Login) { l.Jump = []string{sshlab.Refused(t).Address.String()} })

	var hanging []state.Subject // to whom a short limit does no wrong, however busy the machine is
	var others []state.Subject
	for n, s := range subjects {
		if wants[n] == state.SSHTimeout {
			hanging = append(hanging, s)
		} else {
			others = append(others, s)
		}
	}
	hung := insiderOf(t, 2*time.Second).Look(t.Context(), hanging)
	ended := insiderOf(t, patience).Look(t.Context(), others)
	if len(hung) < 4 || len(ended) < 40 {
		t.Errorf("only %d and %d peers", len(hung), len(ended))
	}
	for n := range subjects {
		from := &ended
		if wants[n] == state.SSHTimeout {
			from = &hung
		}
		look := (*from)[0]
		*from = (*from)[1:]
		if look.Reason != wants[n] || look.Complete() != (wants[n] == "") {
			t.Errorf("%s: %q (%s), want %q", names[n], look.Reason, look.Detail, wants[n])
		}
		if look.Complete() == (len(look.Listeners) == 0) || !look.Complete() && len(look.Findings) > 0 {
			t.Errorf("%s: complete %v with %d listeners and %v", names[n], look.Complete(), len(look.Listeners), look.Findings)
		}
		if state.Clean(look.Detail) != look.Detail {
			t.Errorf("%s: %q is not clean", names[n], look.Detail)
		}
	}
	for _, p := range peers {
		if requests := p.peer.Requests(); slices.ContainsFunc(requests, func(r string) bool {
			return strings.Contains(r, "auth-agent") || r == "pty-req" || r == "env" || r == "x11-req"
		}) {
			t.Errorf("%s was asked for %v", p.name, requests)
		}
	}
}

// TestInterrupted holds that nothing is said of hosts that were left when the run
// was cancelled, and that nobody waits for them.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	silent := sshlab.Raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	file := filepath.Join(t.TempDir(), "key")
	farm := sshlab.Start(t, sshlab.Options{})
	subjects := make([]state.Subject, 40)
	for n := range subjects {
		subjects[n].Login = state.Login{Address: silent.Address.Addr(), Port: silent.Address.Port(), User: "u", KeyFiles: []string{farm.KeyFile}, KnownHosts: []string{file}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	begin := time.Now()
	insider := insiderOf(t, time.Minute)
	looks := insider.Again(ctx, subjects, insider.Look(ctx, subjects))
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, look := range looks {
		if look.Complete() || look.Reason != state.InsideInterrupted {
			t.Fatalf("%+v", look)
		}
	}
}
