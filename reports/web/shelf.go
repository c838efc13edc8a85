package web

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// The bounds of a shelf. A report of a large network takes seconds and much memory to be
// made, so they are made one after the other.
const (
	shelfDocuments = 64
	shelfBytes     = 256 << 20
	shelfQueue     = 16               // documents that are being made or wait for it
	makingLimit    = 10 * time.Minute // for one document
)

// shelf makes documents, each once for all who ask for it, and keeps the last ones: the
// same run gives the same bytes.
type shelf struct {
	scratch  string
	stopping <-chan struct{}
	turn     chan struct{} // who makes a document holds its one place

	mu        sync.Mutex
	documents map[string]*document
	making    int
	clock     int64 // counts uses, to tell the oldest
}

func newShelf(scratch string, stopping <-chan struct{}) *shelf {
	return &shelf{scratch: scratch, stopping: stopping, turn: make(chan struct{}, 1), documents: make(map[string]*document)}
}

// document is a file without a name, which goes when nobody reads it any more.
type document struct {
	ready chan struct{} // closed once err or content is set
	err   error
	content

	readers int // and one for the shelf
	used    int64
}

// content is what a document holds.
type content struct {
	file *os.File
	size int64
	tag  string // entity tag (RFC 9110, section 8.8.3)
}

// get returns the document of a key, made if it is not there. The caller gives it back.
func (s *shelf) get(ctx context.Context, key string, write func(context.Context, io.Writer) error) (*document, error) {
	s.mu.Lock()
	d, found := s.documents[key]
	if !found {
		if s.making >= shelfQueue {
			s.mu.Unlock()
			return nil, &fault{Status: http.StatusServiceUnavailable, Text: "Too many reports are being made.", Hint: "Try again in a minute.", After: time.Minute}
		}
		d = &document{ready: make(chan struct{}), readers: 1}
		s.documents[key] = d
		s.making++
		go s.make(ctx, key, d, write)
	}
	d.readers++
	s.clock++
	d.used = s.clock
	s.mu.Unlock()
	select {
	case <-d.ready:
	case <-ctx.Done():
		s.give(d)
		return nil, ctx.Err()
	}
	if d.err != nil {
		s.give(d)
		return nil, d.err
	}
	return d, nil
}

// make writes a document when its turn has come.
func (s *shelf) make(ctx context.Context, key string, d *document, write func(context.Context, io.Writer) error) {
	s.turn <- struct{}{}
	ctx, cancel := outlive(ctx, s.stopping, makingLimit)
	c, err := fill(s.scratch, func(w io.Writer) error { return safely(func() error { return write(ctx, w) }) })
	cancel()
	<-s.turn
	s.mu.Lock()
	defer s.mu.Unlock()
	s.making--
	if d.content, d.err = c, err; err != nil {
		delete(s.documents, key)
		s.drop(d)
	}
	close(d.ready)
	s.tidy()
}

// wait returns when no document is being made; until done is called none is.
func (s *shelf) wait(ctx context.Context) (done func(), err error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// safely turns a panic into an error: one of a library is to end no other page.
func safely(do func() error) (err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("make a document: %v", why)
		}
	}()
	return do()
}

// fill makes the content of a document. With an error there may still be a file, to be
// closed.
func fill(scratch string, write func(io.Writer) error) (c content, err error) {
	if c.file, err = os.CreateTemp(scratch, "ownmap-document-*"); err != nil {
		return c, err
	}
	if err := os.Remove(c.file.Name()); err != nil {
		return c, err
	}
	sum := sha256.New()
	out := bufio.NewWriterSize(c.file, 1<<16)
	if err := write(io.MultiWriter(out, sum)); err != nil {
		return c, err
	}
	if err := out.Flush(); err != nil {
		return c, err
	}
	c.tag = `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`
	c.size, err = c.file.Seek(0, io.SeekCurrent)
	return c, err
}

// give gives a document back that was got.
func (s *shelf) give(d *document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(d)
}

// drop closes a document that nobody needs any more.
func (s *shelf) drop(d *document) {
	if d.readers--; d.readers == 0 && d.file != nil {
		_ = d.file.Close() // nothing of it is needed
	}
}

// tidy takes the oldest documents from the shelf while there are too many.
func (s *shelf) tidy() {
	for {
		bytes, made, oldest := int64(0), 0, ""
		for key, d := range s.documents {
			if d.file == nil {
				continue // it is being made
			}
			bytes += d.size
			made++
			if oldest == "" || d.used < s.documents[oldest].used {
				oldest = key
			}
		}
		if made <= 1 || made <= shelfDocuments && bytes <= shelfBytes {
			return
		}
		s.drop(s.documents[oldest])
		delete(s.documents, oldest)
	}
}

// reader reads the document, whoever else does.
func (d *document) reader() io.ReadSeeker { return io.NewSectionReader(d.file, 0, d.size) }
