package persist

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// mostDeviations is how many deviations are told.
const mostDeviations = 1000

// Verify says what is to be verified.
type Verify struct {
	Runs   []int64 // none: all
	Expect string  // the hash that a run, or the one of Runs, must have, or how it begins; empty: any
}

// Verify makes the hashes of runs again from what is kept and compares. The chain of all
// hashes is compared in any case. It reads each table once, for each of the runs that it is
// asked for, and holds none of it in memory. It fails with a NoRunError if one of the runs kept
// no state.
func (b *Book) Verify(ctx context.Context, what Verify) (state.Verification, error) {
	var c check
	err := b.reading(ctx, func(q *queries.Queries) error {
		revs := make([]int64, len(what.Runs))
		for i, run := range what.Runs {
			row, err := anyRun(ctx, q, run)
			if err != nil {
				return err
			}
			revs[i] = row.Rev
		}
		if err := c.all(ctx, q, revs); err != nil {
			return err
		}
		return c.expect(ctx, what)
	})
	if err != nil {
		return state.Verification{}, fmt.Errorf("verify: %w", err)
	}
	return c.found, nil
}

// expect looks for the run that has a hash.
func (c *check) expect(ctx context.Context, what Verify) error {
	if what.Expect == "" {
		return nil
	}
	rows, err := c.q.RunHashes(ctx)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	for _, row := range rows {
		has := hex.EncodeToString(row.Hash)
		switch asked := slices.Contains(what.Runs, row.RunID); {
		case (asked || len(what.Runs) == 0) && strings.HasPrefix(has, what.Expect):
			c.found.Expected = row.RunID
			return nil
		case asked:
			c.tell(row.Rev, "", "its hash is "+has+", not "+what.Expect)
			return nil
		}
	}
	c.found.Deviations = append(c.found.Deviations, state.Deviation{What: "no run has the hash " + what.Expect})
	return nil
}

// check is one Verify under way.
type check struct {
	q       *queries.Queries
	found   state.Verification
	links   []link           // of runs, oldest first
	last    *link            // the last checkpoint; nil: there is none
	block   int64            // the revision that stands for all before it
	skip    int64            // up to there nothing can be compared: retention has not finished
	runs    map[int64]int64  // of the revisions
	kept    map[int64]keptOf // by revision: what is to be found
	met     map[section]bool // what was found
	skipped int              // deviations that are not told
}

// keptOf is what a run kept, by kind of row.
type keptOf map[string]content

// section is what one run wrote and ended of one kind of row.
type section struct {
	rev  int64
	part string
}

func (c *check) all(ctx context.Context, q *queries.Queries, revs []int64) error {
	c.q, c.runs, c.kept, c.met = q, make(map[int64]int64), make(map[int64]keptOf), make(map[section]bool)
	known, err := q.RevsOfRuns(ctx)
	if err != nil {
		return fmt.Errorf("read revisions: %w", err)
	}
	for _, rev := range known {
		c.runs[rev.ID] = rev.RunID
	}
	if err := c.chain(ctx); err != nil || len(c.links) == 0 {
		c.found.Before = len(known)
		return err
	}
	for _, rev := range known {
		switch _, linked := c.kept[rev.ID]; {
		case rev.ID < c.links[0].rev:
			c.found.Before++
		case !linked && rev.ID > c.block:
			c.tell(rev.ID, "", "it has no hash")
		}
	}
	if err := c.pruned(ctx); err != nil {
		return err
	}
	if len(revs) == 0 {
		c.found.Runs = len(c.links)
		if err := c.rows(ctx, c.skip, queries.AllRevs); err != nil {
			return err
		}
	}
	slices.Sort(revs)
	for _, rev := range slices.Compact(revs) {
		rev = max(rev, c.block)
		c.found.Runs++
		if err := c.rows(ctx, c.before(rev), rev); err != nil {
			return err
		}
	}
	if c.skipped > 0 {
		c.found.Deviations = append(c.found.Deviations, state.Deviation{What: fmt.Sprintf("and %d more", c.skipped)})
	}
	return c.since(ctx)
}

