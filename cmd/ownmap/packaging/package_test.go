//go:build packages

package packaging

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/lab/doclab"
	"ownmap/pipeline/lab/smtplab"
)

// built makes a package of a version, and returns its path.
func built(t *testing.T, dist, version string, options ...string) string {
	t.Helper()
	cmd := exec.Command("make", append([]string{"-C", "../../..", "deb", "DIST=" + dist, "PACKAGE_VERSION=" + version}, options...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(dist, "ownmap_"+version+"-1_*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("packages of %s: %q, %v", version, found, err)
	}
	return found[0]
}

// handbook returns the commands by which it installs, upgrades, and goes over to another version
// of PostgreSQL, which no reader of it but this test can run.
func handbook(t *testing.T) (install, upgrade, renew string) {
	t.Helper()
	blocks, err := doclab.Read("../../../docs/handbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, b := range blocks {
		if b.Elsewhere == "package" {
			commands = append(commands, b.Text)
		}
	}
	if len(commands) != 3 {
		t.Fatalf("the handbook has %d blocks for this test, want 3: %q", len(commands), commands)
	}
	return commands[0], commands[1], commands[2]
}

// TestPackage is the life of an installation: from a fresh Debian over nights, an upgrade and a
// removal to a purge. Each part goes on from the one before.
func TestPackage(t *testing.T) {
	dist := t.TempDir()
	first, second := built(t, dist, "0.1.0"), built(t, dist, "0.2.0", "KEEP_MANUAL=1")
	root := debian(t)
	fresh := &machine{root: root}
	install, upgrade, renew := handbook(t)
	fresh.put(t, first, "/var/tmp/first/"+filepath.Base(first))
	fresh.put(t, second, "/var/tmp/second/"+filepath.Base(second))
	within(t, root, "apt-get", "install", "-qy", "--download-only", "/var/tmp/first/"+filepath.Base(first))
	s := &story{machine: boot(t, root), all: t, toInstall: install, toUpgrade: upgrade, toRenew: renew}
	for _, part := range []struct {
		name string
		play func(*testing.T)
	}{
		{"install", s.install},
		{"init", s.configure},
		{"check", s.check},
		{"hostkeys", s.hostkeys},
		{"night", s.night},
		{"archive", s.archive},
		{"services", s.services},
		{"journal", s.journal},
		{"credentials", s.credentials},
		{"upgrade", s.upgrade},
		{"renew", s.renew},
		{"remove", s.remove},
		{"purge", s.purge},
	} {
		if !t.Run(part.name, part.play) {
			t.FailNow()
		}
	}
}

// story is what the parts know of one another.
type story struct {
	*machine

	all *testing.T // of which each part is one

	toInstall, toUpgrade, toRenew string // commands of the handbook

	mail   *smtplab.Server
	config string
	ports  string
}

// install: apt brings what the package needs, and nothing begins by itself.
func (s *story) install(t *testing.T) { //nolint:thelper // a part of the test
	out := s.run(t, "sh", "-euc", "cd /var/tmp/first\n"+s.toInstall)
	if !strings.Contains(out, "next, write the config and choose when it scans: ownmap init") {
		t.Errorf("nobody is told what comes next:\n%s", out)
	}
	if text := s.run(t, "ownmap", "version"); text != "ownmap 0.1.0\n" {
		t.Errorf("version: %q", text)
	}
	if text := s.run(t, "stat", "-c", "%U:%G %a", "/etc/ownmap", "/var/lib/ownmap"); text != "root:ownmap 750\nownmap:ownmap 750\n" {
		t.Errorf("directories: %s", text)
	}
	units := s.run(t, "systemctl", "list-units", "--all", "--no-legend", "ownmap*")
	if strings.TrimSpace(units) != "" {
		t.Errorf("something has begun: %s", units)
	}
	for _, unit := range []string{"ownmap.timer", "ownmap-web.service", "ownmap-db.service"} {
		if text, _ := s.try("systemctl", "is-enabled", unit); strings.TrimSpace(text) != "disabled" {
			t.Errorf("%s is %s", unit, text)
		}
	}
	for _, path := range []string{"/usr/share/man/man1/ownmap-init.1.gz", "/usr/share/man/man5/ownmap.yaml.5.gz", "/usr/share/bash-completion/completions/ownmap"} {
		if _, err := os.Stat(filepath.Join(s.root, path)); err != nil {
			// Debian's smallest variant leaves out manuals (path-exclude of dpkg).
			t.Error(err)
		}
	}
}

// configure: init writes a config for the service, and switches on the timer.
func (s *story) configure(t *testing.T) { //nolint:thelper // a part of the test
	if err := s.inside(func() error {
		s.mail = smtplab.Start(s.all, smtplab.Options{Plain: true, Mechanisms: []string{"PLAIN"}, User: "ownmap", Password: "secret"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"ownmap", "init", "--yes", "--target", "127.0.0.1", "--organisation", "Example Ltd", "--mail-host", "127.0.0.1:" + strconv.Itoa(s.mail.Port), "--mail-tls", "none",
		"--mail-user", "ownmap", "--mail-password-file", "/etc/ownmap/smtp", "--mail-from", "ownmap@example.org", "--mail-to", "ops@example.org",
	}
	// As root writes it: the service could not read it, though the one who calls init can.
	s.run(t, "sh", "-euc", "umask 077; echo secret >/etc/ownmap/smtp")
	const remedy = "chown root:ownmap /etc/ownmap/smtp && chmod 640 /etc/ownmap/smtp"
	if out, err := s.try(args...); err == nil || !strings.Contains(out, "FAIL  mail    user ownmap, whom the units run as, cannot read /etc/ownmap/smtp: `"+remedy+"`") {
		t.Errorf("a password that the service cannot read: %v\n%s", err, out)
	}
	if out, err := s.try("ownmap", "check"); err == nil || !strings.Contains(out, "let user ownmap read the file") {
		t.Errorf("checked as the service: %v\n%s", err, out)
	}
	s.run(t, "sh", "-euc", remedy+"; rm /etc/ownmap/ownmap.yaml")
	out := s.run(t, append(args, "--timer")...)
	for _, want := range []string{"wrote /etc/ownmap/ownmap.yaml", "ok    mail", "ok    units   ownmap.timer, ownmap-deliver.timer", "next: `systemctl start ownmap` scans now"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	// Backups where the handbook has them: in the unit nothing else can be written to.
	s.run(t, "sh", "-euc", "echo 'backup: {dir: /var/lib/ownmap/backups, keep: 14}' >>/etc/ownmap/ownmap.yaml")
	if text := s.run(t, "stat", "-c", "%U:%G %a", "/etc/ownmap/ownmap.yaml"); text != "root:ownmap 640\n" {
		t.Errorf("the config: %s", text)
	}
	if text := s.run(t, "systemctl", "is-active", "ownmap.timer", "ownmap-deliver.timer"); text != "active\nactive\n" {
		t.Errorf("the timers are %s", text)
	}
	s.config = s.run(t, "cat", "/etc/ownmap/ownmap.yaml")
}

// check: what a run needs is there; root is told how to ask.
func (s *story) check(t *testing.T) { //nolint:thelper // a part of the test
	out := s.ownmap(t, "check")
	for _, want := range []string{"ok    config     /etc/ownmap/ownmap.yaml", "ok    database   private PostgreSQL in /var/lib/ownmap", "systemd's ownmap.timer begins the runs, next at"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	// Root's call is that of the user whose the state is, with raw sockets.
	if out := s.run(t, "ownmap", "check"); !strings.Contains(out, "SYN and UDP scan") {
		t.Errorf("as root:\n%s", out)
	}
	if out := s.run(t, "find", "/var/lib/ownmap", "-user", "root"); out != "" {
		t.Errorf("root's:\n%s", out)
	}
	s.run(t, "sh", "-euc", "umask 077; echo '<nmaprun/>' >/root/scan.xml")
	if out, err := s.try("ownmap", "import", "/root/scan.xml"); err == nil || !strings.Contains(out, "hint: this is done as user ownmap") {
		t.Errorf("a file that only root can read: %v\n%s", err, out)
	}
}

// hostkeys: what root accepts is written where the service may write, by the config that init
// writes.
func (s *story) hostkeys(t *testing.T) { //nolint:thelper // a part of the test
	s.sshd(t, "127.0.0.2:22")
	s.run(t, "ownmap", "init", "--yes", "--dir", "/etc/ownmap/inside", "--target", "127.0.0.2", "--ssh-user", "audit")
	out := s.run(t, "ownmap", "--config", "/etc/ownmap/inside/ownmap.yaml", "hostkeys", "accept", "127.0.0.2")
	if !strings.Contains(out, "accepted into /var/lib/ownmap/known_hosts") {
		t.Errorf("it says:\n%s", out)
	}
	if text := s.run(t, "stat", "-c", "%U %a", "/var/lib/ownmap/known_hosts", "/etc/ownmap/inside/id_ed25519"); text != "ownmap 600\nownmap 600\n" {
		t.Errorf("the files: %s", text)
	}
	s.run(t, "sed", "-i", "s|known_hosts: .*|known_hosts: /etc/ownmap/known_hosts|", "/etc/ownmap/inside/ownmap.yaml")
	out, err := s.try("ownmap", "--config", "/etc/ownmap/inside/ownmap.yaml", "hostkeys", "accept", "127.0.0.2")
	if err == nil || !strings.Contains(out, "user ownmap has no right to write in /etc/ownmap") || !strings.Contains(out, "such as the state directory") {
		t.Errorf("known_hosts where only root writes: %v\n%s", err, out)
	}
}

// night: the unit scans as its user, with raw sockets and little else, and a mail arrives.
func (s *story) night(t *testing.T) { //nolint:thelper // a part of the test
	s.listen(t, "127.0.0.1:8022", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
	s.run(t, "systemctl", "start", "ownmap.service")
	s.ports = s.ownmap(t, "ports", "--json")
	var ports []struct {
		Port    int
		Service string
	}
	if err := json.Unmarshal([]byte(s.ports), &ports); err != nil || !strings.Contains(s.ports, `"port": 8022`) && !strings.Contains(s.ports, `"port":8022`) {
		t.Errorf("the listener was not found: %v\n%s", err, s.ports)
	}
	if xml := s.ownmap(t, "report", "--format", "nmap"); !strings.Contains(xml, `type="syn"`) {
		t.Errorf("it was no SYN scan:\n%.600s", xml)
	}
	letters := s.mail.Messages()
	if len(letters) != 1 || letters[0].From != "ownmap@example.org" || letters[0].User != "ownmap" || !bytes.Contains(letters[0].Data, []byte("Baseline: 2 ports await approval, 1 of 1 host answered")) {
		t.Errorf("%d mails", len(letters))
		for _, letter := range letters {
			t.Errorf("from %s to %q: %.4000s", letter.From, letter.To, letter.Data)
		}
	}
	if text := s.run(t, "find", "/var/lib/ownmap/backups", "-name", "*.dump", "-printf", "%u %m\n"); text != "ownmap 600\n" {
		t.Errorf("backups: %s", text)
	}
	// The database has a unit of its own, and outlives the run.
	if text := s.run(t, "systemctl", "is-active", "ownmap-db.service"); text != "active\n" {
		t.Errorf("the database is %s", text)
	}
	if out := s.run(t, "systemctl", "show", "ownmap.service", "--property=Result,ExecMainStatus"); out != "Result=success\nExecMainStatus=0\n" && out != "ExecMainStatus=0\nResult=success\n" {
		t.Errorf("the unit: %s", out)
	}
}

// archive: it opens in a browser.
func (s *story) archive(t *testing.T) { //nolint:thelper // a part of the test
	page := browser.Start(t).Open(t, "file://"+filepath.Join(s.root, "var/lib/ownmap/archive/index.html"), browser.View{})
	page.Says(t, "Example Ltd")
	page.Says(t, "Baseline")
}

// services: page and worker work behind what their units forbid.
func (s *story) services(t *testing.T) { //nolint:thelper // a part of the test
	s.run(t, "systemctl", "enable", "--now", "ownmap-web.service", "ownmap-worker@local.service")
	until(t, time.Minute, "the web page", func() error { return s.healthy(t) })
	s.ownmap(t, "run", "--queue")
	until(t, 2*time.Minute, "the worker does what is asked for", func() error {
		if out := s.ownmap(t, "runs", "--json"); strings.Count(out, `"done"`) < 2 {
			return errors.New(out)
		}
		return nil
	})
	s.run(t, "systemctl", "start", "ownmap-deliver.service")
	// Who decided is who called, also where the command went on as the service.
	s.run(t, "ownmap", "approve", "127.0.0.1", "8022/tcp", "--reason", "greets")
	if out := s.run(t, "ownmap", "audit"); !regexp.MustCompile(`(?m)\broot\b.*8022|8022.*\broot\b`).MatchString(out) {
		t.Errorf("root approved, and the audit says:\n%s", out)
	}
	for _, unit := range []string{"ownmap-web.service", "ownmap-worker@local.service", "ownmap-db.service"} {
		if text := s.run(t, "systemctl", "show", unit, "--property=ActiveState,NRestarts"); !strings.Contains(text, "ActiveState=active") || !strings.Contains(text, "NRestarts=0") {
			t.Errorf("%s: %s", unit, text)
		}
	}
	if out := s.run(t, "journalctl", "--no-pager", "-p", "warning", "-o", "cat", "-u", "ownmap*"); strings.Contains(out, "ownmap: ") || strings.Contains(out, "level=") {
		t.Errorf("warnings:\n%s", out)
	}
	s.run(t, "systemctl", "restart", "ownmap-db.service")
	until(t, time.Minute, "the web page, after the database was started anew", func() error { return s.healthy(t) })
}

// healthy asks the web page how it is.
func (s *story) healthy(t *testing.T) error {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
		err = s.inside(func() error { c, err = new(net.Dialer).DialContext(ctx, network, address); return err })
		return c, err
	}}}
	answer, err := client.Get("http://127.0.0.1:8480/healthz")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return nil
}

// journal: what is wrong is in the journal as an error, and what is not is not.
func (s *story) journal(t *testing.T) { //nolint:thelper // a part of the test
	path := filepath.Join(s.root, "etc/ownmap/ownmap.yaml")
	if err := os.WriteFile(path, []byte("targts: []\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if out, err := s.try("systemctl", "start", "ownmap.service"); err == nil {
		t.Errorf("a run with a wrong config: %s", out)
	}
	if err := os.WriteFile(path, []byte(s.config), 0o640); err != nil {
		t.Fatal(err)
	}
	out := s.run(t, "journalctl", "--no-pager", "-p", "err", "-o", "json", "--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER", "-u", "ownmap.service")
	if !strings.Contains(out, `"ownmap: error: /etc/ownmap/ownmap.yaml:1: unknown key`) || strings.Contains(out, "hint") {
		t.Errorf("errors in the journal:\n%s", out)
	}
	s.run(t, "systemctl", "reset-failed", "ownmap.service")
}

// credentials: a secret that only root can read reaches the units that need it, and a command by
// hand as the handbook calls it; the database's unit does without.
func (s *story) credentials(t *testing.T) { //nolint:thelper // a part of the test
	text, err := os.ReadFile("../../../docs/handbook.md")
	if err != nil {
		t.Fatal(err)
	}
	byHand := regexp.MustCompile("`(systemd-run [^`]*)`").FindSubmatch(text)
	if byHand == nil {
		t.Fatal("the handbook says no longer how a command by hand gets credentials")
	}
	s.run(t, "sh", "-euc", `
install -D -m 600 /etc/ownmap/smtp /etc/ownmap/credentials/smtp
sed -i 's|password_file: .*|password_file: ${CREDENTIALS_DIRECTORY}/smtp|' /etc/ownmap/ownmap.yaml
for unit in ownmap ownmap-deliver; do
	mkdir -p /etc/systemd/system/$unit.service.d
	printf '[Service]\nLoadCredential=smtp:/etc/ownmap/credentials/smtp\n' >/etc/systemd/system/$unit.service.d/override.conf
done
systemctl daemon-reload
systemctl restart ownmap-db.service
systemctl start ownmap.service ownmap-deliver.service`)
	if out := s.run(t, "systemctl", "show", "ownmap.service", "--property=ExecMainStatus"); out != "ExecMainStatus=0\n" {
		t.Errorf("the run: %s", out)
	}
	if out := s.run(t, "sh", "-euc", string(byHand[1])); !strings.Contains(out, "ok    channels") {
		t.Errorf("by hand:\n%s", out)
	}
	s.run(t, "sh", "-euc", "rm -r /etc/systemd/system/ownmap*.service.d; systemctl daemon-reload")
	if err := os.WriteFile(filepath.Join(s.root, "etc/ownmap/ownmap.yaml"), []byte(s.config), 0o640); err != nil {
		t.Fatal(err)
	}
}

// renew: the private database is made anew from a backup, as for another version of PostgreSQL.
func (s *story) renew(t *testing.T) { //nolint:thelper // a part of the test
	s.run(t, "sh", "-euc", s.toRenew)
	s.run(t, "test", "-d", "/var/lib/ownmap/pg.old/data")
	if text := s.ownmap(t, "ports", "--json"); text != s.ports {
		t.Errorf("the state became\n%s\nand was\n%s", text, s.ports)
	}
	until(t, time.Minute, "the web page", func() error { return s.healthy(t) })
}

// upgrade: config, state and what runs go on.
func (s *story) upgrade(t *testing.T) { //nolint:thelper // a part of the test
	pid := s.run(t, "systemctl", "show", "ownmap-web.service", "--property=MainPID")
	before := s.run(t, "runuser", "-u", "ownmap", "--", "ownmap", "ports", "--json")
	s.run(t, "sh", "-euc", "cd /var/tmp/second\n"+s.toUpgrade)
	if text := s.run(t, "ownmap", "version"); text != "ownmap 0.2.0\n" {
		t.Errorf("version: %q", text)
	}
	if s.run(t, "systemctl", "show", "ownmap-web.service", "--property=MainPID") == pid {
		t.Error("the web page is still the old one")
	}
	until(t, time.Minute, "the web page", func() error { return s.healthy(t) })
	s.run(t, "systemctl", "is-active", "ownmap.timer", "ownmap-db.service", "ownmap-worker@local.service")
	if text := s.run(t, "cat", "/etc/ownmap/ownmap.yaml"); text != s.config {
		t.Errorf("the config became\n%s", text)
	}
	if after := s.ownmap(t, "ports", "--json"); after != before {
		t.Errorf("the state became\n%s\nand was\n%s", after, before)
	}
	s.run(t, "systemctl", "start", "ownmap.service")
	s.ports = s.ownmap(t, "ports", "--json")
}

// remove: nothing runs any more, and all data stays.
func (s *story) remove(t *testing.T) { //nolint:thelper // a part of the test
	s.run(t, "apt-get", "remove", "-qy", "ownmap")
	if out, err := s.try("pgrep", "-u", "ownmap", "-l"); err == nil {
		t.Errorf("left running: %s", out)
	}
	if out := s.run(t, "systemctl", "list-units", "--no-legend", "ownmap*"); strings.TrimSpace(out) != "" {
		t.Errorf("units: %s", out)
	}
	if text := s.run(t, "cat", "/etc/ownmap/ownmap.yaml"); text != s.config {
		t.Errorf("the config became\n%s", text)
	}
	s.run(t, "sh", "-c", "apt-get install -qy /var/tmp/second/*.deb")
	if text := s.ownmap(t, "ports", "--json"); text != s.ports {
		t.Errorf("installed again, the state is\n%s\nand was\n%s", text, s.ports)
	}
	// So are the nights, and all else that was enabled.
	for _, unit := range []string{"ownmap.timer", "ownmap-deliver.timer", "ownmap-web.service", "ownmap-worker@local.service"} {
		enabled, _ := s.try("systemctl", "is-enabled", unit)
		active, _ := s.try("systemctl", "is-active", unit)
		if enabled+active != "enabled\nactive\n" {
			t.Errorf("installed again, %s is %s%s", unit, enabled, active)
		}
	}
}

// purge: nothing is asked, the config goes, and the state stays with whoever owns it.
func (s *story) purge(t *testing.T) { //nolint:thelper // a part of the test
	// Without -y apt would ask whether to go on; dpkg asks nothing but what the package does.
	out := s.run(t, "dpkg", "--purge", "ownmap")
	if regexp.MustCompile(`\[[yY]/[nN]\]|\?`).MatchString(out) || !strings.Contains(out, "the state is left in /var/lib/ownmap; to remove it: ") {
		t.Errorf("it says:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(s.root, "etc/ownmap")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the config is left: %v", err)
	}
	if out := s.run(t, "find", "/etc/systemd/system", "-name", "ownmap*"); out != "" {
		t.Errorf("links to units are left:\n%s", out)
	}
	if text := s.run(t, "stat", "-c", "%U %a", "/var/lib/ownmap", "/var/lib/ownmap/pg/data/PG_VERSION"); text != "ownmap 750\nownmap 600\n" {
		t.Errorf("the state: %s", text)
	}
}

// listen opens a port of the machine that greets.
func (s *story) listen(t *testing.T, address, banner string) {
	t.Helper()
	s.answer(t, address, func(c net.Conn) { _, _ = io.WriteString(c, banner) })
}

// sshd opens a port of the machine behind which somebody shows a host key.
func (s *story) sshd(t *testing.T, address string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	server := &ssh.ServerConfig{NoClientAuth: true}
	server.AddHostKey(key)
	s.answer(t, address, func(c net.Conn) { _, _, _, _ = ssh.NewServerConn(c, server) })
}

// answer opens a port of the machine.
func (s *story) answer(t *testing.T, address string, do func(net.Conn)) {
	t.Helper()
	var listener net.Listener
	if err := s.inside(func() (err error) { listener, err = net.Listen("tcp", address); return err }); err != nil {
		t.Fatal(err)
	}
	// Not with this part of the story, but with all of it: it is the process that ends it.
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { do(c); _ = c.Close() }()
		}
	}()
}
