package link

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Key signs links to approve.
type Key struct {
	Made  time.Time // UTC
	Until time.Time // UTC; of an older key, when its last link is over. Zero: it signs new links

	secret []byte // keySize random bytes
}

const (
	keySize = 32
	maxFile = 64 << 10 // bytes; a larger file holds no keys
	maxKeys = 200      // of 256 that the first byte of a name can tell apart
)

// Name names the key without giving it away: 16 hexadecimal digits of its SHA-256.
func (k Key) Name() string {
	sum := k.sum()
	return hex.EncodeToString(sum[:8])
}

func (k Key) id() byte { return k.sum()[0] }

func (k Key) sum() [sha256.Size]byte {
	return sha256.Sum256(append([]byte("ownmap/approve/key\x00"), k.secret...))
}

// newKey makes a key whose name begins otherwise than those of others.
func newKey(others []Key, now time.Time) (Key, error) {
	if len(others) >= maxKeys {
		return Key{}, fmt.Errorf("there are %d keys of links, which is the most: `ownmap keys rotate --revoke-all` throws them away", len(others))
	}
	for {
		k := Key{Made: now, secret: make([]byte, keySize)}
		if _, err := rand.Read(k.secret); err != nil {
			return Key{}, fmt.Errorf("draw a key: %w", err)
		}
		if !slices.ContainsFunc(others, func(o Key) bool { return o.id() == k.id() }) {
			return k, nil
		}
	}
}

const head = `# The keys of OwnMap's links to approve, the one that signs new links first: when it was
# made, until when it is good, and the key. "ownmap keys rotate" makes a new one; who
# removes this file makes every link good for nothing.
`

// encode writes keys as the file has them.
func encode(keys []Key) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, k := range keys {
		until := "-"
		if !k.Until.IsZero() {
			until = k.Until.Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "%s %s %s\n", k.Made.Format(time.RFC3339), until, base64.StdEncoding.EncodeToString(k.secret))
	}
	return b.Bytes()
}

// decode reads what encode wrote. Its errors hold nothing of the file but a line's number.
func decode(text []byte) ([]Key, error) {
	var keys []Key
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		k, err := keyOf(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		switch {
		case k.Until.IsZero() != (len(keys) == 0):
			return nil, fmt.Errorf("line %d: the first key, and no other, has no end", number)
		case slices.ContainsFunc(keys, func(o Key) bool { return o.id() == k.id() }):
			return nil, fmt.Errorf("line %d: its name begins as that of a key before it", number)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return keys, nil
}

func keyOf(fields []string) (k Key, err error) {
	if len(fields) != 3 {
		return k, errors.New("not three fields")
	}
	if k.Made, err = time.Parse(time.RFC3339, fields[0]); err != nil {
		return k, errors.New("the first field is no time")
	}
	if fields[1] != "-" {
		if k.Until, err = time.Parse(time.RFC3339, fields[1]); err != nil {
			return k, errors.New("the second field is neither a time nor -")
		}
	}
	if k.secret, err = base64.StdEncoding.Strict().DecodeString(fields[2]); err != nil || len(k.secret) != keySize {
		return k, errors.New("the third field is no key")
	}
	return k, nil
}

// read returns the keys of the file; none where there is no file. A file that others can
// read keeps no secret, and is refused.
func (r *Ring) read() ([]Key, error) {
	f, err := os.OpenFile(r.path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keys of links: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("keys of links: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("keys of links: %s is no file", r.path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("keys of links: others than its owner can read %s: `ownmap keys rotate --revoke-all` after chmod 0600 %s, or only the latter where nobody did", r.path, r.path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("keys of links: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("keys of links: %s has more than %d bytes", r.path, maxFile)
	}
	keys, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("keys of links: %s: %w; remove it if it cannot be mended: that ends all links", r.path, err)
	}
	return keys, nil
}
