package enrich

import (
	"strings"
	"testing"

	"ownmap/pipeline/state"
)

const testNonce = "0123456789abcdef01234567"

// said makes an answer of lines; $ stands for the nonce.
func said(lines ...string) []byte {
	return []byte(strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "$", testNonce))
}

// nginxAnswer is what a host says on which nginx listens.
func nginxAnswer() []byte {
	return said(
		"motd", "$ hello Linux 0", "$ begin tcp",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 100 0 0 10 0", "",
		"$ end tcp 0", "$ owners 9 77 12 77", "$ pid 12 900", "$ name nginx", "$ uid 33", "$ exe /usr/sbin/nginx", "$ cgroup 0::/x.service",
		"$ pid 9 800", "$ name nginx", "$ uid 0", "$ exe /usr/sbin/nginx (deleted)", "$ cgroup 0::/system.slice/nginx.service",
		"$ begin dpkg", "nginx: /usr/sbin/nginx", "diversion by dash from: /bin/sh", "dpkg-query: no path found matching pattern /tmp/x", "", "$ end dpkg 1",
		"$ begin passwd", "root:x:0:0:root:/root:/bin/sh", "www-data:x:33:33::/:/bin/false", "", "$ end passwd 0", "$ done",
	)
}

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	v := viewOf(readAnswer(testNonce, nginxAnswer()))
	want := state.Process{Exe: "/usr/sbin/nginx", User: "root", Unit: "nginx.service", Package: "nginx"}
	if !v.complete || !v.root || len(v.listeners) != 1 || v.listeners[0].Process != want || !v.listeners[0].Deleted || v.listeners[0].PID != 9 {
		t.Errorf("%+v", v)
	}
	for name, text := range map[string]string{
		"cut off":                 string(nginxAnswer()[:600]),
		"without its end":         strings.Replace(string(nginxAnswer()), testNonce+" done", "", 1),
		"a table that failed":     strings.Replace(string(nginxAnswer()), "end tcp 0", "end tcp 1", 1),
		"a table without its end": strings.Replace(string(nginxAnswer()), testNonce+" end tcp 0", "", 1),
		"a table with a bad row":  strings.Replace(string(nginxAnswer()), "00000000:0050", "garbage", 1),
		"another nonce":           strings.ReplaceAll(string(nginxAnswer()), testNonce, "ffffffffffffffffffffffff"),
		"forged without the word": "hello Linux 0\nbegin tcp\nend tcp 0\ndone\n",
		"nothing":                 "",
	} {
		if v := viewOf(readAnswer(testNonce, []byte(text))); v.complete {
			t.Errorf("%s: it passes for complete", name)
		}
	}
}

// TestSharedPort holds that a second program which shares a port is seen, over TCP,
// and that those that share one over UDP do not take turns.
func TestSharedPort(t *testing.T) {
	t.Parallel()
	const rows = "   0: 00000000:0050 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n   1: 00000000:0050 00000000:0000 0A 0:0 0:0 0 33 0 78 1\n"
	lines := []string{
		"$ hello Linux 0", "$ begin tcp", rows, "$ end tcp 0", "$ begin udp", strings.ReplaceAll(rows, " 0A ", " 07 "), "$ end udp 0",
		"$ owners 9 77 12 78", "$ pid 9 800", "$ uid 0", "$ exe /usr/sbin/nginx", "$ pid 12 900", "$ uid 33", "$ exe /tmp/x", "$ done",
	}
	for range 2 {
		v := viewOf(readAnswer(testNonce, said(lines...)))
		if len(v.listeners) != 2 || v.listeners[0].Process.Exe != "/tmp/x" || v.listeners[1].Process.Exe != "/usr/sbin/nginx" {
			t.Errorf("%+v", v.listeners)
		}
		lines[7] = "$ owners 12 78 9 77"
	}
}

// TestForgedLines holds that a name with line breaks in it makes no facts.
func TestForgedLines(t *testing.T) {
	t.Parallel()
	text := strings.Replace(string(nginxAnswer()), testNonce+" name nginx\n"+testNonce+" uid 0", testNonce+" name x\npid 1 1\nname init\nuid 0\nexe /sbin/init\n"+testNonce+" uid 0", 1)
	v := viewOf(readAnswer(testNonce, []byte(text)))
	if !v.complete || v.listeners[0].Name != "x" || v.listeners[0].PID != 9 || v.listeners[0].Process.Exe != "/usr/sbin/nginx" {
		t.Errorf("%+v", v.listeners)
	}
}

