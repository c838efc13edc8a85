package nmapxml

import (
	"bytes"
	"errors"
	"io"
)

// peek returns the byte that is n after the next one, n being 0 or 1.
func (s *Scanner) peek(n int) (byte, error) {
	for len(s.buf)-s.pos <= n {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	return s.buf[s.pos+n], nil
}

// fill reads more behind what was read and not used yet, which moves to the
// front of the buffer, and no more than that is kept.
func (s *Scanner) fill() error {
	if s.failed != nil {
		return s.failed
	}
	if s.pos > 0 {
		s.lines += bytes.Count(s.buf[:s.pos], []byte{'\n'})
		s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
		s.pos = 0
	}
	if len(s.buf) == cap(s.buf) {
		if len(s.buf) >= maxToken {
			return ErrTooLong
		}
		s.buf = append(make([]byte, 0, 2*cap(s.buf)), s.buf...)
	}
	for range 100 { // as bufio has it: a reader may return nothing for a while
		n, err := s.source.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf = s.buf[:len(s.buf)+n]
		s.failed = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	s.failed = io.ErrNoProgress
	return s.failed
}

// readText reads up to the next tag.
func (s *Scanner) readText() (err error) {
	n := 0
	for {
		i := bytes.IndexByte(s.buf[s.pos+n:], '<')
		if i >= 0 {
			n += i
			break
		}
		n = len(s.buf) - s.pos
		if err := s.fill(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	raw := s.buf[s.pos : s.pos+n]
	s.pos += n
	if bytes.Contains(raw, []byte("]]>")) {
		return broken("unescaped ]]> not in CDATA section")
	}
	s.text, err = s.resolve(raw)
	return err
}

// readTag returns the next tag, without its brackets. A bracket between quotes
// ends no tag.
func (s *Scanner) readTag() ([]byte, error) {
	n, quote := 1, byte(0)
	for {
		rest := s.buf[s.pos+n:]
		i := 0
		if quote != 0 {
			i = bytes.IndexByte(rest, quote)
		} else {
			i = indexMark(rest)
		}
		switch {
		case i < 0:
			n += len(rest)
			if err := s.fill(); err != nil {
				return nil, truncated(err)
			}
			continue
		case quote != 0:
			quote = 0
		case rest[i] == '>':
			tag := s.buf[s.pos+1 : s.pos+n+i]
			s.pos += n + i + 1
			return tag, nil
		default:
			quote = rest[i]
		}
		n += i + 1
	}
}

// indexMark returns where the first quote or closing bracket is, or -1.
func indexMark(b []byte) int {
	for i, c := range b {
		if c == '"' || c == '>' || c == '\'' {
			return i
		}
	}
	return -1
}

// truncated tells of the end of the input where there must be none.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrTruncated
	}
	return err
}
