package load

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ownmap/pipeline/state"
)

// Limits of a file of targets.
const (
	maxTargetFile = 8 << 20 // bytes
	maxTargets    = 10_000
)

// TargetColumns returns the columns that a table of targets may have. The first one it
// must have.
func TargetColumns() []string {
	return []string{"target", "tags", "owner", "profile", "vantage", "exclude", "ssh", "ssh_user", "ssh_port"}
}

// ImportTargets reads targets as people keep them: as a list, which nmap's -iL reads too, as
// a table of comma-separated values (RFC 4180; semicolons and tabs do as well) whose first
// line names its columns, as /etc/hosts, as ~/.ssh/config or as an export of NetBox. format is
// one of TargetFormats; empty: the content says which. Each target has its line for Where.
// common is what holds for all of them; what the file says of one goes before, and tags are
// added. name is the file's name for mistakes, which are Errors: all of them, also what the
// rules of the config refuse. Nothing is returned beside a mistake. notes say what of the file
// is no target.
func (c Config) ImportTargets(r io.Reader, name, format string, common state.Target) (targets []state.Target, notes []string, err error) {
	text, err := io.ReadAll(io.LimitReader(r, maxTargetFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if name == "-" {
		name = "stdin"
	}
	found := faults{file: name}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case len(text) > maxTargetFile:
		found.add(0, "more than %d MiB; is it a list of targets?", maxTargetFile>>20)
		return nil, nil, found.err()
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		found.add(0, "the file is no UTF-8 text: save it as \"CSV UTF-8\"")
		return nil, nil, found.err()
	}
	if format == "" {
		format = targetFormat(text)
	}
	switch format {
	case formatList:
		targets = found.targetList(text, common)
	case formatTable:
		separator, isTable := tableOf(text)
		if !isTable {
			found.add(1, "no table of targets: its first line has to name its columns, target among them")
			break
		}
		targets = found.targetTable(text, separator, common)
	case formatHosts:
		targets, notes = found.hostsFile(text, common)
	case formatSSH:
		targets, notes = found.sshConfig(text, common)
	case formatNetBox:
		targets, notes = found.netBox(text, common)
	default:
		return nil, nil, &state.RefusedError{Reasons: []string{"format " + show(format) + " is none: " + remedy(format, TargetFormats())}}
	}
	c.checkTargets(&found, targets)
	if err := found.err(); err != nil {
		return nil, nil, err
	}
	return targets, notes, nil
}

// checkTargets holds targets of a file against the rules of the config and each other.
func (c Config) checkTargets(found *faults, targets []state.Target) {
	lines := map[mention]int{}
	for _, t := range targets {
		line := lineOf(t)
		at := mention{t.Spec, vantageOr(t.Vantage)}
		if first, twice := lines[at]; twice {
			found.add(line, "target %s is already named at line %d: keep one of them", show(t.Spec.String()), first)
			continue
		}
		lines[at] = line
		var refused *state.RefusedError
		if errors.As(c.CheckTarget(t), &refused) {
			for _, reason := range refused.Reasons {
				found.add(line, "%s", reason)
			}
		}
	}
	if len(targets) > maxTargets {
		found.add(0, "%d targets, and %d are the most at once: name prefixes instead of addresses, or import parts", len(targets), maxTargets)
	}
}

// lineOf returns the line of a target of a file.
func lineOf(t state.Target) int {
	line, _ := strconv.Atoi(t.Where[strings.LastIndex(t.Where, ":")+1:])
	return line
}

// targetList reads a list of targets. One that it names twice is one target.
func (f *faults) targetList(text []byte, common state.Target) []state.Target {
	specs, lines, err := readTargetList(bytes.NewReader(text), f.file)
	var mistakes Errors
	switch {
	case errors.As(err, &mistakes):
		f.list = append(f.list, mistakes...)
	case err != nil:
		f.addErr(0, err)
		return nil
	}
	targets := make([]state.Target, len(specs))
	for i, spec := range specs {
		targets[i] = common
		targets[i].Spec, targets[i].Where = spec, fmt.Sprintf("%s:%d", f.file, lines[i])
	}
	return targets
}

// tableOf says whether a text is a table: whether its first line names columns, and what
// stands between them.
func tableOf(text []byte) (separator rune, isTable bool) {
	for line := range bytes.Lines(text) {
		first := strings.TrimSpace(string(line))
		if first == "" || first[0] == '#' {
			continue
		}
		for _, separator := range ",;\t" {
			cells := strings.Split(strings.ToLower(first), string(separator))
			if slices.ContainsFunc(cells, func(c string) bool { return strings.Trim(c, ` "`) == TargetColumns()[0] }) {
				return separator, true
			}
		}
		return 0, false
	}
	return 0, false
}

// targetTable reads a table of targets.
func (f *faults) targetTable(text []byte, separator rune, common state.Target) []state.Target {
	reader := csv.NewReader(bytes.NewReader(text))
	reader.Comma, reader.Comment, reader.TrimLeadingSpace = separator, '#', separator != '\t'
	var columns []string
	var targets []state.Target
	for line, cells := range f.rows(reader) {
		if columns == nil {
			if columns = f.header(line, cells); columns == nil {
				return nil
			}
			continue
		}
		if t, ok := f.targetRow(line, columns, cells, common); ok {
			targets = append(targets, t)
		}
	}
	return targets
}

// rows returns the rows of a table, of any length, each with its line, up to a mistake.
func (f *faults) rows(reader *csv.Reader) iter.Seq2[int, []string] {
	reader.FieldsPerRecord = -1
	return func(yield func(int, []string) bool) {
		for {
			cells, err := reader.Read()
			var broken *csv.ParseError
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.As(err, &broken):
				f.add(broken.Line, "no table: %s; check the quotes here", broken.Err)
				return
			case err != nil:
				f.addErr(0, err)
				return
			}
			line, _ := reader.FieldPos(0)
			if !yield(line, cells) {
				return
			}
		}
	}
}

// header reads the names of the columns; nil after a mistake.
func (f *faults) header(line int, cells []string) []string {
	before := len(f.list)
	columns := make([]string, len(cells))
	for i, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		switch {
		case name == "":
		case !slices.Contains(TargetColumns(), name):
			f.add(line, "unknown column %s: %s", show(cell), remedy(name, TargetColumns()))
		case slices.Contains(columns, name):
			f.add(line, "column %s is there twice: keep one of them", name)
		}
		columns[i] = name
	}
	if len(f.list) > before {
		return nil
	}
	return columns
}

// plainCell takes the quote off a cell that begins like a formula: what writes tables for
// spreadsheets puts it there, as we do.
func plainCell(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@", rune(cell[1])) {
		cell = cell[1:]
	}
	return strings.TrimFunc(cell, unicode.IsSpace)
}
