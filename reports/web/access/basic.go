package access

import (
	"crypto/sha256"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// basicSpan is how long the outcome of a check is good: a program sends its password
// with every request, and to check one takes long on purpose.
const basicSpan = time.Minute

// basicMost bounds how many outcomes are remembered.
const basicMost = 1000

// basicCache remembers whether passwords of HTTP Basic were right. Its keys are digests
// of name, hash and password, each of fixed length in it: a password that changed is
// another key, and no name can pass for the beginning of a password (CVE-2022-46146).
// Wrong ones are remembered too: a proxy may send its own with every request.
type basicCache struct {
	mu      sync.Mutex
	all     map[[sha256.Size]byte]outcome
	running singleflight.Group
}

type outcome struct {
	right bool
	until time.Time
}

func newBasicCache() *basicCache { return &basicCache{all: map[[sha256.Size]byte]outcome{}} }

func (c *basicCache) get(key [sha256.Size]byte, now time.Time) (right, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o, known := c.all[key]
	if !known || !now.Before(o.until) {
		return false, false
	}
	return o.right, true
}

// once checks a password, once for all who ask at the same time, and remembers what came of it.
func (c *basicCache) once(key [sha256.Size]byte, check func() (bool, error), now func() time.Time) (bool, error) {
	right, err, _ := c.running.Do(string(key[:]), func() (any, error) {
		if right, known := c.get(key, now()); known {
			return right, nil
		}
		right, err := check()
		if err == nil {
			c.put(key, right, now())
		}
		return right, err
	})
	return right == true, err
}

func (c *basicCache) put(key [sha256.Size]byte, right bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) >= basicMost {
		for k, o := range c.all {
			if !now.Before(o.until) {
				delete(c.all, k)
			}
		}
	}
	if len(c.all) >= basicMost {
		clear(c.all)
	}
	c.all[key] = outcome{right, now.Add(basicSpan)}
}
