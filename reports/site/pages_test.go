package site

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
	"ownmap/templates"
)

// archive is the demo archive: its files, and its pages parsed.
type archive struct {
	pages map[string]*html.Node
	files map[string]string
}

func TestArchive(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	build(t, dir, demo.Nights(49))
	a := archive{make(map[string]*html.Node), files(t, dir)}
	for file, content := range a.files {
		if path.Ext(file) == ".html" {
			a.pages[file] = parse(t, content)
		}
	}
	t.Run("every page", a.everyPage)
	t.Run("hostile text shows as text", a.hostileText)
	t.Run("run", a.runPage)
	t.Run("host", a.hostPage)
	t.Run("index", a.index)
	t.Run("lists", a.lists)
	t.Run("inside", a.inside)
}

// inside holds what the pages say of a host that is looked inside.
func (a archive) inside(t *testing.T) {
	t.Parallel()
	host, run := textOf(a.pages["host/01/1.html"]), textOf(a.pages["run/49.html"])
	for _, want := range []string{
		"22/tcp open ssh OpenSSH 9.2p1 (Debian 2+deb12u3; protocol 2.0) all IPv4 addresses all addresses /usr/sbin/sshd as root, ssh.service, package openssh-server",
		"Up, 4 disagreements, 1 port unapproved", "80/tcp open http nginx 1.26.0 all IPv4 addresses /usr/sbin/nginx as root, nginx.service, package nginx high open but bound elsewhere open from outside, and what listens",
		"60001/tcp not looked at all IPv4 addresses", "127.0.0.1 (loopback)", "info forwarded docker:web hands it on", "info listening not reachable", "low listening not scanned",
		"31337/tcp not open all IPv4 addresses /tmp/" + strings.Join(strings.Fields(demo.Hostile()), " "), "8080/tcp open", "nothing listens", "critical hidden from tool",
	} {
		if !strings.Contains(host, want) {
			t.Errorf("the page of the host does not say %q:\n%s", want, host)
		}
	}
	if strings.Index(host, "5432/tcp not open 127.0.0.1") < strings.Index(host, "31337/tcp not open") {
		t.Error("what only the host itself reaches does not come last")
	}
	for _, want := range []string{
		"critical web-1.example.org (192.0.2.11) 31337/tcp hidden from tool the kernel has a listener that ss or netstat on the host does not show",
		"1 open port is handed on to somewhere else. 2 listeners are not reachable from outside.",
		"Looked inside 1 of 4 hosts, 1 not (SSH host key changed), 1 not (SSH host key unknown), 1 not (SSH login refused).", "ownmap hostkeys accept 192.0.2.30",
		"5 grave disagreements", "sshd (root, ssh.service)", "critical web-2.example.org (192.0.2.12) host key changed the host shows another SSH host key than the known one SHA256:",
	} {
		if !strings.Contains(run, want) {
			t.Errorf("the page of the run does not say %q:\n%s", want, run)
		}
	}
	changed := textOf(a.pages["host/02/2.html"])
	for _, want := range []string{
		"Up, 1 disagreement", "Looked inside not in the last run: SSH host key changed", "beside what listens inside, as of 2026-10-01", "critical host key changed: SHA256:",
		"22/tcp open ssh OpenSSH 9.2p1 (Debian 2+deb12u3; protocol 2.0) all IPv6 addresses", "80/tcp open http nginx 1.26.0 not looked inside (SSH host key changed)",
	} {
		if !strings.Contains(changed, want) {
			t.Errorf("the page of a host that shows another key does not say %q:\n%s", want, changed)
		}
	}
	refused := textOf(a.pages["host/03/3.html"])
	if !strings.Contains(refused, "Looked inside not yet: SSH login refused") || strings.Contains(refused, "Outside and inside") {
		t.Errorf("the page of a host that refuses the login does not say so:\n%s", refused)
	}
	for file, page := range a.pages {
		if file != "host/01/1.html" && strings.Contains(textOf(page), "nothing listens") {
			t.Errorf("%s says that nothing listens where nobody looked", file)
		}
	}
	if hosts := textOf(a.pages["hosts.html"]); !strings.Contains(hosts, "22/tcp sshd, 80/tcp nginx, 443/tcp nginx, 8080/tcp") {
		t.Errorf("the list of hosts does not name processes:\n%s", hosts)
	}
	if other := textOf(a.pages["host/08/8.html"]); strings.Contains(other, "Outside and inside") {
		t.Error("a host that was never looked inside has a table of it")
	}
}

