package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Pruned is what Prune took away.
type Pruned struct {
	Runs  int   // whose page, data and PDF went
	Bytes int64 // that became free
}

// Prune takes away the pages and data of the runs that a retention does not keep. Small
// pages stay in their places, so that no link breaks, and say how to make the report
// again. What a publish left beside the archive for those who still read it goes too.
func (s *Site) Prune(ctx context.Context, keep Retention) (Pruned, error) {
	if keep == (Retention{}) {
		return Pruned{}, errors.New("archive: prune: nothing says which runs to keep")
	}
	done, err := s.publish(ctx, wish{keep: keep})
	if err != nil {
		return Pruned{}, err
	}
	pruned := Pruned{Runs: done.pruned, Bytes: done.freed}
	if done.pruned == 0 {
		return pruned, nil
	}
	return pruned, s.forget(ctx)
}

// forget removes the tree of before, whose files share the disk with the live ones and
// keep what was pruned.
func (s *Site) forget(ctx context.Context) error {
	dir, err := s.folder()
	if err != nil {
		return err
	}
	unlock, err := lockArchive(ctx, dir)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	defer unlock()
	previous := sibling(dir, "previous")
	m, whole, err := readManifest(previous)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	lies, err := list(previous, len(m.Files))
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	own := owner(m, whole, lies)
	for name := range lies.files { // of others nothing is removed: see pair.carry
		if own(name) && (strings.HasPrefix(name, "run/") || strings.HasPrefix(name, "data/")) {
			if err := os.Remove(filepath.Join(previous, filepath.FromSlash(name))); err != nil {
				return fmt.Errorf("archive: %w", err)
			}
		}
	}
	return nil
}
