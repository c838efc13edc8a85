package persist

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"ownmap/pipeline/state"
	"ownmap/queries"
)

// ConfigTargetError says that a target is written down in the config file, which
// nothing else changes.
type ConfigTargetError struct {
	Spec  string
	Where string // "ownmap.yaml:14"; empty when the caller has to find out
}

// Error names the target and the remedy.
func (e *ConfigTargetError) Error() string {
	return fmt.Sprintf("%s is set in %s: remove it there", e.Spec, cmp.Or(e.Where, "the config file"))
}

// UnknownTargetError says that there is no such target.
type UnknownTargetError struct {
	Spec string
	Near []string // targets that were set on the command line or the web page
}

// Error names the target and those that there are.
func (e *UnknownTargetError) Error() string {
	msg := e.Spec + " is no target"
	if len(e.Near) > 0 {
		msg += "; did you mean " + strings.Join(e.Near, " or ") + "?"
	}
	return msg
}

// AddTargets stores targets of the origins cli and web and returns how many of
// them are new or different: one that is there already, of the same origin, gets
// the new attributes. It is all or nothing, and audited.
func (b *Book) AddTargets(ctx context.Context, targets []state.Target, by state.Actor) (int, error) {
	added := 0
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		open, err := openTargets(ctx, q)
		if err != nil {
			return err
		}
		at := map[home]state.Target{}
		for _, o := range open {
			at[homeOf(o)] = o
		}
		for _, t := range targets {
			if t.Origin != state.OriginCLI && t.Origin != state.OriginWeb {
				return fmt.Errorf("add %s: origin %q is not to be edited", t.Spec, t.Origin)
			}
			t = written(t)
			changed, err := putTarget(ctx, q, at, t)
			if err != nil {
				return err
			}
			if !changed {
				continue
			}
			added++
			if err := auditTarget(ctx, q, "target-add", t, by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("targets: %w", err)
	}
	return added, nil
}

// written brings a target into the form that is stored.
func written(t state.Target) state.Target {
	t.Vantage = cmp.Or(t.Vantage, state.DefaultVantage)
	t.Tags = slices.Compact(slices.Sorted(slices.Values(t.Tags)))
	t.Exclude = uniqueSpecs(slices.Clone(t.Exclude))
	return t
}

// home is the place of a target, and where it was written down: there is one of each.
type home struct {
	place
	origin state.Origin
}

func homeOf(t state.Target) home { return home{placeOf(t), t.Origin} }

// putTarget makes t one of the open targets.
func putTarget(ctx context.Context, q *queries.Queries, open map[home]state.Target, t state.Target) (changed bool, err error) {
	if was, found := open[homeOf(t)]; found {
		if sameTarget(was, t) {
			return false, nil
		}
		if err := q.RemoveTargets(ctx, []int64{was.ID}); err != nil {
			return false, fmt.Errorf("end %s: %w", t.Spec, err)
		}
	}
	if err := addTarget(ctx, q, &t); err != nil {
		return false, err
	}
	open[homeOf(t)] = t
	return true, nil
}

// RemoveTargets removes the targets of these specs, from every vantage, that
// were set on the command line or the web page, and returns how many; what is
// known of their hosts is kept. It is all or nothing, and audited. A spec that
// only the config has is a ConfigTargetError, one that nobody set an
// UnknownTargetError.
func (b *Book) RemoveTargets(ctx context.Context, specs []state.Spec, by string) (int, error) {
	removed := 0
	err := b.inStateTx(ctx, func(q *queries.Queries) error {
		open, err := openTargets(ctx, q)
		if err != nil {
			return err
		}
		var ids []int64
		for _, spec := range specs {
			found, err := editable(open, spec)
			if err != nil {
				return err
			}
			for _, t := range found {
				if slices.Contains(ids, t.ID) {
					continue // named twice
				}
				ids = append(ids, t.ID)
				if err := auditTarget(ctx, q, "target-remove", t, state.Actor{Name: by, Via: string(t.Origin)}); err != nil {
					return err
				}
			}
		}
		removed = len(ids)
		return q.RemoveTargets(ctx, ids)
	})
	if err != nil {
		return 0, fmt.Errorf("targets: %w", err)
	}
	return removed, nil
}

// editable returns the targets of a spec that are not the config's.
func editable(open []state.Target, spec state.Spec) ([]state.Target, error) {
	var found []state.Target
	var near []string
	var config *state.Target
	for _, t := range open {
		switch {
		case t.Spec.String() != spec.String():
			if t.Origin != state.OriginConfig && alike(spec.String(), t.Spec.String()) {
				near = append(near, t.Spec.String())
			}
		case t.Origin == state.OriginConfig:
			config = &t
		default:
			found = append(found, t)
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case config != nil:
		return nil, &ConfigTargetError{Spec: spec.String(), Where: config.Where}
	}
	return nil, &UnknownTargetError{Spec: spec.String(), Near: near[:min(3, len(near))]}
}