// everyPage holds what is true of any page: structure, policy, links.
func (a archive) everyPage(t *testing.T) {
	t.Parallel()
	if len(a.pages) < 4+49+12 {
		t.Fatalf("only %d pages", len(a.pages))
	}
	for file, page := range a.pages {
		if n := len(elements(page, "h1")); n != 1 {
			t.Errorf("%s has %d h1", file, n)
		}
		if title := elements(page, "title"); len(title) == 0 || textOf(title[0]) == "" {
			t.Errorf("%s has no title", file)
		}
		if attr(elements(page, "html")[0], "lang") != "en" {
			t.Errorf("%s names no language", file)
		}
		checkPolicy(t, file, page)
		checkTables(t, file, page)
		a.checkLinks(t, file, page)
	}
}

func (a archive) hostileText(t *testing.T) {
	t.Parallel()
	seen := 0
	for file, page := range a.pages {
		for _, script := range elements(page, "script") {
			if !strings.HasSuffix(attr(script, "src"), "assets/ownmap.js") {
				t.Errorf("%s has a foreign script", file)
			}
		}
		if strings.ContainsFunc(a.files[file], func(r rune) bool { return (r < ' ' && r != '\n') || r == '\u202e' }) {
			t.Errorf("%s holds a control character", file)
		}
		if strings.Contains(textOf(page), strings.Join(strings.Fields(demo.Hostile()), " ")) {
			seen++
		}
	}
	if seen < 3 { // the runs 48 and 49, the host, what is unapproved
		t.Errorf("the banner shows as text on %d pages only", seen)
	}
}

func (a archive) runPage(t *testing.T) {
	t.Parallel()
	page := a.pages["run/48.html"]
	if got, want := textOf(elements(page, "h1")[0]), demo.Nights(49).At(48).Verdict(); got != want {
		t.Errorf("h1 %q, want the verdict %q", got, want)
	}
	text := textOf(page)
	for _, want := range []string{
		"Finished in part", "took 3 min 42 s", "compared with run 47 of 2026-11-16 02:00",
		"~ 3000/tcp service changed http Grafana 10.4.2 → http-proxy Squid http proxy 5.7 high", "− host down medium",
		"drifted bob 2026-10-02", "web-2.example.org (192.0.2.12) tcp not scanned host timeout 2026-11-16 02:00 3",
		"6379/tcp open redis Redis key-value store 7.0.15 data@example.org 2026-10-31 17 days", "stale since 2026-11-16",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of the run does not say %q:\n%s", want, text)
		}
	}
}

func (a archive) hostPage(t *testing.T) {
	t.Parallel()
	text := textOf(a.pages["host/08/8.html"])
	for _, want := range []string{"ci.example.org (10.20.0.40)", "Up, 1 port unapproved", "erin, 2026-10-05 build server", "2375/tcp − port closed was docker Docker 26.1.0 (API 1.45)"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of the host does not say %q:\n%s", want, text)
		}
	}
	bars := find(a.pages["host/08/8.html"], func(n *html.Node) bool { return strings.HasPrefix(attr(n, "class"), "bar ") })
	if len(bars) != 4 || !strings.HasPrefix(textOf(bars[1]), "2375/tcp open docker Docker 26.1.0 (API 1.45), from 2026-11-10 02:00, to 2026-11-12 02:00") {
		t.Errorf("%d bars in the timeline, want 4, the second of 2375/tcp", len(bars))
	}
	if _, ok := a.pages["host/0b/267.html"]; !ok {
		t.Error("host 267 is not in folder 0b")
	}
	if text := textOf(a.pages["host/06/6.html"]); !strings.Contains(text, "Last answered 2026-11-16 02:00") {
		t.Errorf("a host that is down does not say when it last answered:\n%s", text)
	}
}

