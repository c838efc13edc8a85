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
	left    []leftover       // of retention, oldest first
	block   int64            // the revision that stands for all before it
	skip    int64            // up to there nothing can be compared: retention has not finished
	known   []int64          // all revisions, oldest first
	runs    map[int64]int64  // of them
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
	c.q, c.skip, c.runs, c.kept, c.met = q, queries.NoRevs, make(map[int64]int64), make(map[int64]keptOf), make(map[section]bool)
	known, err := q.RevsOfRuns(ctx)
	if err != nil {
		return fmt.Errorf("read revisions: %w", err)
	}
	for _, rev := range known {
		c.known, c.runs[rev.ID] = append(c.known, rev.ID), rev.RunID
	}
	if err := c.chain(ctx); err != nil {
		return err
	}
	if len(c.links) == 0 {
		c.found.Before = len(known)
		return c.none(ctx)
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
		for _, l := range c.links {
			if l.rev > c.skip {
				c.found.Runs++
			}
		}
		if err := c.rows(ctx, c.skip, queries.AllRevs); err != nil {
			return err
		}
	}
	slices.Sort(revs)
	for _, rev := range slices.Compact(revs) {
		rev = max(rev, c.block)
		if rev <= c.skip {
			continue
		}
		c.found.Runs++
		if err := c.rows(ctx, c.before(rev), rev); err != nil {
			return err
		}
	}
	if err := c.decisions(ctx, len(revs) == 0); err != nil {
		return err
	}
	if c.skipped > 0 {
		c.found.Deviations = append(c.found.Deviations, state.Deviation{What: fmt.Sprintf("and %d more", c.skipped)})
	}
	return nil
}

// before returns the revision after which the rows of one begin.
func (c *check) before(rev int64) int64 {
	if rev <= c.block {
		return queries.NoRevs
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
	if !known && rev != 0 {
		what = fmt.Sprintf("revision %d: ", rev) + what
	}
	c.found.Deviations = append(c.found.Deviations, state.Deviation{Run: run, Table: tables, What: what})
}
