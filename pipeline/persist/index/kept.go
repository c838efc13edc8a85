package index

import "sync"

// keptSelections is how many selections an index keeps: who turns pages, or sorts them
// otherwise, asks for the same one again. Of a million ports each takes 125 KB.
const keptSelections = 64

// selections are what an index was asked for.
type selections struct {
	mu sync.Mutex
	of map[string]*Selection
}

// selection returns the selection of a key, made if it is not kept.
func (s *selections) selection(key string, make func() *Selection) *Selection {
	s.mu.Lock()
	kept := s.of[key]
	s.mu.Unlock()
	if kept != nil {
		return kept
	}
	made := make()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.of) >= keptSelections || s.of == nil {
		s.of = map[string]*Selection{}
	}
	s.of[key] = made
	return made
}
