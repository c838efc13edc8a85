package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	_ "embed" // the config that is written
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"text/template"

	"golang.org/x/crypto/ssh"

	"ownmap/pipeline/load"
)

//go:embed init.yaml
var initYAML string

// write writes the config, and the secrets that belong to it. The config is read before it
// gets its name: one that OwnMap would refuse never does.
func (o *initOptions) write(path string, env func(string) string) error {
	if err := os.MkdirAll(o.dir, 0o750); err != nil {
		return fmt.Errorf("%w; name another directory with --dir", err)
	}
	owner := serviceUser()
	if o.password != "" {
		if err := writeSecret(o.MailPasswordFile, []byte(o.password+"\n"), owner); err != nil {
			return err
		}
	}
	if o.SSHUser != "" {
		if err := makeKey(o.SSHKey, owner); err != nil {
			return err
		}
	}
	text, err := o.render()
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(o.dir, ".ownmap-*.yaml")
	if err != nil {
		return fmt.Errorf("%w; call it as a user who may write there, or name another directory with --dir", err)
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.Write(text)
	if err := errors.Join(err, temporary.Chmod(0o640), owner.give(temporary, 0), temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if _, err := load.Read(temporary.Name(), env); err != nil {
		return err
	}
	if o.force {
		if err := os.Rename(path, path+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	// A link takes the name of nobody: a config that came there meanwhile stays.
	if err := os.Link(temporary.Name(), path); err != nil {
		return fmt.Errorf("write the config: %w", err)
	}
	return nil
}

func (o *initOptions) render() ([]byte, error) {
	page, err := template.New("ownmap.yaml").Funcs(template.FuncMap{"quote": quoteYAML}).Parse(initYAML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, o.answers)
	return b.Bytes(), err
}

// quoteYAML writes a text as YAML: its double quotes take whatever JSON's do.
func quoteYAML(text string) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return string(bytes.TrimSpace(b.Bytes())), err
}

// account is who OwnMap runs as, where packages made a user for it; -1: whoever calls.
type account struct{ uid, gid int }

// serviceUser returns the user ownmap to root, who writes for it, and nobody to others.
func serviceUser() account {
	if os.Geteuid() != 0 {
		return account{-1, -1}
	}
	u, err := user.Lookup("ownmap")
	if err != nil {
		return account{-1, -1}
	}
	uid, errUID := strconv.Atoi(u.Uid)
	gid, errGID := strconv.Atoi(u.Gid)
	if errUID != nil || errGID != nil {
		return account{-1, -1}
	}
	return account{uid, gid}
}

// give hands a file to the group of the service, and to the given user.
func (s account) give(file *os.File, uid int) error {
	if s.gid < 0 {
		return nil
	}
	return file.Chown(uid, s.gid)
}

// writeSecret writes a file that only OwnMap can read. One that is there is replaced.
func writeSecret(path string, text []byte, owner account) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".ownmap-*")
	if err != nil {
		return fmt.Errorf("%w; call it as a user who may write there", err)
	}
	_, err = file.Write(text) // its mode is 0600 from the beginning
	if err := errors.Join(err, owner.give(file, owner.uid), file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), path)
}

// makeKey makes a pair of SSH keys, unless the private one is there.
func makeKey(path string, owner account) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "ownmap")
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	line := append(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key)), []byte(" ownmap\n")...)
	if err := writeSecret(path, pem.EncodeToMemory(block), owner); err != nil {
		return err
	}
	return os.WriteFile(path+".pub", line, 0o644) //nolint:gosec // a public key
}