// chain reads the hashes and compares each with what it was made of.
func (c *check) chain(ctx context.Context) error {
	checkpoints, err := c.checkpoints(ctx)
	if err != nil {
		return err
	}
	rows, err := c.q.RunHashes(ctx)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	var before []byte
	for _, row := range rows {
		l := linkOf(row)
		c.links = append(c.links, l)
		c.kept[l.rev] = l.kept()
		switch {
		case !bytes.Equal(row.Previous, before):
			c.tell(l.rev, "run_hash", "its hash does not follow that of the run before")
		case !bytes.Equal(l.hash(), row.Hash):
			c.tell(l.rev, "run_hash", "its hash is not that of what it was made of")
		case l.checkpoint != nil && !checkpoints[string(l.checkpoint)]:
			c.tell(l.rev, "checkpoint", "the hash of what retention had left is missing")
		}
		if c.found.First == 0 {
			c.found.First = row.RunID
		}
		before, c.found.Last, c.found.Head = row.Hash, row.RunID, hex.EncodeToString(row.Hash)
	}
	if len(rows) > 0 {
		c.block = max(c.block, rows[0].Rev)
	}
	if c.last != nil { // what is left of the runs up to it stands in the place of theirs
		for rev := range c.kept {
			if rev < c.last.rev {
				delete(c.kept, rev)
			}
		}
		c.kept[c.last.rev] = c.last.kept()
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

// checkpoints reads the hashes of what retention left, and returns those that are what they
// were made of.
func (c *check) checkpoints(ctx context.Context) (map[string]bool, error) {
	rows, err := c.q.Checkpoints(ctx)
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	found := make(map[string]bool, len(rows))
	for _, row := range rows {
		l := linkOf(queries.RunHashesRow{Rev: row.Rev, Previous: row.Previous, Parts: row.Parts, Counts: row.Counts, Digests: row.Digests})
		if !bytes.Equal(l.hashAs("checkpoint"), row.Hash) {
			c.tell(l.rev, "checkpoint", "the hash of what retention left is not that of what it was made of")
			continue
		}
		found[string(row.Hash)] = true
		c.last, c.block = &l, l.rev
	}
	return found, nil
}

// pruned looks what retention took away. Where it did not finish, what it has begun with
// cannot be compared.
func (c *check) pruned(ctx context.Context) error {
	rows, err := c.q.PrunedRevs(ctx)
	if err != nil {
		return fmt.Errorf("read what retention took away: %w", err)
	}
	c.found.Pruned = len(rows)
	if n := len(rows); n > 0 && (c.last == nil || rows[n-1].ID > c.last.rev) {
		c.skip, c.found.Unfinished = max(rows[n-1].ID, c.block), true
	}
	return nil
}

// before returns the revision after which the rows of one begin.
func (c *check) before(rev int64) int64 {
	if rev <= c.block {
		return 0
	}
	return rev - 1
}

// rows compares the rows of the revisions after one and up to another with what their runs
// kept.
func (c *check) rows(ctx context.Context, after, upTo int64) error {
	after = max(after, c.skip)
	for _, part := range queries.Parts() {
		err := contents(ctx, c.q, part, after, upTo, c.block, func(rev int64, now content) { c.compare(part, rev, now) })
		if err != nil {
			return err
		}
		for _, rev := range slices.Sorted(maps.Keys(c.kept)) {
			was, had := c.kept[rev][part.Name]
			if had && rev > after && rev <= upTo && !c.met[section{rev, part.Name}] {
				c.tell(rev, part.Tables, rowsWere(was.count)+", none is there")
			}
		}
	}
	return nil
}

func (c *check) compare(part queries.Part, rev int64, now content) {
	of, linked := c.kept[rev]
	was, had := of[part.Name]
	switch {
	case !linked:
		c.tell(rev, part.Tables, state.Count(int(now.count), "row", "rows")+" of no run")
	case !had:
		c.tell(rev, part.Tables, "no rows were kept, "+rowsAre(now.count))
	case was.count != now.count:
		c.tell(rev, part.Tables, rowsWere(was.count)+", "+rowsAre(now.count))
	case !bytes.Equal(was.sum, now.sum):
		c.tell(rev, part.Tables, fmt.Sprintf("a row of %d was changed", was.count))
	}
	c.met[section{rev, part.Name}] = true
}

func rowsWere(n int64) string { return state.Count(int(n), "row was kept", "rows were kept") }

func rowsAre(n int64) string { return state.Count(int(n), "is there", "are there") }

func (c *check) tell(rev int64, tables, what string) {
	if len(c.found.Deviations) >= mostDeviations {
		c.skipped++
		return
	}
	run, known := c.runs[rev]
	if !known {
		what = fmt.Sprintf("revision %d: ", rev) + what
	}
	c.found.Deviations = append(c.found.Deviations, state.Deviation{Run: run, Table: tables, What: what})
}

// since counts what the next run's hash will be of.
func (c *check) since(ctx context.Context) error {
	row, err := c.q.CountUnhashed(ctx)
	if err != nil {
		return fmt.Errorf("count what came since: %w", err)
	}
	c.found.Since = int(row.Approvals + row.Audit)
	return nil
}
