package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"ownmap/pipeline/load"
	"ownmap/pipeline/persist"
	"ownmap/pipeline/state"
)

// Targets returns all targets, each where it was set, with what is known of their hosts:
// those of the file first. It changes nothing.
func (d *Desk) Targets(ctx context.Context) ([]state.TargetRow, error) {
	config, own, err := d.targets(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := d.Book.TargetHosts(ctx)
	if err != nil {
		return nil, err
	}
	all := slices.Concat(config.StateTargets(), own)
	exclusions := load.NewPlanner(config, nil).Exclusions(all)
	inFile := map[persist.TargetPlace]bool{}
	rows := make([]state.TargetRow, len(all))
	for i, t := range all {
		t.Vantage = cmp.Or(t.Vantage, state.DefaultVantage)
		place := persist.TargetPlace{Spec: t.Spec.String(), Vantage: t.Vantage}
		rows[i] = state.TargetRow{Target: t, Hosts: counts[place].Known, Up: counts[place].Up, Shadowed: inFile[place]}
		inFile[place] = inFile[place] || t.Origin == state.OriginConfig
		var excluded *load.ExcludedError
		if errors.As(exclusions(t.Spec), &excluded) {
			rows[i].Excluded = cmp.Or(excluded.By, "several exclusions")
		}
	}
	return rows, nil
}

// All returns what a run would scan, one target for each spec and vantage, as the book
// merges them. It changes nothing.
func (d *Desk) All(ctx context.Context) ([]state.Target, error) {
	config, own, err := d.targets(ctx)
	if err != nil {
		return nil, err
	}
	return persist.Merge(config.StateTargets(), own), nil
}

// targets returns the config in force, and the targets that are not of the file.
func (d *Desk) targets(ctx context.Context) (load.Config, []state.Target, error) {
	config, err := d.config(ctx)
	if err != nil {
		return config, nil, err
	}
	own, err := d.Book.OwnTargets(ctx)
	return config, own, err
}

// AddTargets adds targets that somebody typed, all or none, and returns how many of them
// are new or different, and what whoever added them should know: that one of them will not
// be scanned, or by no known worker. What is wrong with them is a state.RefusedError.
func (d *Desk) AddTargets(ctx context.Context, targets []state.Target, by state.Actor) (added int, warnings []string, err error) {
	config, own, err := d.targets(ctx)
	if err != nil {
		return 0, nil, err
	}
	var reasons []string
	for _, t := range targets {
		var refused *state.RefusedError
		if errors.As(config.CheckTarget(t), &refused) {
			reasons = append(reasons, refused.Reasons...)
		}
	}
	if len(reasons) > 0 {
		return 0, nil, &state.RefusedError{Reasons: reasons}
	}
	added, err = d.Book.AddTargets(ctx, targets, by)
	if err != nil {
		return 0, nil, err
	}
	return added, unscanned(config, own, targets), nil
}

// unscanned says what will not be scanned of targets that were just added, and why.
func unscanned(config load.Config, own, added []state.Target) []string {
	before := slices.Concat(config.StateTargets(), own)
	exclusions := load.NewPlanner(config, nil).Exclusions(slices.Concat(before, added))
	var list []string
	vantages := map[string]bool{state.DefaultVantage: true}
	for _, t := range before {
		vantages[t.Vantage] = true
	}
	for _, t := range added {
		if err := exclusions(t.Spec); err != nil {
			list = append(list, fmt.Sprintf("it will not be scanned: %s", err))
		}
		if vantage := cmp.Or(t.Vantage, state.DefaultVantage); !vantages[vantage] {
			vantages[vantage] = true
			list = append(list, fmt.Sprintf("no target was scanned from %s before: some machine must run `ownmap worker --vantage %s`", vantage, vantage))
		}
	}
	return list
}

// ChangeTarget puts another target in the place of one that is not of the file. One that
// somebody else has changed meanwhile is a state.ChangedError, one of the file a
// state.LockedError, and what is wrong with it a state.RefusedError.
func (d *Desk) ChangeTarget(ctx context.Context, id int64, t state.Target, by state.Actor) (warnings []string, err error) {
	config, own, err := d.targets(ctx)
	if err != nil {
		return nil, err
	}
	if err := config.CheckTarget(t); err != nil {
		return nil, err
	}
	if err := d.Book.ReplaceTarget(ctx, id, t, by); err != nil {
		return nil, err
	}
	own = slices.DeleteFunc(own, func(o state.Target) bool { return o.ID == id })
	return unscanned(config, own, []state.Target{t}), nil
}

// RemoveTarget removes a target that is not of the file.
func (d *Desk) RemoveTarget(ctx context.Context, id int64, by state.Actor) error {
	return d.Book.EndTarget(ctx, id, by)
}

// ReadTargets reads a file of targets for an import, and says of each whether it is new; format
// is one of load.TargetFormats, empty: the content says which. Nothing is kept. notes say what
// of the file is no target. Its mistakes are a state.RefusedError.
func (d *Desk) ReadTargets(ctx context.Context, r io.Reader, name, format string, common state.Target) (list []state.TargetImport, notes []string, err error) {
	config, own, err := d.targets(ctx)
	if err != nil {
		return nil, nil, err
	}
	targets, notes, err := config.ImportTargets(r, name, format, common)
	var mistakes load.Errors
	if errors.As(err, &mistakes) {
		reasons := make([]string, len(mistakes))
		for i, mistake := range mistakes {
			reasons[i] = mistake.Error()
		}
		return nil, nil, &state.RefusedError{Reasons: reasons}
	}
	if err != nil {
		return nil, nil, err
	}
	type mention struct {
		spec    state.Spec
		vantage string
		origin  state.Origin
	}
	before := map[mention]*state.Target{}
	for _, o := range own {
		before[mention{o.Spec, o.Vantage, o.Origin}] = &o
	}
	list = make([]state.TargetImport, len(targets))
	for i, t := range targets {
		implied := t.Vantage == ""
		t.Vantage = cmp.Or(t.Vantage, state.DefaultVantage)
		list[i] = state.TargetImport{Target: t, Implied: implied, Was: before[mention{t.Spec, t.Vantage, t.Origin}]}
	}
	return list, notes, nil
}
