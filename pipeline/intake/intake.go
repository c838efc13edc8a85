// Package intake reads what other scanners wrote down, so that it becomes runs as if OwnMap
// had made them: nmap's XML, the JSON of masscan and of naabu. It says of a file what that
// proves and no more, and hands the files on in the order of their own times.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"ownmap/pipeline/scan"
	"ownmap/pipeline/state"
)

// Format is how a file is written, which its content says and not its name.
type Format string

// The formats.
const (
	FormatNmap Format = "nmap" // XML of nmap 4 to 7 (nmap.dtd), and of masscan
	FormatOpen Format = "open" // JSON of masscan (-oJ, -oD) or naabu (-json): only open ports
)

// File is a file that may become a run.
type File struct {
	Path   string
	Name   string // its last element, cleaned
	Format Format
	SHA256 string    // in hexadecimal, of what the file holds, unpacked
	Start  time.Time // UTC; zero: it does not say
	End    time.Time // UTC, never zero
}

// Options are what files do not say themselves.
type Options struct {
	Vantage string           // where the scans were made from; empty: the default one
	At      time.Time        // when files were made that tell no time; zero: such a file is refused
	Now     func() time.Time // the clock of this machine
}

// Keeper keeps scans as runs. persist.Importer is one.
type Keeper interface {
	// AskedBefore returns the hosts that scans were asked for which asked the same, and
	// which became runs before: each with the protocols that it was asked over.
	AskedBefore(ctx context.Context, vantage, question string) ([]state.Host, error)
	// Add makes a run of a scan.
	Add(ctx context.Context, scan state.ImportedScan) (state.Run, error)
}

// FileError is what is wrong with a file.
type FileError struct {
	File string // as it was named
	Err  error
}

// Error names the file and the line, as compilers do.
func (e *FileError) Error() string {
	line, fault := scan.FaultLine(e.Err)
	var placed *lineError
	if errors.As(e.Err, &placed) {
		line, fault = placed.line, placed.err
	}
	if line == 0 {
		return e.File + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %s", e.File, line, fault)
}

// lineError is a fault with its place.
type lineError struct {
	line int // from 1
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("%s, line %d", e.err, e.line) }
func (e *lineError) Unwrap() error { return e.err }

// Unwrap returns the fault.
func (e *FileError) Unwrap() error { return e.Err }

// questionHash is a question of a vantage as it is kept: command lines are long.
func questionHash(vantage, question string) string {
	if question == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(vantage + "\x00" + question))
	return hex.EncodeToString(sum[:16])
}
