package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ownmap/pipeline/state"
)

// targetForm is what is typed of a target, and what there is to choose from.
type targetForm struct {
	Specs   string // several, when it is a new one
	Tags    string
	Owner   string
	Profile string
	Vantage string
	Exclude string
	Look    string // state.LookWord
	User    string
	Port    string
	Faults  []string

	Profiles []string
	Vantages []string
	Owners   []string
}

// offer says what there is to choose from: what other targets have.
func (f *targetForm) offer(settings state.Settings, rows []state.TargetRow) {
	const most = 200
	for _, p := range settings.Profiles {
		f.Profiles = append(f.Profiles, p.Name)
	}
	if f.Profile != "" && !slices.Contains(f.Profiles, f.Profile) {
		f.Profiles = append(f.Profiles, f.Profile)
	}
	f.Vantages = []string{state.DefaultVantage}
	for _, t := range rows {
		f.Vantages = append(f.Vantages, t.Vantage)
		if t.Owner != "" {
			f.Owners = append(f.Owners, t.Owner)
		}
	}
	distinct := func(list []string) []string {
		slices.Sort(list)
		list = slices.Compact(list)
		return list[:min(most, len(list))]
	}
	f.Vantages, f.Owners = distinct(f.Vantages), distinct(f.Owners)
}

// formOf is the form of a target that there is.
func formOf(t state.Target) targetForm {
	f := targetForm{
		Specs: t.Spec.String(), Tags: strings.Join(t.Tags, " "), Owner: t.Owner, Profile: t.Profile, Vantage: t.Vantage,
		Look: string(t.SSH.Look), User: t.SSH.User,
	}
	exclude := make([]string, len(t.Exclude))
	for i, spec := range t.Exclude {
		exclude[i] = spec.String()
	}
	f.Exclude = strings.Join(exclude, " ")
	if t.SSH.Port != 0 {
		f.Port = strconv.Itoa(int(t.SSH.Port))
	}
	return f
}

// How many targets can be typed in one go.
const targetsTyped = 100

// readTarget reads the form of a target, or of several that are alike. What is wrong with it
// is in its Faults; an error is what no page of ours would have sent.
func readTarget(r *http.Request, several bool) (targetForm, []state.Target, error) {
	var f targetForm
	for _, read := range []struct {
		name  string
		limit int
		into  *string
	}{
		{"targets", 8000, &f.Specs},
		{"tags", 2200, &f.Tags},
		{"owner", 254, &f.Owner},
		{"profile", 64, &f.Profile},
		{"vantage", 64, &f.Vantage},
		{"exclude", 4000, &f.Exclude},
		{"look", 8, &f.Look},
		{"user", 64, &f.User},
		{"port", 8, &f.Port},
	} {
		text, err := field(r, read.name, read.limit)
		if err != nil {
			return f, nil, err
		}
		*read.into = text
	}
	specs := f.specs(f.Specs)
	common := state.Target{
		Tags: typedWords(f.Tags), Owner: f.Owner, Profile: f.Profile, Vantage: f.Vantage, Exclude: f.specs(f.Exclude), Origin: state.OriginWeb,
		SSH: state.TargetSSH{Look: state.LookWord(f.Look), User: f.User},
	}
	if f.Vantage == "" {
		common.Vantage = state.DefaultVantage
	}
	if f.Port != "" {
		port, err := strconv.ParseUint(f.Port, 10, 16)
		if err != nil || port == 0 {
			f.Faults = append(f.Faults, "The port of SSH is a number from 1 to 65535.")
		}
		common.SSH.Port = uint16(port)
	}
	switch {
	case len(f.Faults) > 0:
	case len(specs) == 0:
		f.Faults = append(f.Faults, "Name an address, prefix, range or DNS name.")
	case len(specs) > 1 && !several:
		f.Faults = append(f.Faults, "A target is one address, prefix, range or DNS name: add others as targets of their own.")
	case len(specs) > targetsTyped:
		f.Faults = append(f.Faults, fmt.Sprintf("These are %d targets; type %d at most, or import a file.", len(specs), targetsTyped))
	}
	targets := make([]state.Target, len(specs))
	for i, spec := range specs {
		targets[i] = common
		targets[i].Spec = spec
	}
	return f, targets, nil
}

// specs reads addresses, prefixes, ranges and names.
func (f *targetForm) specs(text string) []state.Spec {
	var specs []state.Spec
	for _, word := range typedWords(text) {
		spec, err := state.ParseSpec(word)
		switch {
		case err != nil:
			f.Faults = append(f.Faults, sentences([]string{err.Error()}))
		case !slices.Contains(specs, spec):
			specs = append(specs, spec)
		}
		if len(f.Faults) >= 10 {
			break
		}
	}
	return specs
}