func (a archive) index(t *testing.T) {
	t.Parallel()
	text := textOf(a.pages["index.html"])
	for _, want := range []string{
		"4 changes, 10 ports unapproved, 5 grave disagreements, 11 of 12 hosts answered", "10 ports unapproved", "+ 53/udp port opened domain ISC BIND",
		"no owner 3 0 0 0 3 2026-10-03", "desk@example.org 1 1 0 0 0 2026-11-18", "All 50 runs", "29 open 10 unapproved",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the index does not say %q:\n%s", want, text)
		}
	}
}

func (a archive) lists(t *testing.T) {
	t.Parallel()
	if runs := textOf(a.pages["runs.html"]); !strings.Contains(runs, "failed nmap was killed") {
		t.Errorf("the list of runs hides the failed one:\n%s", runs)
	}
	rows := elements(elements(a.pages["unapproved.html"], "tbody")[0], "tr")
	if len(rows) != 10 || !strings.HasPrefix(textOf(rows[0]), "ci.example.org 10.20.0.40 50000/tcp") {
		t.Errorf("%d unapproved ports, first %q; want 10, the oldest first", len(rows), textOf(rows[0]))
	}
}

func TestLargeRunsAreCutAndSaySo(t *testing.T) {
	t.Parallel()
	d := demo.Nights(1)
	report := d.At(1)
	for n := range uint16(2500) {
		port := state.Port{Protocol: state.TCP, Number: 10000 + n}
		report.Hosts[0].Ports = append(report.Hosts[0].Ports, state.PortReport{PortStatus: state.PortStatus{Port: port, State: state.Open}})
		report.Changes = append(report.Changes, state.Change{Kind: state.PortOpened, Address: report.Hosts[0].Address, Port: port})
	}
	var out bytes.Buffer
	if err := Standalone(&out, report, nil, state.Brand{}); err != nil {
		t.Fatal(err)
	}
	text := textOf(parse(t, out.String()))
	for _, want := range []string{"500 of 2500 changes are shown.", "2000 of 2522 ports are shown."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestStandaloneNeedsNoOtherFile(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Standalone(&out, demo.Nights(49).At(48), nil, state.Brand{}); err != nil {
		t.Fatal(err)
	}
	page := parse(t, out.String())
	for d := range page.Descendants() {
		if link := attr(d, "href"); link != "" && link != "data:," && link != "#content" {
			t.Errorf("leads to %q", link)
		}
		if attr(d, "src") != "" || (d.Type == html.ElementNode && d.Data == "script") {
			t.Errorf("loads with <%s>", d.Data)
		}
	}
	style := elements(page, "style")
	css, err := fs.ReadFile(templates.FS, "site/ownmap.css")
	if err != nil {
		t.Fatal(err)
	}
	if len(style) != 1 || style[0].FirstChild.Data != string(css) {
		t.Error("the style differs from the stylesheet whose hash the policy names")
	}
	if n := len(elements(page, "h1")); n != 1 {
		t.Errorf("%d h1", n)
	}
}

// TestEveryTemplateIsUsed fails for a page that nobody lists, or that is listed
// and missing.
func TestEveryTemplateIsUsed(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(templates.FS, "site/*.html")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, name := range names {
		if page := strings.TrimSuffix(path.Base(name), ".html"); page != "layout" {
			want = append(want, page)
		}
	}
	listed := kinds()
	slices.Sort(listed)
	if !slices.Equal(listed, want) {
		t.Errorf("pages %q, files %q", listed, want)
	}
}
