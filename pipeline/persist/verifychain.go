package persist

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"ownmap/queries"
)

// leftover is a checkpoint: what retention left of all revisions up to one.
type leftover struct {
	link
	hash []byte
	made int64 // the newest revision when it was made; 0: it follows no run's hash
}

// chain reads the hashes and compares each with what it was made of.
func (c *check) chain(ctx context.Context) error {
	rows, err := c.q.RunHashes(ctx)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	revs := make(map[string]int64, len(rows)) // by hash
	for _, row := range rows {
		revs[string(row.Hash)] = row.Rev
	}
	if err := c.leftovers(ctx, revs); err != nil {
		return err
	}
	var before []byte
	for _, row := range rows {
		l := linkOf(row)
		c.links = append(c.links, l)
		c.kept[l.rev] = l.kept()
		left := c.leftBefore(l.rev)
		switch {
		case !bytes.Equal(row.Previous, before):
			c.tell(l.rev, "run_hash", "its hash does not follow that of the run before")
		case !bytes.Equal(l.hash(), row.Hash):
			c.tell(l.rev, "run_hash", "its hash is not that of what it was made of")
		case !bytes.Equal(l.checkpoint, left.hash):
			c.tell(l.rev, "checkpoint", "its hash is not over that of what retention had left")
		case left.hash != nil && c.found.ProvedBy == 0 && bytes.Equal(left.hash, c.newestLeft().hash):
			c.found.ProvedBy = row.RunID
		}
		if c.found.First == 0 {
			c.found.First = row.RunID
		}
		before, c.found.Last, c.found.Head = row.Hash, row.RunID, hex.EncodeToString(row.Hash)
	}
	if len(rows) > 0 {
		c.block = rows[0].Rev
	}
	if last := c.newestLeft(); last.hash != nil { // what is left of the runs up to it stands in the place of theirs
		c.block, c.found.PrunedTo = max(c.block, last.rev), c.runs[last.rev]
		for rev := range c.kept {
			if rev < last.rev {
				delete(c.kept, rev)
			}
		}
		c.kept[last.rev] = last.kept()
	}
	return nil
}

// kept returns what a link is made of, by kind of row.
func (l link) kept() keptOf {
	kept := make(keptOf, len(l.parts))
	for i, name := range l.parts {
		kept[name] = content{l.counts[i], l.digests[i]}
	}
	return kept
}

// leftovers reads the hashes of what retention left. Each follows that of the run which was
// the newest then.
func (c *check) leftovers(ctx context.Context, revs map[string]int64) error {
	rows, err := c.q.Checkpoints(ctx)
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	for _, row := range rows {
		of := queries.RunHashesRow{Rev: row.Rev, Previous: row.Previous, Parts: row.Parts, Counts: row.Counts, Digests: row.Digests}
		l := leftover{linkOf(of), row.Hash, revs[string(row.Previous)]}
		before := c.newestLeft()
		switch {
		case !bytes.Equal(l.hashAs("checkpoint"), l.hash):
			c.tell(l.rev, "checkpoint", "the hash of what retention left is not that of what it was made of")
			continue
		case l.made < max(l.rev, before.made) || l.rev < before.rev:
			c.tell(l.rev, "checkpoint", "the hash of what retention left does not follow that of a run")
		}
		c.left = append(c.left, l)
	}
	return nil
}

// newestLeft returns the newest checkpoint; zero: there is none.
func (c *check) newestLeft() leftover {
	if len(c.left) == 0 {
		return leftover{}
	}
	return c.left[len(c.left)-1]
}

// leftBefore returns the newest checkpoint that was there when a revision was kept; zero: there
// was none.
func (c *check) leftBefore(rev int64) leftover {
	for i := len(c.left) - 1; i >= 0; i-- {
		if c.left[i].made < rev {
			return c.left[i]
		}
	}
	return leftover{}
}

// none looks whether there are no hashes because there were none yet.
func (c *check) none(ctx context.Context) error {
	found, err := c.q.AnyHashed(ctx)
	if err != nil {
		return fmt.Errorf("look for what is left of hashes: %w", err)
	}
	if found {
		c.tell(0, "run_hash", "the hashes of all runs are gone")
	}
	return nil
}

// pruned looks what retention took away: whole runs from the oldest on, as the audit has it.
// Where it did not finish, what it has begun with cannot be compared.
func (c *check) pruned(ctx context.Context) error {
	rows, err := c.q.PrunedRevs(ctx)
	if err != nil {
		return fmt.Errorf("read what retention took away: %w", err)
	}
	c.found.Pruned = len(rows)
	var last int64
	for i, row := range rows {
		if last = row.ID; row.ID != c.known[i] {
			c.tell(row.ID, "rev", "it is marked as pruned, and a run before it is not")
			break
		}
	}
	if len(rows) == len(c.known) {
		c.tell(last, "rev", "it is marked as pruned, and is the newest run")
	}
	for _, l := range c.left { // the first hash of all is also that of the runs before it
		if l.rev > last && (l.rev > c.links[0].rev || last == 0) {
			c.tell(l.rev, "checkpoint, rev", "a hash of what retention left stands for runs that were not pruned")
		}
	}
	if last > c.newestLeft().rev {
		c.skip, c.found.Unfinished = max(last, c.block), true
	}
	return c.pruneLines(ctx, rows)
}

// pruneLines looks for the lines of the audit that say what was marked as pruned.
func (c *check) pruneLines(ctx context.Context, marked []queries.PrunedRevsRow) error {
	lines, err := c.q.PruneLines(ctx)
	if err != nil {
		return fmt.Errorf("read the audit: %w", err)
	}
	said := make(map[queries.PruneLinesRow]bool, len(lines))
	for _, line := range lines {
		said[line] = true
	}
	for len(marked) > 0 {
		n := 0 // how many of them a line is of
		for i, row := range marked {
			if said[queries.PruneLinesRow{Subject: prunedRuns(marked[0].RunID, row.RunID), Policy: row.Policy}] {
				n = i + 1
			}
		}
		if n == 0 {
			c.tell(marked[0].ID, "rev, audit", "it is marked as pruned, and the audit has no line of that")
			return nil
		}
		marked = marked[n:]
	}
	return nil
}
