package export

import (
	"io"

	"ownmap/pipeline/state"
)

type verificationJSON struct {
	Intact     bool            `json:"intact"`
	Runs       int             `json:"runs"`       // that were compared
	First      int64           `json:"first"`      // the first run that has a hash; 0: none has
	Last       int64           `json:"last"`       // the newest one
	Before     int             `json:"before"`     // runs of before there were hashes
	Pruned     int             `json:"pruned"`     // of which only what is left was compared
	Unfinished bool            `json:"unfinished"` // retention was interrupted: not all could be compared
	PrunedTo   int64           `json:"pruned_to"`  // the run up to which the newest hash of what is left reaches; 0: there is none
	ProvedBy   int64           `json:"proved_by"`  // the first run whose hash is over that; 0: the next one's will be
	Hash       *string         `json:"hash"`       // of the newest run
	Expected   int64           `json:"expected"`   // the run that has the hash that was asked for; 0: none
	Since      int             `json:"since"`      // approvals and lines of the audit that the next run's hash is of
	Deviations []deviationJSON `json:"deviations"` // what is not what it was
}

type deviationJSON struct {
	Run    *int64  `json:"run"`
	Tables *string `json:"tables"`
	What   string  `json:"what"`
}

// VerificationJSON writes what came of comparing the hashes of runs.
func VerificationJSON(w io.Writer, v state.Verification) error {
	j := verificationJSON{
		Intact: v.Intact(), Runs: v.Runs, First: v.First, Last: v.Last, Before: v.Before, Pruned: v.Pruned,
		Unfinished: v.Unfinished, PrunedTo: v.PrunedTo, ProvedBy: v.ProvedBy,
		Hash: some(v.Head), Expected: v.Expected, Since: v.Since, Deviations: []deviationJSON{},
	}
	for _, d := range v.Deviations {
		deviation := deviationJSON{Tables: some(d.Table), What: d.What}
		if d.Run != 0 {
			deviation.Run = &d.Run
		}
		j.Deviations = append(j.Deviations, deviation)
	}
	return write(w, j)
}
