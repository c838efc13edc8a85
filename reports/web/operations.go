package web

import (
	"context"
	"io"
	"time"

	"ownmap/pipeline/state"
)

// Operations is what the pages of runs, scans and messages need besides the book. What is
// nil or empty is left out of the pages.
type Operations struct {
	// Formats are the forms in which the report of a run is to be had.
	Formats []Format
	// Scratch is a folder for documents while they are made and read; empty: the system's.
	Scratch string
	// Archive is the folder of the static archive.
	Archive string
	// Compare compares what was known after two runs.
	Compare     func(ctx context.Context, a, b int64) (state.Comparison, error)
	Comparisons []ComparisonFormat

	// CheckScan returns an error if nothing can be scanned by that name: targets as `ownmap
	// run` takes them, none for all.
	CheckScan func(ctx context.Context, only []string) error
	// Workers returns the workers that are there.
	Workers func(context.Context) ([]Worker, error)
	// Withdraw takes the work of a cancelled run back from the workers.
	Withdraw func(ctx context.Context, run int64) error
	// Channels are those of the config, by name.
	Channels []Channel

	// Stopping is closed when the page is about to end: streams end then.
	Stopping <-chan struct{}
	// Observe is told of each request: its method, the pattern of its route (empty: there is
	// none), the status of the answer and how long it took.
	Observe func(method, route string, status int, took time.Duration)
}

// Format is a form in which a report is to be had.
type Format struct {
	Name   string // in a line: "nmap XML"
	Ext    string // of the file, which tells it from the others: "nmap.xml"
	Type   string // media type
	Inline bool   // a browser shows it
	Policy string // Content-Security-Policy; empty: one that allows nothing
	Write  func(io.Writer, state.Report) error
}

// ComparisonFormat is a form in which a comparison is to be had.
type ComparisonFormat struct {
	Name, Ext, Type string
	Write           func(io.Writer, state.Comparison) error
}

// Worker is a worker that is there.
type Worker struct {
	Vantage, Host, Version string
	Takes                  bool // the scans that are asked for on the page
}

// Channel is a channel of the config.
type Channel struct {
	Name, Type string
	Recipients []string // empty: the channel knows only one
}
