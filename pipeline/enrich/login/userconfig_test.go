package login

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// home makes a home directory with these files in ~/.ssh.
func home(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, ".ssh", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// TestUserConfig reads a config with all that people write into theirs, a Match that
// would run something among it.
func TestUserConfig(t *testing.T) {
	t.Parallel()
	dir := home(t, map[string]string{
		"conf.d/a.conf": "Host included\n  Port 2201\n",
		"conf.d/b.conf": "Host *.example.org\n  UserKnownHostsFile ~/.ssh/kh1 \"%d/k h2\"\n",
	})
	trap := filepath.Join(dir, "ran")
	config := `# comment
Include conf.d/*.conf
Match exec "touch ` + trap + `"
  User wrong
Match final
  User wrong
Match canonical host web*
  User wrong
Host web !web9 other
  HostName %h.example.org
  User=web
  Port = 2222
  IdentityFile ~/.ssh/id_%r_%h
  IdentityFile "%d/second key"
  ProxyJump admin@bastion:2200,inner
  UnknownKeyword yes
Host web
  User second
Match originalhost web8 user deploy
  Port 2208
Match host WEB7.* localuser me
  HostKeyAlias alias7
Host web7
  HostName web7.example.org
Host nojump
  ProxyJump none
Host *
  User everybody
`
	if err := os.WriteFile(filepath.Join(dir, ".ssh", "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := readUserConfig(dir, "me")
	if err != nil {
		t.Fatal(err)
	}
	look := func(host, user string) hostConfig {
		t.Helper()
		h, err := c.lookUp(host, user)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	web := look("web", "")
	if web.hostName != "web.example.org" || web.user != "web" || web.port != 2222 || strings.Join(web.jump, " ") != "admin@bastion:2200 inner" {
		t.Errorf("web: %+v", web)
	}
	if want := dir + "/.ssh/id_web_web.example.org " + dir + "/second key"; strings.Join(web.keyFiles, " ") != want {
		t.Errorf("identity files %v, want %s", web.keyFiles, want)
	}
	if h := look("web9", ""); h.user != "everybody" || h.port != 0 {
		t.Errorf("a negated pattern: %+v", h)
	}
	if h := look("included", ""); h.port != 2201 {
		t.Errorf("an included file: %+v", h)
	}
	if h := look("a.example.org", ""); len(h.knownHosts) != 2 || h.knownHosts[1] != dir+"/k h2" {
		t.Errorf("known hosts: %+v", h)
	}
	if h := look("web8", "deploy"); h.port != 2208 || h.user != "deploy" {
		t.Errorf("match by user: %+v", h)
	}
	if h := look("web7.example.org", ""); h.alias != "alias7" {
		t.Errorf("match by host: %+v", h)
	}
	if h := look("nojump", ""); h.jump == nil || len(h.jump) != 0 {
		t.Errorf("no jump: %+v", h)
	}
	if _, err := os.Stat(trap); err == nil {
		t.Error("Match exec was run")
	}
	for text, want := range map[string]string{
		"Host a\n Port abc\n":             "config:2: port \"abc\"",
		"Host a\n ProxyCommand nc %h\n":   "ProxyCommand is never run",
		"Host \"a\n":                      "config:1: a quote is not closed",
		"Include " + dir + "/.ssh/config": "include one another",
	} {
		if err := os.WriteFile(filepath.Join(dir, ".ssh", "config"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := readUserConfig(dir, "me")
		if err == nil {
			_, err = c.lookUp("a", "")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzUserConfig(f *testing.F) {
	f.Add("Host web !web9\n HostName %h.example.org\nMatch exec \"x\"\n User=y\n")
	f.Add("Match host [a user ?*\nIdentityFile \"a b\" # c\nProxyJump a,b\n")
	dir := home(f, map[string]string{"config": ""})
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "include") {
			return // it would read files
		}
		c := &userConfig{home: dir, user: "me", blocks: []configBlock{{}}}
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.read(file, 0, nil); err != nil {
			return
		}
		h, err := c.lookUp("web", "")
		if err == nil && len(h.keyFiles)+len(h.knownHosts)+len(h.jump) > len(text)+1 {
			t.Fatalf("more than the text says: %+v", h)
		}
	})
}
