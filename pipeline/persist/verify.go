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
			row, err := keptRun(ctx, q, run)
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
	links   []link           // oldest first
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
	first := c.links[0].rev
	for _, rev := range known {
		switch _, linked := c.kept[rev.ID]; {
		case rev.ID < first:
			c.found.Before++
		case !linked:
			c.tell(rev.ID, "", "it has no hash")
		}
	}
	if len(revs) == 0 {
		c.found.Runs = len(c.links)
		if err := c.rows(ctx, 0, queries.AllRevs); err != nil {
			return err
		}
	}
	slices.Sort(revs)
	for _, rev := range slices.Compact(revs) {
		if rev < first {
			rev = first
		}
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
	rows, err := c.q.RunHashes(ctx)
	if err != nil {
		return fmt.Errorf("read hashes: %w", err)
	}
	var before []byte
	for _, row := range rows {
		l := linkOf(row)
		c.links = append(c.links, l)
		c.kept[l.rev] = make(keptOf)
		for i, name := range l.parts {
			c.kept[l.rev][name] = content{l.counts[i], l.digests[i]}
		}
		switch {
		case !bytes.Equal(row.Previous, before):
			c.tell(l.rev, "run_hash", "its hash does not follow that of the run before")
		case !bytes.Equal(l.hash(), row.Hash):
			c.tell(l.rev, "run_hash", "its hash is not that of what it was made of")
		}
		if c.found.First == 0 {
			c.found.First = row.RunID
		}
		before, c.found.Last, c.found.Head = row.Hash, row.RunID, hex.EncodeToString(row.Hash)
	}
	return nil
}

// before returns the revision after which the rows of one begin.
func (c *check) before(rev int64) int64 {
	if rev <= c.links[0].rev {
		return 0
	}
	return rev - 1
}

// rows compares the rows of the revisions after one and up to another with what their runs
// kept.
func (c *check) rows(ctx context.Context, after, upTo int64) error {
	for _, part := range queries.Parts() {
		err := contents(ctx, c.q, part, after, upTo, c.links[0].rev, func(rev int64, now content) { c.compare(part, rev, now) })
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
		c.tell(rev, part.Tables, "a row of "+fmt.Sprint(was.count)+" was changed")
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
