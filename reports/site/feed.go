package site

import (
	"context"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// feedRuns is how many runs the feed tells of.
const feedRuns = 50

// The feed is Atom (RFC 4287). Its ids are UUIDs of what they name and of nothing else
// (RFC 9562, version 8), so that they stay when the archive moves.
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  atomAuthor  `xml:"author"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Content atomContent `xml:"content"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

// feed writes the feed of the newest runs.
func (e *edition) feed(context.Context) error {
	content, err := xml.MarshalIndent(e.feedView(), "", " ")
	if err != nil {
		return err
	}
	return e.bytes("atom.xml", append([]byte(xml.Header), append(content, '\n')...))
}

func (e *edition) feedView() atomFeed {
	s := e.site
	owner := state.Visible(s.options.Brand.Organisation)
	if owner == "" {
		owner = "OwnMap"
	}
	f := atomFeed{ID: uuid("archive"), Title: owner + ": runs of OwnMap", Updated: instant(time.Unix(0, 0)), Author: atomAuthor{owner}}
	if s.options.BaseURL != "" {
		f.Links = []atomLink{{"self", "application/atom+xml", s.locate("atom.xml")}, {"alternate", "text/html", s.IndexPath()}}
	}
	for _, run := range e.runs {
		if len(f.Entries) == feedRuns {
			break
		}
		r, found := e.now.Runs[run.ID]
		if !found {
			continue
		}
		entry := atomEntry{
			ID: uuid("run", r.Key), Title: state.Visible(r.Verdict), Updated: instant(updated(run.Run)),
			Content: atomContent{"text", state.Visible(feedText(run, r))},
		}
		if s.options.BaseURL != "" {
			entry.Links = []atomLink{{"alternate", "text/html", s.RunPath(run.ID)}}
		}
		f.Entries = append(f.Entries, entry)
	}
	if len(f.Entries) > 0 {
		f.Updated = f.Entries[0].Updated
	}
	for _, run := range e.runs { // the archive is that of its first run
		if r, found := e.now.Runs[run.ID]; found {
			f.ID = uuid("archive", r.Key)
		}
	}
	return f
}

// feedText tells of a run in plain text.
func feedText(run state.RunSummary, r record) string {
	lines := []string{fmt.Sprintf("Run %d of %s: %s", run.ID, run.StartedAt.Format("2006-01-02 15:04 MST"), r.Mood), r.Verdict}
	if r.Counts != "" {
		lines = append(lines, "Changes: "+r.Counts)
	}
	return strings.Join(lines, "\n")
}

func updated(run state.Run) time.Time {
	if run.FinishedAt != nil {
		return *run.FinishedAt
	}
	return run.StartedAt
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func uuid(parts ...string) string {
	b := sha256.Sum256([]byte("ownmap\x00" + strings.Join(parts, "\x00")))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
