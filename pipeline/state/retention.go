package state

import (
	"fmt"
	"strings"
	"time"
)

// Retention says what stays. A run stays whole that either rule keeps, and the newest
// always; without any rule all do. What is pruned of the others leaves the run in the lists with
// its figures, and its hash.
type Retention struct {
	History  time.Duration // the runs of so long; 0: no rule
	Runs     int           // the newest so many; 0: no rule
	Messages time.Duration // sent messages, requests and sessions that ended so long ago; 0: all stay
}

// KeepsAll says whether every run stays.
func (r Retention) KeepsAll() bool { return r.History == 0 && r.Runs == 0 }

// Policy says in words which runs stay.
func (r Retention) Policy() string {
	var parts []string
	if r.History > 0 {
		parts = append(parts, fmt.Sprintf("history %dd", int(r.History.Hours()/24)))
	}
	if r.Runs > 0 {
		parts = append(parts, fmt.Sprintf("runs %d", r.Runs))
	}
	return "retention: " + strings.Join(parts, ", ")
}

// PrunedRun says that the rows of a run were taken away.
type PrunedRun struct {
	At     time.Time
	Policy string
}

// Pruning is what retention takes away, or did.
type Pruning struct {
	First, Last int64 // the runs whose rows go; 0: none do
	Runs        int
	Rows        int64 // that went; of a dry run 0
	Messages    int64 // sent messages, requests and sessions that went
}
