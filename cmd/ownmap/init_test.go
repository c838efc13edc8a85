package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/lab/sshlab"
)

// dialog is a program at a real terminal, and what it showed.
type dialog struct {
	t     *testing.T
	tty   *os.File
	shown bytes.Buffer
	cmd   *exec.Cmd
}

func talk(t *testing.T, args ...string) *dialog {
	t.Helper()
	cmd := exec.Command("ownmap", args...)
	cmd.Env = append(os.Environ(), "TERM=dumb")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return &dialog{t: t, tty: tty, cmd: cmd}
}

// asks waits for a question and answers it.
func (d *dialog) asks(question, answer string) {
	d.t.Helper()
	begin := d.shown.Len()
	_ = d.tty.SetReadDeadline(time.Now().Add(time.Minute))
	for !strings.Contains(d.shown.String()[begin:], question) {
		if _, err := io.CopyN(&d.shown, d.tty, 1); err != nil {
			d.t.Fatalf("%q is not asked: %v\n%s", question, err, d.shown.String())
		}
	}
	if question == secretly {
		d.hides()
	}
	if _, err := d.tty.WriteString(answer + "\n"); err != nil {
		d.t.Fatal(err)
	}
}

// secretly is the question whose answer the terminal does not show.
const secretly = "Password: "

// hides waits until the terminal shows no longer what is typed: this test types faster than
// any person.
func (d *dialog) hides() {
	d.t.Helper()
	tty, err := d.tty.SyscallConn()
	if err != nil {
		d.t.Fatal(err)
	}
	for hidden, end := false, time.Now().Add(time.Minute); !hidden; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("the terminal shows what is typed:\n%s", d.shown.String())
		}
		err := tty.Control(func(fd uintptr) {
			state, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
			hidden = err == nil && state.Lflag&unix.ECHO == 0
		})
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// ends waits for the end and returns all that was shown.
func (d *dialog) ends(code int) string {
	d.t.Helper()
	_, _ = io.Copy(&d.shown, d.tty) // ends with EIO when the program does
	_ = d.cmd.Wait()
	if got := d.cmd.ProcessState.ExitCode(); got != code {
		d.t.Errorf("exit code %d, want %d", got, code)
	}
	return strings.ReplaceAll(d.shown.String(), "\r", "")
}

// At a terminal init asks until an answer is good, shows no password, sends a mail, and writes
// a config that OwnMap takes.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	server := smtplab.Start(t, smtplab.Options{Plain: true, Mechanisms: []string{"PLAIN"}, User: "ownmap", Password: "s3cret of the mail"})
	dir := filepath.Join(t.TempDir(), "etc")
	d := talk(t, "init", "--dir", dir, "--mail-tls", "none")
	d.asks("Which hosts are yours to scan? Addresses, prefixes, ranges, names [127.0.0.1 ::1]: ", "10.20.0.0/24, -oN")
	d.asks("-oN", "10.20.0.0/24, web.example.org")
	d.asks("Name of your organisation, or nothing: ", "Example Ltd")
	d.asks("Mail server that takes reports", "127.0.0.1:"+strconv.Itoa(server.Port))
	d.asks("Mails come from: ", "ownmap@example.org")
	d.asks("Mails go to: ", "ops")
	d.asks("is no mail address", "ops@example.org soc@example.org")
	d.asks("User to log in to the mail server as", "ownmap")
	d.asks(secretly, "s3cret of the mail")
	d.asks("Send a test mail when the config is written? [Y/n]: ", "")
	d.asks("User to log in to these hosts as", "")
	shown := d.ends(0)
	holds(t, "the terminal", shown, "wrote "+dir+"/ownmap.yaml", "ok    mail    127.0.0.1 takes mail from ownmap@example.org")
	lacks(t, "the terminal", shown, "s3cret")
	for name, mode := range map[string]os.FileMode{"smtp": 0o600, "ownmap.yaml": 0o640} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want mode %v", name, info, err, mode)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "ownmap.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	holds(t, "the config", string(text), `"10.20.0.0/24"`, `"web.example.org"`, `"Example Ltd"`, `password_file: "`+dir+`/smtp"`)
	lacks(t, "the config", string(text), "s3cret")
	if letters := server.Messages(); len(letters) != 2 || letters[0].User != "ownmap" || !bytes.Contains(letters[0].Data, []byte("Test message of OwnMap")) {
		t.Errorf("%d mails arrived: %+v", len(letters), letters)
	}
}

// Who leaves at a question leaves nothing behind.
func TestInitLeft(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "etc")
	d := talk(t, "init", "--dir", dir)
	d.asks("Which hosts", "")
	d.asks("organisation", "\x04") // Ctrl-D
	holds(t, "the terminal", d.ends(2), "no answer: nothing was written")
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was written")
	}
}

// Init tries the login on a host, and says what is to be done where that fails.
func TestInitLogsIn(t *testing.T) {
	t.Parallel()
	f := sshlab.Start(t, sshlab.Options{Sudo: true})
	host, dir := f.Hosts[0].Address.String(), t.TempDir()
	i := newInstance(t, "")
	args := []string{"init", "--dir", dir, "--target", host, "--ssh-user", sshlab.User, "--ssh-key", f.KeyFile, "--ssh-test", host, "--force"}
	call := func(want int, args ...string) string {
		t.Helper()
		out, stderr, code := i.call(t, args...)
		if code != want {
			t.Errorf("ownmap %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out, stderr)
		}
		return out
	}
	holds(t, "a host whose key nobody knows", call(2, args...), "FAIL  ssh ", "SSH host key unknown: `ownmap hostkeys scan "+host+"`")
	known, err := os.ReadFile(f.KnownHosts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "known_hosts"), known, 0o600); err != nil {
		t.Fatal(err)
	}
	holds(t, "a host that lets it in", call(0, args...), "ok    ssh     "+host+" lets it in, as root")
	args[6] = "nobody-there"
	holds(t, "a host that does not know the user", call(2, args...), "FAIL  ssh ", "SSH login refused", "ownmap hostkeys recipe --key "+f.KeyFile+".pub")
	args[4] = "10.255.0.1"
	holds(t, "a host that is no target", call(2, args...), "FAIL  ssh ", host)
}
