package load

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

const maxConfig = 16 << 20 // bytes; a larger file is no config

// Read reads the config file at path, as Find returned it: the empty path gives
// Default. It also reads the file of database.url_file, and looks at who may read
// the secrets: everybody is a mistake, more than owner and group a warning.
func Read(path string, env func(string) string) (Config, error) {
	if path == "" {
		return Default(), nil
	}
	text, mode, err := readFile(path, maxConfig)
	if err != nil {
		return Config{source: path}, fmt.Errorf("config: %w", err)
	}
	p := parse(path, text, env)
	if mode&0o022 != 0 {
		p.warn("%s can be written by others than its owner, who decide then what is scanned: chmod go-w %s", path, path)
	}
	p.readDatabase(path, mode)
	p.readSecrets()
	p.readLogo()
	p.readRules()
	if err := p.err(); err != nil {
		return Config{source: path}, err
	}
	return p.config, nil
}

// ReadPlace reads of a config file only where the state is, under database and state_dir. What
// else stands there may be wrong, or name secrets that whoever asks has no part in.
func ReadPlace(path string, env func(string) string) (Config, error) {
	if path == "" {
		return Default(), nil
	}
	text, mode, err := readFile(path, maxConfig)
	if err != nil {
		return Config{source: path}, fmt.Errorf("config: %w", err)
	}
	p := newParser(path, env)
	if root := p.document(text); root != nil {
		keys := p.place()
		p.fields(only(root, keys), "the config", keys...)
	}
	p.readDatabase(path, mode)
	if err := p.err(); err != nil {
		return Config{source: path}, err
	}
	return p.config, nil
}

// only returns a mapping with nothing but some of its keys.
func only(node *yaml.Node, keys []key) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return node
	}
	rest := *node
	rest.Content = nil
	for i := 0; i+1 < len(node.Content); i += 2 {
		if containsKey(keys, node.Content[i].Value) {
			rest.Content = append(rest.Content, node.Content[i], node.Content[i+1])
		}
	}
	return &rest
}

// readDatabase reads the file of database.url_file, and looks at who may read the passwords
// that stand in the config itself, whose mode is given.
func (p *parser) readDatabase(path string, mode fs.FileMode) {
	if p.secret > 0 {
		p.guard(p.secret, path, mode)
	}
	if p.config.Database.URLFile != "" {
		p.readURLFile()
	}
}

func (p *parser) readURLFile() {
	path := p.config.Database.URLFile
	text, mode, err := readFile(path, 1<<16)
	if err != nil {
		p.unread(p.urlFile, "database.url_file", err)
		return
	}
	address := strings.TrimSpace(string(text))
	if hasPassword(address) {
		p.guard(p.urlFile, path, mode)
	}
	if err := checkDatabaseURL(address); err != nil {
		p.add(p.urlFile, "database.url_file: %s: %s", path, err)
		return
	}
	p.config.Database.URL = state.NewSecret(address)
}

// unread says that a file with a secret could not be read, and by whom: the call of root goes
// on as another user.
func (p *parser) unread(line int, what string, err error) {
	whose := "the rights of the file"
	if u, unknown := user.Current(); unknown == nil && errors.Is(err, fs.ErrPermission) {
		whose = "let user " + u.Username + " read the file"
	}
	p.add(line, "%s: %s; correct the path, or %s", what, err, whose)
}

// guard says who else can read a file that holds a password.
func (p *parser) guard(line int, path string, mode fs.FileMode) {
	switch {
	case mode&0o004 != 0:
		p.add(line, "%s holds a secret and everybody can read it: chmod o= %s", path, path)
	case mode&^0o640 != 0:
		p.warn("%s holds a secret and has mode %04o: chmod 0640 %s", path, mode, path)
	}
}

func (p *parser) warn(format string, args ...any) {
	p.config.warnings = append(p.config.warnings, fmt.Sprintf(format, args...))
}

// readFile returns a regular file's content and permissions; both are of the
// same open file, so that nobody can swap it in between.
func readFile(path string, most int64) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if info.IsDir() {
		return nil, 0, fmt.Errorf("%s is a directory; name a file in it", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, 0, err
	}
	if int64(len(text)) > most {
		return nil, 0, fmt.Errorf("%s has more than %d bytes; is it the right file?", path, most)
	}
	return text, info.Mode().Perm(), nil
}

// checkDatabaseURL says whether a text can be a connection string of libpq
// (PostgreSQL, "Connection Strings"). Its messages do not repeat the text: it
// holds a password.
func checkDatabaseURL(text string) error {
	const form = "write it like postgres://user@host:5432/database or \"host=... dbname=...\""
	if strings.ContainsAny(text, "\r\n\x00") {
		return errors.New("more than one line; " + form)
	}
	if u, err := url.Parse(text); strings.Contains(text, "://") {
		if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
			return errors.New("no address of a PostgreSQL; " + form)
		}
		return nil
	}
	if !regexp.MustCompile(`^\s*[a-z_]+\s*=`).MatchString(text) {
		return errors.New("no address of a PostgreSQL; " + form)
	}
	return nil
}

// hasPassword says whether a connection string holds a password. It errs on the
// side of caution where the text is no valid URL.
func hasPassword(text string) bool {
	return regexp.MustCompile(`://[^/?@]*:[^@]+@|\bpassword\s*=\s*[^\s&]`).MatchString(text)
}
