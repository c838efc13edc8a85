package persist

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// The hash of a run is SHA-256 over the hash of the run before it and, for each kind of
// row (queries.Parts) of which the run wrote or ended some, how many these are and the
// SHA-256 of their lines. So it can be made again from the tables that reports are made of,
// the hash of the newest run stands for all before it, and of a run that was changed later
// the kind of row can be named.

// content is what a run wrote and ended of one kind of row.
type content struct {
	count int64
	sum   []byte
}

// contents reads the lines of a kind of row once, and hands over what each revision has of
// them. The revisions up to first count as that one.
func contents(ctx context.Context, q *queries.Queries, part queries.Part, after, upTo, first int64, yield func(rev int64, c content)) error {
	var rev, count int64
	sum := sha256.New()
	flush := func() {
		if count > 0 {
			yield(rev, content{count, sum.Sum(nil)})
		}
		sum.Reset()
		count = 0
	}
	err := q.Lines(ctx, part, after, upTo, first, func(of int64, line []byte) {
		if of != rev {
			flush()
			rev = of
		}
		count++
		writeSized(sum, line)
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", part.Tables, err)
	}
	flush()
	return nil
}

// writeSized adds bytes to a hash so that no two lists of them add the same.
func writeSized(sum hash.Hash, b []byte) {
	var size [8]byte
	binary.BigEndian.PutUint64(size[:], uint64(len(b)))
	sum.Write(size[:])
	sum.Write(b)
}

// link is a run's place in the chain, as it is kept. What retention left of runs has such a
// place, too (prune.go): the next run's hash is also over that of the last such checkpoint.
type link struct {
	rev        int64
	previous   []byte // nil: it is the first
	checkpoint []byte // nil: there is none before it
	parts      []string
	counts     []int64
	digests    [][]byte
}

// hash returns the hash that stands for the run and all before it.
func (l link) hash() []byte { return l.hashAs("run") }

func (l link) hashAs(what string) []byte {
	sum := sha256.New()
	fmt.Fprintf(sum, "ownmap %s 1\nrevision %d\nprevious %x\n", what, l.rev, l.previous)
	if l.checkpoint != nil {
		fmt.Fprintf(sum, "checkpoint %x\n", l.checkpoint)
	}
	for i, name := range l.parts {
		fmt.Fprintf(sum, "%s %d %x\n", name, l.counts[i], l.digests[i])
	}
	return sum.Sum(nil)
}

// linkOf is a row of run_hash, less its hash. A row of which the columns do not agree has no
// parts, and so another hash than it should.
func linkOf(row queries.RunHashesRow) link {
	l := link{rev: row.Rev, previous: row.Previous, checkpoint: row.Checkpoint}
	if len(row.Parts) == len(row.Counts) && len(row.Parts) == len(row.Digests) {
		l.parts, l.counts, l.digests = row.Parts, row.Counts, row.Digests
	}
	return l
}

// read fills in what the revisions after one and up to the link's wrote and ended.
func (l *link) read(ctx context.Context, q *queries.Queries, after int64) error {
	l.parts, l.counts, l.digests = []string{}, []int64{}, [][]byte{}
	for _, part := range queries.Parts() {
		err := contents(ctx, q, part, after, l.rev, l.rev, func(_ int64, c content) {
			l.parts, l.counts, l.digests = append(l.parts, part.Name), append(l.counts, c.count), append(l.digests, c.sum)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// seal gives the run its hash. It is the last step of Keep: nothing that a report reads is
// written after it.
func (k *keeping) seal(ctx context.Context) error {
	for _, take := range []func(context.Context, int64) error{k.q.HashApprovals, k.q.HashEnds, k.q.HashAudit} {
		if err := take(ctx, k.rev.ID); err != nil {
			return fmt.Errorf("hash of the run: %w", err)
		}
	}
	last, err := k.q.LastRunHash(ctx, k.rev.ID)
	if err != nil {
		return fmt.Errorf("read the hash of the run before: %w", err)
	}
	l := link{rev: k.rev.ID}
	checkpoints, err := k.q.Checkpoints(ctx)
	if err != nil {
		return fmt.Errorf("read checkpoints: %w", err)
	}
	if n := len(checkpoints); n > 0 {
		l.checkpoint = checkpoints[n-1].Hash
	}
	after := int64(queries.NoRevs) // the first hash of all is also that of the runs before it
	if len(last) > 0 {
		l.previous, after = last[0].Hash, last[0].Rev
	}
	if err := l.read(ctx, k.q, after); err != nil {
		return fmt.Errorf("hash of the run: %w", err)
	}
	err = k.q.AddRunHash(ctx, queries.AddRunHashParams{
		Rev: l.rev, Previous: l.previous, Checkpoint: l.checkpoint, Parts: l.parts, Counts: l.counts, Digests: l.digests, Hash: l.hash(),
	})
	if err != nil {
		return fmt.Errorf("keep the hash of the run: %w", err)
	}
	return nil
}

// hashes fills in what the report is proved by. A run of before there were hashes has none.
func (v *view) hashes(ctx context.Context, report *state.Report) error {
	rows, err := v.q.RunHash(ctx, v.rev)
	if err != nil {
		return fmt.Errorf("read the hash of the run: %w", err)
	}
	for _, row := range rows {
		report.Hash, report.PreviousHash = hex.EncodeToString(row.Hash), hex.EncodeToString(row.Previous)
	}
	return nil
}
