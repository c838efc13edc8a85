package intake

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

// maxUnpacked is how much a file may hold, in bytes, unpacked.
const maxUnpacked = 2 << 30

// content is a file that is read: unpacked, and summed up so, for who packs a file later has
// still the same one.
type content struct {
	*bufio.Reader

	file *os.File
	sum  hash.Hash
}

// openFile opens a file, which is gzipped or not: its content says so.
func openFile(path string) (*content, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c := &content{file: file, sum: sha256.New()}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(errors.New("is a folder"), file.Close())
	}
	raw := bufio.NewReaderSize(file, 64<<10)
	head, err := raw.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, file.Close())
	}
	var unpacked io.Reader = raw
	if bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if unpacked, err = gzip.NewReader(raw); err != nil {
			return nil, errors.Join(fmt.Errorf("unpack gzip: %w", err), file.Close())
		}
	}
	c.Reader = bufio.NewReaderSize(io.TeeReader(io.LimitReader(unpacked, maxUnpacked+1), c.sum), 64<<10)
	return c, nil
}

// total reads what is left of the file and returns its SHA-256.
func (c *content) total() (string, error) {
	if _, err := io.Copy(io.Discard, c.Reader); err != nil {
		return "", err
	}
	return hex.EncodeToString(c.sum.Sum(nil)), nil
}

func (c *content) Close() error { return c.file.Close() }

// format says how the content is written.
func (c *content) format() (Format, error) {
	for size := 512; ; size *= 2 {
		head, err := c.Peek(min(size, c.Size()))
		text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
		switch {
		case len(text) > 0 && text[0] == '<':
			return FormatNmap, nil
		case len(text) > 0 && (text[0] == '{' || text[0] == '['):
			return FormatOpen, nil
		case len(text) > 0:
			return "", errUnknownFormat
		case errors.Is(err, io.EOF):
			return "", errors.New("the file is empty")
		case err != nil:
			return "", err
		case size >= c.Size():
			return "", errUnknownFormat
		}
	}
}

var errUnknownFormat = errors.New("it is neither XML of nmap nor JSON of masscan or naabu; of nmap, OwnMap reads what -oX writes")
