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
	"path/filepath"
	"text/template"
	"time"

	"golang.org/x/crypto/ssh"

	"ownmap/pipeline/load"
)

//go:embed init.yaml
var initYAML string

// write writes the config, and the secrets that belong to it. The config is read before it
// gets its name: one that OwnMap would refuse never does.
func (o *initOptions) write(path string, env func(string) string, now time.Time) error {
	if err := o.makeDir(); err != nil {
		return fmt.Errorf("%w; name another directory with --dir", err)
	}
	if o.password != "" {
		if err := writeSecret(o.MailPasswordFile, []byte(o.password+"\n"), o.service); err != nil {
			return err
		}
	}
	if o.SSHUser != "" {
		if err := makeKey(o.SSHKey, o.service); err != nil {
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
	if err := errors.Join(err, temporary.Chmod(0o640), o.service.give(temporary, 0), temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if _, err := load.Read(temporary.Name(), env); err != nil {
		return err
	}
	if o.force {
		kept := fmt.Sprintf("%s.%s.old", path, now.UTC().Format("20060102-150405.000"))
		switch err := os.Link(path, kept); {
		case err == nil:
			o.kept = kept
			return os.Rename(temporary.Name(), path)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("keep the old config: %w", err)
		}
	}
	// A link takes the name of nobody: a config that came there meanwhile stays.
	if err := os.Link(temporary.Name(), path); err != nil {
		return fmt.Errorf("write the config: %w", err)
	}
	return nil
}

// makeDir makes the directory of the config, for the service to look into. One that is there
// stays as it is.
func (o *initOptions) makeDir() error {
	if _, err := os.Stat(o.dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o750); err != nil || !o.service.served() {
		return err
	}
	return os.Chown(o.dir, -1, o.service.gid)
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
