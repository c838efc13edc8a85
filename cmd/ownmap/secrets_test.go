package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"ownmap/pipeline/lab/smtplab"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
)

// vault is an installation with a canary in every secret of its config.
type vault struct {
	instance
	database string            // as the test reaches it
	secrets  map[string]string // canaries by name
	found    *canaries
	parrot   *parrot
	files    []string // that hold secrets, and may
	byFile   bool     // the config names files, else variables of the environment
}

// secretKey is a secret of the config: the channel or section in which it stands, its key,
// and its value.
type secretKey struct{ section, key, value string }

// newVault makes an installation whose secrets come from files, or from the environment.
func newVault(t *testing.T, address string, byFile bool) *vault {
	t.Helper()
	v := &vault{secrets: map[string]string{}, parrot: newParrot(t), byFile: byFile}
	canary := func(name string) string {
		v.secrets[name] = "Kanarie" + name + rand.Text()[:6]
		return v.secrets[name]
	}
	password := canary("MailPassword") + `"+/%é`
	mail := smtplab.Start(t, smtplab.Options{
		Mechanisms: []string{"PLAIN"}, User: "ownmap", Password: password, Fault: v.mailFault(password),
	})
	v.database = filled.Database(t)
	i := newInstance(t, "")
	v.instance = i
	web := v.parrot.URL
	_, port, _ := strings.Cut(strings.TrimPrefix(web, "http://"), ":")
	keys := []secretKey{
		{"database", "url", withPassword(t, v.database, canary("DatabasePassword"))},
		{"ops-mail", "password", password},
		{"soc", "webhook_url", web + "/services/" + canary("SlackWebhook")},
		{"bot", "token", "xoxb-" + canary("SlackToken")},
		{"tickets", "url", web + "/tickets/" + canary("WebhookPath") + "?key=" + canary("WebhookQuery") + "%2F"},
		{"tickets", "secret", canary("WebhookSecret") + strings.Repeat("x", 24)},
		{"ntfy", "url", "ntfy://:" + canary("NtfyToken") + "@127.0.0.1:" + port + "/alerts?scheme=http"},
		{"gotify", "url", "gotify://127.0.0.1:" + port + "/A" + canary("GotifyToken")[:14] + "?disabletls=yes"},
		{"broken", "url", "gotify://127.0.0.1:" + port + "/short-" + canary("BrokenPath") + "?nonsense=" + canary("BrokenQuery")},
		{"watch", "heartbeat", web + "/ping/" + canary("Heartbeat")},
		{"oidc", "client_secret", canary("ClientSecret")},
	}
	v.secrets["PasswordHash"] = (canary("PasswordHash") + rand.Text() + rand.Text())[:53]
	hash := secretKey{"carol", "password_hash", "$2y$12$" + v.secrets["PasswordHash"]}
	v.env = append(v.env, v.variable(hash)+"="+hash.value) // which no file can hold
	canary("TypedPassword")
	v.secrets["GotifyToken"] = v.secrets["GotifyToken"][:14]
	dkim := v.dkim(t)
	for _, k := range keys {
		v.give(t, k)
	}
	config := os.Expand(vaultConfig, func(name string) string {
		if name == hash.section+"."+hash.key {
			return hash.key + `: "${` + v.variable(hash) + `}"`
		}
		for _, k := range keys {
			if name == k.section+"."+k.key {
				return v.line(k)
			}
		}
		return map[string]string{
			"address": address, "mail": strconv.Itoa(mail.Port), "ca": mail.CAFile(t), "dkim": dkim, "web": web, "dir": v.dir,
		}[name]
	})
	if err := os.WriteFile(filepath.Join(v.dir, "ownmap.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(v.dir, "spool"), 0o700); err != nil {
		t.Fatal(err)
	}
	v.found = newCanaries(v.secrets)
	return v
}

const vaultConfig = `
database: {${database.url}}
targets: [{hosts: ${address}, profile: few, ssh: {user: tester}}]
ssh: {timeout: 5s, confirm_after: 100ms}
profiles: {few: {ports: "22901-22904", services: false}}
channels:
  ops-mail: {type: email, host: 127.0.0.1, port: ${mail}, ca_file: ${ca}, user: ownmap, ${ops-mail.password}, from: ownmap@example.org, to: [ops@example.org], fallback: soc,
    dkim: {domain: example.org, selector: ownmap, key_file: ${dkim}}}
  soc: {type: slack, ${soc.webhook_url}, fallback: tickets}
  bot: {type: slack, ${bot.token}, channel: C024BE91L, pdf: true, api_url: "${web}/api/"}
  tickets: {type: webhook, ${tickets.url}, ${tickets.secret}}
  ntfy: {type: notify, ${ntfy.url}}
  gotify: {type: notify, ${gotify.url}}
  broken: {type: notify, ${broken.url}}
  spool: {type: file, dir: ${dir}/spool, format: json}
  lost: {type: file, dir: ${dir}/nowhere}
  events: {type: jsonl, path: ${dir}/events.jsonl}
metrics: {textfile: ${dir}/ownmap.prom}
watch: {wait: 1s, ${watch.heartbeat}}
web: {external_url: "https://ownmap.example.org/"}
auth:
  users: {carol: {${carol.password_hash}}}
  oidc: {issuer: "${web}/issuer", client_id: ownmap, ${oidc.client_secret}, allow: {domains: [example.org]}}
`

// mailFault has the mail server refuse, and repeat what it was told.
func (v *vault) mailFault(password string) func(smtplab.Ask) smtplab.Answer {
	return func(ask smtplab.Ask) smtplab.Answer {
		v.parrot.mu.Lock()
		mode := v.parrot.mode
		v.parrot.mu.Unlock()
		code := base64.StdEncoding.EncodeToString
		said := fmt.Sprintf("you said %s, %s and %s", password, code([]byte("\x00ownmap\x00"+password)), code([]byte(password)))
		switch {
		case mode == "401" && ask.Stage == smtplab.Auth:
			return smtplab.Answer{Code: 535, Text: said}
		case mode == "500" && ask.Stage == smtplab.Recipient:
			return smtplab.Answer{Code: 450, Text: said}
		case mode == "400" && ask.Stage == smtplab.Data:
			return smtplab.Answer{Code: 554, Text: said}
		case mode == "cut":
			return smtplab.Answer{Cut: true}
		}
		return smtplab.Answer{}
	}
}

// dkim makes a key, and looks for its text and for what it is.
func (v *vault) dkim(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	v.secrets["DKIMKey"] = string(key.Seed())
	file := filepath.Join(v.dir, "dkim.pem")
	v.files = append(v.files, file)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// withPassword adds a password to the address of a database that asks for none.
func withPassword(t *testing.T, address, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("password", password)
	u.RawQuery = query.Encode()
	return u.String()
}

// give puts a secret where the config takes it from.
func (v *vault) give(t *testing.T, k secretKey) {
	t.Helper()
	if !v.byFile {
		v.env = append(v.env, v.variable(k)+"="+k.value)
		return
	}
	v.files = append(v.files, v.file(k))
	if err := os.WriteFile(v.file(k), []byte(k.value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (v *vault) variable(k secretKey) string {
	return strings.ToUpper(strings.ReplaceAll("SECRET_"+k.section+"_"+k.key, "-", "_"))
}

func (v *vault) file(k secretKey) string {
	return filepath.Join(v.dir, "secret-"+k.section+"-"+k.key)
}

// line is a secret as the config has it.
func (v *vault) line(k secretKey) string {
	if v.byFile {
		return k.key + "_file: " + v.file(k)
	}
	return k.key + `: "${` + v.variable(k) + `}"`
}

// secretFields are the places of secrets in the config.
func secretFields(of reflect.Type, path string, visit func(path string)) {
	switch {
	case of == reflect.TypeFor[state.Secret]():
		visit(path)
	case of.Kind() == reflect.Struct:
		for f := range of.Fields() {
			if f.IsExported() {
				secretFields(f.Type, path+"."+f.Name, visit)
			}
		}
	case of.Kind() == reflect.Map, of.Kind() == reflect.Slice, of.Kind() == reflect.Pointer, of.Kind() == reflect.Array:
		secretFields(of.Elem(), path, visit)
	}
}

// heldSecrets are the places of a config that hold a secret.
func heldSecrets(value reflect.Value, path string, held map[string]bool) {
	switch kind := value.Kind(); { //nolint:staticcheck // a tagged one would have to name all kinds
	case kind == reflect.Struct:
		if secret, ok := value.Interface().(state.Secret); ok {
			held[path] = held[path] || !secret.IsZero()
			return
		}
		for i := range value.NumField() {
			if f := value.Type().Field(i); f.IsExported() {
				heldSecrets(value.Field(i), path+"."+f.Name, held)
			}
		}
	case kind == reflect.Map:
		for _, key := range value.MapKeys() {
			heldSecrets(value.MapIndex(key), path, held)
		}
	case kind == reflect.Slice, kind == reflect.Array:
		for i := range value.Len() {
			heldSecrets(value.Index(i), path, held)
		}
	case kind == reflect.Pointer:
		if !value.IsNil() {
			heldSecrets(value.Elem(), path, held)
		}
	}
}

// everySecret fails the test unless each place for a secret holds one.
func (v *vault) everySecret(t *testing.T) {
	t.Helper()
	env := v.environment()
	config, err := load.Read(filepath.Join(v.dir, "ownmap.yaml"), func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	held, places := map[string]bool{}, 0
	heldSecrets(reflect.ValueOf(config), "Config", held)
	secretFields(reflect.TypeFor[load.Config](), "Config", func(path string) {
		places++
		if !held[path] {
			t.Errorf("%s is a secret, and this test gives it none (by file: %v)", path, v.byFile)
		}
	})
	if places < 8 {
		t.Errorf("only %d places for secrets in a config", places)
	}
	for _, key := range slices.Sorted(maps.Keys(v.secrets)) {
		if len(v.secrets[key]) < 12 {
			t.Errorf("canary %s is short", key)
		}
	}
}

// patience is how long a command may take.
const patience = 30 * time.Second

// do calls a command at debug level, looks for secrets in what it says, and returns that.
func (v *vault) do(t *testing.T, want []int, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := v.command(ctx, append(slices.Clone(args), "--verbose")...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it says then where it hangs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Error(err)
		return ""
	}
	v.found.search(fmt.Sprintf("stdout of %v", args), []byte(out.String()))
	v.found.search(fmt.Sprintf("stderr of %v", args), []byte(errs.String()))
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(want, code) {
		t.Errorf("ownmap %v ends with %d, want one of %v: %s", args, code, want, &errs)
	}
	return out.String() + errs.String()
}

// within calls a command that uses no secret but the database's, without a process of its
// own, which takes longer than most commands.
func (v *vault) within(t *testing.T, args ...string) {
	t.Helper()
	env := v.environment()
	var said strings.Builder
	a := &app{stdin: strings.NewReader(v.secrets["TypedPassword"] + "\n"), stdout: &said, stderr: &said, now: time.Now, env: func(name string) string { return env[name] }}
	_ = a.main(t.Context(), append(slices.Clone(args), "--verbose"))
	if said.Len() == 0 && !slices.Contains(args, "--output") && !slices.Contains([]string{"cancel", "hostkeys", "site", "targets", "db"}, args[0]) {
		t.Errorf("ownmap %v says nothing", args)
	}
	v.found.search(fmt.Sprintf("what %v says", args), []byte(said.String()))
}

func (v *vault) environment() map[string]string {
	env := map[string]string{}
	for _, pair := range v.env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return env
}

// TestNoSecretLeaks puts a canary into every secret of the config, by the environment or
// by files, runs every command against servers that refuse and repeat what they got, and
// looks for the canaries in all that the program leaves behind.
func TestNoSecretLeaks(t *testing.T) {
	t.Parallel()
	for i, byFile := range []bool{false, true} {
		t.Run(map[bool]string{false: "environment", true: "files"}[byFile], func(t *testing.T) {
			t.Parallel()
			address := fmt.Sprintf("127.9.12.%d", 1+i)
			v := newVault(t, address, byFile)
			v.everySecret(t)
			open := newDoors(t, address+":22901", address+":22903")
			programs := v.found.watchProcesses(t)
			v.errors(t)
			open(address + ":22902")
			v.commands(t, address)
			if seen := programs(); !seen["nmap"] || !seen["ownmap"] {
				t.Errorf("no command line of nmap or ownmap was looked at: %v", slices.Sorted(maps.Keys(seen)))
			}
			v.found.database(t, v.database)
			v.found.files(t, v.dir, v.files...)
			v.received(t)
			for _, hit := range slices.Sorted(maps.Keys(v.found.hits)) {
				t.Error(hit)
			}
		})
	}
}

// errors has each channel fail in all ways.
func (v *vault) errors(t *testing.T) {
	t.Helper()
	modes := []string{"500", "cut", "401", "redirect", "garbage", "400"}
	if v.byFile {
		modes = []string{"500", "401"}
	}
	for _, mode := range modes {
		v.parrot.set(mode)
		said := v.do(t, []int{exitTrouble}, "notify", "test")
		if strings.Count(said, "FAIL") < 2 {
			t.Errorf("mode %s: the channels do not fail: %s", mode, said)
		}
		switch mode {
		case "500":
			v.do(t, []int{exitPartial}, "run")
		case "cut", "401", "400":
			v.do(t, []int{exitDone}, "deliveries", "retry", "--all")
			v.do(t, []int{exitPartial}, "deliveries", "send")
		}
	}
	v.parrot.mu.Lock()
	defer v.parrot.mu.Unlock()
	for _, service := range []string{"services", "api", "tickets", "alerts", "message", "ping"} {
		if v.parrot.calls[service] == 0 {
			t.Errorf("nobody called %s: %v", service, v.parrot.calls)
		}
	}
}

// received looks for secrets in what the servers got, but for each its own.
func (v *vault) received(t *testing.T) {
	t.Helper()
	v.parrot.mu.Lock()
	defer v.parrot.mu.Unlock()
	for _, body := range v.parrot.bodies {
		own := ""
		if strings.HasPrefix(body, "/api") {
			own = "SlackToken"
		}
		v.found.search("a message", []byte(body), own)
	}
}

// newDoors listens on some addresses, and on others later.
func newDoors(t *testing.T, addresses ...string) (open func(string)) {
	t.Helper()
	var d doors
	t.Cleanup(d.closeAll)
	open = func(address string) {
		if err := d.add(address, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range addresses {
		open(address)
	}
	return open
}

// calls are how each command is called, by its path: exit codes, and arguments behind it.
func calls(dir, address string) map[string][][]string {
	both := func(args ...string) []string { return args }
	list := filepath.Join(dir, "list")
	m := map[string][][]string{
		"ownmap":        {{}},
		"ownmap run":    {both("--no-deliver", "--json"), both("--queue")},
		"ownmap cancel": {{}}, "ownmap status": {both(), both("--json")}, "ownmap runs": {both(), both("--json")},
		"ownmap show": {both(), both("--json"), both("nonsense")}, "ownmap ports": {{}}, "ownmap host": {both(address)},
		"ownmap diff":    {both("1", "last")},
		"ownmap approve": {both(address, "22901/tcp", "--reason", "known")}, "ownmap revoke": {both(address, "22901/tcp")}, "ownmap audit": {{}},
		"ownmap targets": {{}}, "ownmap targets list": {both("--json")}, "ownmap targets add": {both("127.9.12.9")}, "ownmap targets remove": {both("127.9.12.9")},
		"ownmap targets export": {{}}, "ownmap targets import": {both(list)},
		"ownmap hostkeys": {{}}, "ownmap hostkeys scan": {{}}, "ownmap hostkeys accept": {both("--all")}, "ownmap hostkeys recipe": {both("--key", filepath.Join(dir, "key.pub"))},
		"ownmap snooze": {both(address, "--until", "1d", "--reason", "moves")}, "ownmap snooze list": {both("--json")}, "ownmap snooze end": {both(address)},
		"ownmap deliveries": {{}}, "ownmap deliveries list": {both("--sent", "99"), both("--json", "--sent", "99")}, "ownmap deliveries send": {{}},
		"ownmap deliveries retry": {both("--all")}, "ownmap deliveries drop": {both("--all")},
		"ownmap notify": {{}}, "ownmap notify test": {both(), both("nonsense")},
		"ownmap site": {{}}, "ownmap site build": {{}}, "ownmap site prune": {both("--keep-runs", "1")},
		"ownmap check": {both(), both("--route", address)}, "ownmap config": {{}}, "ownmap config show": {{}},
		"ownmap db": {{}}, "ownmap db migrate": {{}}, "ownmap version": {{}}, "ownmap db serve": {{}}, "ownmap db prune": {both("--dry-run")},
		"ownmap db backup": {both(filepath.Join(dir, "backup.dump"))}, "ownmap db restore": {both(filepath.Join(dir, "nothing.dump")), both(filepath.Join(dir, "backup.dump"))},
		"ownmap verify": {both(), both("--json")}, "ownmap import": {both(list)}, "ownmap export": {{}, both("--format", "json")},
		"ownmap init": {both("--yes", "--dir", filepath.Join(dir, "first"))}, "ownmap docs": {{}}, "ownmap docs reference": {{}}, "ownmap docs man": {both(filepath.Join(dir, "manual"))},
		"ownmap help": {both("run")}, "ownmap completion": {{}}, "ownmap completion bash": {{}}, "ownmap completion zsh": {{}}, "ownmap completion fish": {{}}, "ownmap completion powershell": {{}},
		"ownmap keys": {{}}, "ownmap keys list": {both(), both("--json")}, "ownmap keys rotate": {{}}, "ownmap keys revoke": {both("--all"), both("--to", "ops@example.org")},
		"ownmap passwd": {both("bob"), both("bob", "--disable"), both("carol")}, "ownmap users": {both(), both("--json")},
		"ownmap tokens": {{}}, "ownmap tokens list": {both(), both("--json")}, "ownmap tokens create": {both("dashboard")}, "ownmap tokens revoke": {both("dashboard"), both("nothing")},
		"ownmap targets test": {both(address), both("127.9.12.9")},
		"ownmap worker":       nil, "ownmap serve": nil, // which do not end by themselves
	}
	for _, format := range []string{"text", "html", "pdf", "eml", "short", "markdown", "json", "csv", "nmap", "ndiff"} {
		m["ownmap report"] = append(m["ownmap report"], both("--format", format, "--output", filepath.Join(dir, "report."+format)))
	}
	return m
}

// commands runs every command there is.
func (v *vault) commands(t *testing.T, address string) {
	t.Helper()
	for name, text := range map[string]string{"list": "127.9.12.10\n", "key.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n"} {
		if err := os.WriteFile(filepath.Join(v.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	how, order := calls(v.dir, address), []string{}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		order = append(order, cmd.CommandPath())
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	root := (&app{env: os.Getenv, now: time.Now}).rootCommand()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("x")
	walk(root)
	slices.SortStableFunc(order, func(a, b string) int { // a run first: others look at what it left
		return strings.Compare(strings.Replace(a, "ownmap run", "ownmap", 1), strings.Replace(b, "ownmap run", "ownmap", 1))
	})
	v.parrot.set("500")
	v.until(t, "takes shards", func(string) { <-time.After(time.Second) }, "worker") // in which it sends messages
	v.until(t, "the web page is at ", func(line string) { v.visit(t, regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(line)) }, "serve", "--listen", "127.0.0.1:0", "--no-worker")
	var work sync.WaitGroup
	queue := make(chan []string)
	for range 2 {
		work.Go(func() {
			for args := range queue {
				if len(args) > 0 && slices.Contains([]string{"run", "check", "notify", "deliveries", "config", "status"}, args[0]) {
					v.do(t, []int{exitDone, exitDifferent, exitTrouble, exitPartial, exitLocked}, args...)
				} else {
					v.within(t, args...)
				}
			}
		})
	}
	for _, path := range order {
		ways, known := how[path]
		if !known {
			t.Errorf("this test does not know how to call %q", path)
		}
		if v.byFile && !slices.Contains([]string{"ownmap run", "ownmap check", "ownmap config show", "ownmap status"}, path) {
			continue // once a file is read, it is a secret as any other
		}
		if v.byFile {
			ways = ways[:1]
		}
		for _, args := range ways {
			queue <- append(strings.Fields(path)[1:], args...)
		}
	}
	close(queue)
	work.Wait()
}

// TestNoSecretInComplaints holds that what is said of a config that is wrong repeats no
// secret of it.
func TestNoSecretInComplaints(t *testing.T) {
	t.Parallel()
	const canary = "KanarieInTheWrongPlace"
	found := newCanaries(map[string]string{"the secret": canary})
	dir := t.TempDir()
	file := filepath.Join(dir, "ownmap.yaml")
	for name, text := range map[string]string{"two-lines": canary + "\n" + canary, "key": "-----BEGIN " + canary + "-----\n" + canary} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mail := "channels: {a: {type: email, host: 127.0.0.1, from: a@example.org, to: [a@example.org], "
	for _, config := range []string{
		`database: {url: "mysql://u:` + canary + `@h/d"}`, `database: {url: "postgres://u:` + canary + `@h:port/d%zz"}`, `database: {url: "` + canary + `"}`,
		`database: {url: "postgres://u:` + canary + `@127.0.0.1:1/d"}`, `database: {url_file: ` + dir + `/two-lines}`, `database: {url: [` + canary + `]}`, `database: {url: {a: ` + canary + `}}`,
		mail + `user: u, password: [` + canary + `]}}`, mail + `password: ` + canary + `}}`, mail + `user: u, password: "${` + canary + `"}}`,
		mail + `dkim: {domain: example.org, selector: a, key_file: ` + dir + `/key}}}`,
		`channels: {a: {type: slack, webhook_url: "` + canary + `"}}`, `channels: {a: {type: slack, webhook_url: "ftp://h/` + canary + `%zz"}}`,
		`channels: {a: {type: slack, token: "x ` + canary + `", channel: C024BE91L}}`, `channels: {a: {type: slack, token: "` + canary + `"}}`,
		`channels: {a: {type: webhook, url: "` + canary + `:// %zz", secret: whsec_` + canary + `!}}`, `channels: {a: {type: webhook, url: "https://h/` + canary + `"}}`,
		`channels: {a: {type: notify, url: "` + canary + `"}}`, `channels: {a: {type: notify, url: "ntfy://:` + canary + `@exa mple/%zz"}}`, `channels: {a: {type: notify, url_file: ` + dir + `/two-lines}}`,
		`watch: {heartbeat: "` + canary + `"}`, `watch: {heartbeat: "http://h%zz/` + canary + `"}`, `watch: {heartbeat: [` + canary + `]}`,
	} {
		if !strings.HasPrefix(config, "database") {
			config = "database: {url: 'postgres://127.0.0.1:1/none'}\n" + config // reached by nobody
		}
		if err := os.WriteFile(file, []byte(config+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"check", "config", "status"} {
			var said strings.Builder
			a := &app{stdin: strings.NewReader(""), stdout: &said, stderr: &said, now: time.Now, env: func(name string) string {
				return map[string]string{"OWNMAP_CONFIG": file, "STATE_DIRECTORY": dir + "/state"}[name]
			}}
			args := []string{command, "--verbose"}
			if command == "config" {
				args = append(args, "show")
			}
			_ = a.main(t.Context(), args)
			if said.Len() == 0 {
				t.Errorf("%s says nothing of %s", command, config)
			}
			found.search(command+" of "+config[:30], []byte(said.String()))
		}
	}
	for _, hit := range slices.Sorted(maps.Keys(found.hits)) {
		t.Error(hit)
	}
}

// until runs a command that does not end by itself until it says something, has somebody
// do something then, and looks for secrets in all that it says.
func (v *vault) until(t *testing.T, says string, then func(line string), args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := v.command(ctx, append(args, "--verbose")...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	works := make(chan string, 1)
	var done sync.WaitGroup
	done.Go(func() {
		select {
		case line := <-works:
			then(line)
		case <-ctx.Done():
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
	})
	seen := false
	for lines := bufio.NewScanner(said); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		if !seen && strings.Contains(lines.Text(), says) {
			seen = true
			works <- lines.Text()
		}
	}
	done.Wait()
	_ = cmd.Wait()
	if !seen {
		t.Errorf("%v does not work: %s", args, &all)
	}
	v.found.search(fmt.Sprintf("what %v says", args), []byte(all.String()))
}

// visit signs in to the page in ways that fail, and looks for secrets in what it answers.
func (v *vault) visit(t *testing.T, page string) {
	t.Helper()
	for _, path := range []string{"/login", "/oidc/start", "/oidc/callback?code=x&state=y", "/settings", "/healthz"} {
		response, err := http.Get(page + path)
		if err != nil {
			t.Error(err)
			continue
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		v.found.search("the page "+path, body)
	}
	response, err := http.PostForm(page+"/login", url.Values{"name": {"carol"}, "password": {v.secrets["TypedPassword"]}})
	if err != nil {
		t.Error(err)
		return
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d %s", response.StatusCode, body)
	}
	v.found.search("the page after a wrong password", body)
}
