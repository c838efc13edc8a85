package scan

import (
	"errors"
	"io"
)

var (
	// errTruncated says that a document ends before its root element does.
	errTruncated = errors.New("the output of nmap ends half-way")
	// errTooLong says that there is more output than any scan prints.
	errTooLong = errors.New("the output of nmap is too long")
)

// cappedReader fails with errTooLong after its limit of bytes.
type cappedReader struct {
	source io.Reader
	left   int64
}

func (c *cappedReader) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTooLong
	}
	n, err := c.source.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}
