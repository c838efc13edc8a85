package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// Desk is where people set what is scanned and how, by the rules of the config file.
// Package pipeline/desk implements it. What is wrong with what was typed is a
// state.RefusedError, what the file sets a state.LockedError, and what somebody else has
// changed meanwhile a state.ChangedError.
type Desk interface {
	Settings(ctx context.Context) (state.Settings, error)
	Set(ctx context.Context, change state.SettingChange) error
	// Upcoming returns the next times of a schedule in five fields of cron.
	Upcoming(words string) ([]time.Time, error)
	NextRun(ctx context.Context) (state.NextRun, error)

	Targets(ctx context.Context) ([]state.TargetRow, error)
	AddTargets(ctx context.Context, targets []state.Target, by state.Actor) (added int, warnings []string, err error)
	ChangeTarget(ctx context.Context, id int64, target state.Target, by state.Actor) (warnings []string, err error)
	RemoveTarget(ctx context.Context, id int64, by state.Actor) error
	// ReadTargets reads a file, of a format or (empty) of what its content says, and keeps
	// nothing; notes say what of it is no target.
	ReadTargets(ctx context.Context, file io.Reader, name, format string, common state.Target) (targets []state.TargetImport, notes []string, err error)

	// AskTest asks for a test, which a worker does.
	AskTest(ctx context.Context, spec state.Spec, vantage string, by state.Actor) (id int64, err error)
	Test(ctx context.Context, id int64) (t state.TargetTest, ok bool, err error)
}

// deskFault is what the errors of a desk say, and the status of HTTP; nil: it is none.
func deskFault(err error) *fault {
	var refused *state.RefusedError
	var locked *state.LockedError
	var changed *state.ChangedError
	switch {
	case errors.As(err, &refused):
		return &fault{Status: http.StatusUnprocessableEntity, Text: sentences(refused.Reasons), Hint: "Nothing was changed."}
	case errors.As(err, &locked):
		return &fault{Status: http.StatusConflict, Text: sentences([]string{locked.Error()}), Hint: "What the file sets goes before what is set here."}
	case errors.As(err, &changed):
		return &fault{Status: http.StatusConflict, Text: sentences([]string{changed.Error()}), Hint: "Nothing was changed."}
	}
	return nil
}

// sentences makes sentences of what is wrong.
func sentences(reasons []string) string {
	list := make([]string, 0, len(reasons))
	for _, reason := range reasons {
		if reason = strings.TrimSpace(reason); reason == "" {
			continue
		}
		reason = strings.ToUpper(reason[:1]) + reason[1:]
		if !strings.ContainsAny(reason[len(reason)-1:], ".?!") {
			reason += "."
		}
		list = append(list, reason)
	}
	return strings.Join(list, " ")
}

// reasons returns what is wrong with what was typed, for the page with the form to show;
// an error that is no matter of the form is returned as it is.
func reasons(err error) ([]string, int, error) {
	var refused *state.RefusedError
	switch f := deskFault(err); {
	case f == nil:
		return nil, 0, err
	case errors.As(err, &refused):
		list := make([]string, len(refused.Reasons))
		for i, reason := range refused.Reasons {
			list[i] = sentences([]string{reason})
		}
		return list, f.Status, nil
	default:
		return []string{f.Text}, f.Status, nil
	}
}

// typedWords splits what people type into one field.
func typedWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,;\t\r\n", r) })
}