// TestProxyOfAContainer holds that what listens for a container is told by the
// container, which the runtime's proxy alone does not say.
func TestProxyOfAContainer(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("/usr/sbin/nginx", "/usr/bin/docker-proxy", testNonce+" done", testNonce+" begin docker\nabc\tweb\tnginx:1.27\t0.0.0.0:80->80/tcp\n\n"+testNonce+" end docker 0\n"+testNonce+" done").Replace(string(nginxAnswer()))
	for answer, want := range map[string]string{text: "docker:web", strings.Replace(text, "end docker 0", "end docker 1", 1): "docker"} {
		if v := viewOf(readAnswer(testNonce, []byte(answer))); !v.complete || v.listeners[0].Process.Container != want {
			t.Errorf("%+v, want the container %s", v.listeners, want)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	names := map[string]string{"docker:" + id: "web"}
	for cgroup, want := range map[string]string{
		"0::/system.slice/nginx.service":                                       "nginx.service|",
		"1:name=systemd:/system.slice/ssh.service 4:memory:/x 0::/":            "ssh.service|",
		"0::/user.slice/user-1000.slice/session-42.scope":                      "session.scope|",
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service": "a.service|",
		"0::/system.slice/run-r0123456789abcdef.service":                       "run.service|",
		"0::/system.slice/getty@tty1.service":                                  "getty@tty1.service|",
		"0::/system.slice/docker-" + id + ".scope":                             "|docker:web",
		"0::/docker/" + id:                                        "|docker:web",
		"0::/machine.slice/libpod-" + id + ".scope":               "|podman",
		"0::/kubepods.slice/pod1/cri-containerd-" + id + ".scope": "|containerd",
		"0::/kubepods/besteffort/pod1/x":                          "|kubernetes",
		"0::/lxc.payload.c1/x.service":                            "|lxc:c1",
		"0::/machine.slice/systemd-nspawn@c2.service/payload":     "|nspawn:c2",
		"0::/":    "|",
		"garbage": "|",
	} {
		unit, container := placeOf(cgroup, names)
		if got := unit + "|" + container; got != want {
			t.Errorf("%s: %s, want %s", cgroup, got, want)
		}
	}
}

func TestPackageOf(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"owner nginx /usr/sbin/nginx":                            "/usr/sbin/nginx nginx",
		"owner file /tmp/x is not owned by any package /tmp/x":   "",
		"apk /usr/sbin/nginx is owned by nginx-1.24.0-r6":        "/usr/sbin/nginx nginx",
		"apk /bin/busybox is owned by busybox-1.36.1-r15":        "/bin/busybox busybox",
		"apk ERROR: /tmp/x: Could not find owner package":        "",
		"pacman /usr/bin/nginx is owned by nginx 1.24.0-1":       "/usr/bin/nginx nginx",
		"pacman error: No package owns /tmp/x":                   "",
		"pacman /usr/bin/python3.11 is owned by python 3.11.6-1": "/usr/bin/python3.11 python",
		"apk /usr/lib/a-b/x is owned by a-b-c-2.0-r0":            "/usr/lib/a-b/x a-b-c",
		"owner  /usr/sbin/x":                                     "/usr/sbin/x ",
		"owner openssh-server /usr/sbin/sshd":                    "/usr/sbin/sshd openssh-server",
	} {
		manager, rest, _ := strings.Cut(line, " ")
		got := ""
		if file, name, ok := packageOf(manager, rest); ok {
			got = file + " " + name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(nginxAnswer())
	f.Add(said("$ hello Linux 0", "$ begin docker", "id\tweb\tnginx\t0.0.0.0:80->80/tcp", "$ end docker 0", "$ done"))
	f.Add(said("$ hello FreeBSD 1", "$ begin sockstat", "www nginx 9 6 tcp4 *:80 *:*", "$ end sockstat 0", "$ done"))
	f.Fuzz(func(t *testing.T, text []byte) {
		v := viewOf(readAnswer(testNonce, text))
		for _, l := range v.listeners {
			if l.Port.Number == 0 || !l.Bind.IsValid() || l.Bind.Zone() != "" {
				t.Fatalf("%+v", l)
			}
			for _, text := range []string{l.Name, l.Process.Exe, l.Process.User, l.Process.Unit, l.Process.Container, l.Process.Package, l.Process.SHA256} {
				if state.Clean(text) != text {
					t.Fatalf("%q is not clean", text)
				}
			}
		}
		subject := state.Subject{Outside: []state.Host{{State: state.Up}}}
		for _, finding := range join(subject, v) {
			if state.Clean(finding.Detail) != finding.Detail {
				t.Fatalf("%q is not clean", finding.Detail)
			}
		}
	})
}
