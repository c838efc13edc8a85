package state

import "fmt"

// ShortHashDigits is how much of a hash is shown where people read.
const ShortHashDigits = 12

// ShortHash returns as much of a hash as people read.
func ShortHash(hash string) string { return hash[:min(ShortHashDigits, len(hash))] }

// HashLine says in one line what the report is proved by: its hash, in full or as people
// read it, and that of the run before. Empty: the run is of before there were hashes.
func (r Report) HashLine(full bool) string {
	switch {
	case r.Hash == "":
		return ""
	case full && r.PreviousHash != "":
		return "Hash " + r.Hash + ", after " + r.PreviousHash
	case full:
		return "Hash " + r.Hash + ", the first one"
	case r.PreviousHash != "":
		return "Hash " + ShortHash(r.Hash) + ", after " + ShortHash(r.PreviousHash)
	}
	return "Hash " + ShortHash(r.Hash) + ", the first one"
}

// Verification is what came of comparing what is kept with the hashes of runs.
type Verification struct {
	Runs       int    // that were made again from their rows and compared
	First      int64  // the first run that has a hash; 0: none has
	Last       int64  // the newest run that has one
	Before     int    // runs of before there were hashes: the hash of First is theirs, too
	Pruned     int    // runs whose rows were taken away by policy: what is left of them was compared
	Unfinished bool   // retention was interrupted: what it has begun with could not be compared
	PrunedTo   int64  // the newest hash of what retention left is of the runs up to that one; 0: there is none
	ProvedBy   int64  // the first run whose hash is over that; 0: the next one's will be
	Head       string // the hash of Last
	Expected   int64  // the run that has the hash that was asked for; 0: none was, or none has it
	Since      int    // approvals and lines of the audit since Last, which the next hash has
	Deviations []Deviation
}

// Intact says whether all is as it was kept, as far as anybody can tell who trusts the hash of
// the newest run.
func (v Verification) Intact() bool { return len(v.Deviations) == 0 && !v.Unfinished }

// Words says in one line whether all is as it was kept.
func (v Verification) Words() string {
	switch {
	case len(v.Deviations) > 0:
		return "not as it was kept"
	case v.First == 0:
		return "no run has a hash yet: the next one will"
	case v.Unfinished:
		return "not all could be compared"
	}
	return Count(v.Runs, "run is as it was kept", "runs are as they were kept")
}

// Remarks says what else belongs to that.
func (v Verification) Remarks() []string {
	var lines []string
	if v.Expected != 0 {
		lines = append(lines, fmt.Sprintf("run %d has the expected hash", v.Expected))
	}
	if v.First != 0 && v.Before > 0 {
		lines = append(lines, fmt.Sprintf("the hashes begin with run %d: the %s before it %s part of its hash", v.First, Count(v.Before, "run", "runs"), isAre(v.Before)))
	}
	if v.Pruned > 0 {
		lines = append(lines, fmt.Sprintf("of %s only what retention left could be compared", Count(v.Pruned, "run", "runs")))
	}
	switch {
	case v.PrunedTo != 0 && v.ProvedBy == 0:
		lines = append(lines, fmt.Sprintf("what retention left of the runs up to %d is part of no run's hash yet: of the next one's", v.PrunedTo))
	case v.PrunedTo != 0 && v.Expected != 0 && v.Expected < v.ProvedBy:
		lines = append(lines, fmt.Sprintf("what retention left of the runs up to %d is part of the hash of run %d: the expected one does not prove it", v.PrunedTo, v.ProvedBy))
	}
	if v.Unfinished {
		lines = append(lines, "retention has not finished, so they could not be compared: the next run goes on with it, and so does `ownmap db prune`")
	}
	if v.Since > 0 && v.First != 0 {
		lines = append(lines, fmt.Sprintf("%s since run %d %s part of the next hash", Count(v.Since, "approval or line of the audit", "approvals and lines of the audit"), v.Last, isAre(v.Since)))
	}
	return lines
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Deviation is something that is not what a run kept.
type Deviation struct {
	Run   int64  // 0: of no run
	Table string // those whose rows it is about; empty: the chain of hashes itself
	What  string
}

// String is the deviation in one line.
func (d Deviation) String() string {
	text := d.What
	if d.Table != "" {
		text = d.Table + ": " + text
	}
	if d.Run != 0 {
		text = fmt.Sprintf("run %d: ", d.Run) + text
	}
	return text
}
