package main

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ownmap/pipeline/diff"
	"ownmap/pipeline/intake"
	"ownmap/pipeline/lab"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// importedBook is a book into which files were imported, and the runs that they became.
type importedBook struct {
	*persist.Book

	files []string
	runs  []state.Run
}

// importInto imports files into a new book.
func importInto(t *testing.T, files []string) importedBook {
	t.Helper()
	book, err := persist.Open(t.Context(), filled.Database(t), time.UTC, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(book.Close)
	release, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	options := intake.Options{Now: time.Now}
	found, faults := intake.Survey(t.Context(), files, options)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	b := importedBook{Book: book}
	importer := book.Importer()
	err = intake.Series(t.Context(), importer, found, options, func(f intake.File, run state.Run, err error) error {
		b.files, b.runs = append(b.files, f.Path), append(b.runs, run)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := importer.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

// said is what `ownmap diff` says of two runs, in the words that ndiff has too.
func (b importedBook) said(t *testing.T, from, to int) verdicts {
	t.Helper()
	was, err := b.StateAt(t.Context(), b.runs[from].ID)
	if err != nil {
		t.Fatal(err)
	}
	now, err := b.StateAt(t.Context(), b.runs[to].ID)
	if err != nil {
		t.Fatal(err)
	}
	return verdictsOf(diff.Between(was, now))
}

// TestImportedPairs imports twelve nights, and compares each with each: `ownmap diff` of two
// dates says what it says of the two files, which TestDiffSaysWhatNdiffSays holds against ndiff; so
// does ndiff itself here of every third pair. What the database remembers and two files do not know is told apart:
// a host that was away is back and not new.
func TestImportedPairs(t *testing.T) {
	t.Parallel()
	for name, series := range map[string]lab.Series{
		"whole":    {Hosts: 60, Nights: 12, Whole: true, Busy: 40},
		"timeouts": {Hosts: 60, Nights: 12, Busy: 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			series.First = time.Date(2025, 3, 1, 2, 0, 0, 0, time.UTC)
			files, err := series.Write(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			slices.Reverse(files) // the times order them
			b := importInto(t, files)
			n := startNdiff(t)
			counts := judgement{}
			for from := range b.files {
				for to := range b.files {
					if from == to {
						continue
					}
					was, now := documents(t, b.files[from], b.files[to])
					fromFiles, _ := ours(was, now)
					compared := agreed(b.said(t, from, to), was, now, counts)
					if want := agreed(fromFiles, was, now, judgement{}); !maps.Equal(compared, want) {
						t.Fatalf("runs %d and %d say %v\nfiles say %v", b.runs[from].ID, b.runs[to].ID, only(compared, want), only(want, compared))
					}
					if series.Whole && (from+to)%3 == 0 { // ndiff takes longer than all else
						for what, times := range judge(t, n, b.files[from], b.files[to]) {
							counts[what] += times
						}
					}
				}
			}
			for _, what := range []string{"opened", "closed", "service", "gone", "new"} {
				if counts[what] == 0 || series.Whole && counts["both: "+what] == 0 {
					t.Errorf("no pair differs by %q: %v", what, counts)
				}
			}
		})
	}
}

func documents(t *testing.T, a, b string) (was, now scan.Document) {
	t.Helper()
	was, now, err := scan.ReadFiles(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return was, now
}

// agreed leaves out of verdicts those about hosts that one of the files did not look at, and of
// a host that the first one does not mention all but that it is there now; the others are
// counted.
func agreed(said verdicts, was, now scan.Document, counts judgement) verdicts {
	status := func(d scan.Document, address string) state.CoverageStatus {
		i := slices.IndexFunc(d.Hosts, func(h state.Host) bool { return h.Address.String() == address })
		if i < 0 {
			return "" // away
		}
		return d.Hosts[i].Status()
	}
	out := verdicts{}
	for verdict := range said {
		word, place, _ := strings.Cut(verdict, " ")
		address, _, ofPort := strings.Cut(place, " ")
		before, after := status(was, address), status(now, address)
		switch {
		case before == state.NotScanned || after == state.NotScanned:
			continue
		case before == "" && ofPort:
			continue
		case before == "" && word == "back":
			word = "new"
		}
		counts[word]++
		out[word+" "+place] = true
	}
	return out
}

// only returns what is in a alone.
func only(a, b verdicts) []string {
	var list []string
	for verdict := range a {
		if !b[verdict] {
			list = append(list, verdict)
		}
	}
	slices.Sort(list)
	return list
}
