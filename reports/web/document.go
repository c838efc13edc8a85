package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// inert is the policy of documents: they are looked at, and can do nothing.
const inert = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

// streamLimit is how long a large answer may take on its way.
const streamLimit = 15 * time.Minute

// unhurried gives an answer more time than pages have.
func unhurried(w http.ResponseWriter, limit time.Duration) {
	control := http.NewResponseController(w)
	// A writer that knows no deadlines has none.
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Now().Add(limit))
}

// runNumber reads the number of a run.
func runNumber(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, missing("There is no such run.")
	}
	return id, nil
}

// findRun returns a run that kept a state.
func (s *server) findRun(ctx context.Context, id int64) (state.Run, error) {
	return s.Book.FindRun(ctx, strconv.FormatInt(id, 10))
}

// runDocument answers with the report of a run in one of the formats: the same bytes each
// time.
func (s *server) runDocument(w http.ResponseWriter, r *http.Request) error {
	ext, found := strings.CutPrefix(r.PathValue("file"), "report.")
	i := slices.IndexFunc(s.Formats, func(f Format) bool { return f.Ext == ext })
	if !found || i < 0 {
		return missing("There is no such form of a report.")
	}
	id, err := runNumber(r.PathValue("id"))
	if err != nil {
		return err
	}
	run, err := s.findRun(r.Context(), id)
	if err != nil {
		return err
	}
	format := s.Formats[i]
	return s.answerDocument(w, r, keyOf(run)+" "+format.Ext, attachment{
		name: fmt.Sprintf("ownmap-run-%d.%s", run.ID, format.Ext), kind: format.Type, inline: format.Inline, policy: format.Policy,
	}, func(ctx context.Context, out io.Writer) error {
		report, err := s.Book.Report(ctx, run.ID)
		if err != nil {
			return err
		}
		return format.Write(out, report)
	})
}

// attachment says how a document is handed over.
type attachment struct {
	name   string // of the file
	kind   string // media type
	inline bool
	policy string // empty: inert
}

func (s *server) answerDocument(w http.ResponseWriter, r *http.Request, key string, a attachment, write func(context.Context, io.Writer) error) error {
	unhurried(w, makingLimit+streamLimit)
	document, err := s.shelf.get(r.Context(), key, write)
	if err != nil {
		return err
	}
	defer s.shelf.give(document)
	header := w.Header()
	disposition := "attachment"
	if a.inline {
		disposition = "inline"
	}
	if a.policy == "" {
		a.policy = inert
	}
	header.Set("Content-Security-Policy", a.policy)
	header.Set("Content-Type", a.kind)
	header.Set("Content-Disposition", disposition+`; filename="`+a.name+`"`) // a name of ours
	header.Set("Cache-Control", "private, no-cache")
	header.Set("ETag", document.tag)
	http.ServeContent(w, r, "", time.Time{}, document.reader())
	return nil
}
