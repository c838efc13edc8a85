package load

import (
	"maps"
	"slices"

	"ownmap/pipeline/state"
)

// Settings returns everything that can be set on the web page as it is in force, and where
// each was set.
func (c Config) Settings() state.Settings {
	s := state.Settings{
		Schedule: state.ScheduleSetting{Words: c.Schedule, Zone: c.clock().String(), Held: c.held(state.SettingSchedule, "", "schedule")},
		Remind:   state.RemindSetting{Words: slices.Clone(c.Remind), Held: c.held(state.SettingRemind, "", "remind")},
		Unused:   slices.Clone(c.set.unused),
	}
	builtIn := builtInProfiles()
	for _, name := range slices.Sorted(maps.Keys(c.Profiles)) {
		p := c.Profiles[name]
		ports, _ := p.Ports.MarshalText()
		_, known := builtIn[name]
		s.Profiles = append(s.Profiles, state.ProfileSetting{
			Name: name, Ports: string(ports), UDP: p.UDP.String(), Services: p.Services, Timing: p.Timing,
			VersionIntensity: p.VersionIntensity, Scripts: slices.Clone(p.Scripts), BuiltIn: known,
			Held: c.held(state.SettingProfile, name, "profiles."+name),
		})
	}
	for i, w := range c.Windows {
		s.Windows = append(s.Windows, state.WindowSetting{
			Name: w.Name, When: w.When, For: w.For.String(), Quiet: w.Quiet, Tags: slices.Clone(w.Tags), Owners: slices.Clone(w.Owner),
			Hosts: texts(w.Hosts), Held: c.held(state.SettingWindow, w.Name, element(state.SettingWindow, i)),
		})
	}
	for i, spec := range c.Exclude {
		s.Exclude = append(s.Exclude, state.ExcludeSetting{
			Spec: spec, Reason: c.set.reasons[spec.String()], Held: c.held(state.SettingExclude, spec.String(), element(state.SettingExclude, i)),
		})
	}
	return s
}

// held says where something in force was set: at a path of the file, or on the page.
func (c Config) held(key state.SettingKey, name, path string) state.Held {
	if where := c.whereIs(path); where != "" {
		return state.Held{Source: state.Source{Where: where}}
	}
	s, ok := c.set.settings[state.Setting{Key: key, Name: name}.Label()]
	if !ok {
		return state.Held{}
	}
	return state.Held{Source: state.Source{By: s.By, At: s.At}, Version: s.Version}
}

func texts(specs []state.Spec) []string {
	list := make([]string, len(specs))
	for i, spec := range specs {
		list[i] = spec.String()
	}
	return list
}
