package load

import (
	"fmt"
	"strings"

	"ownmap/pipeline/state"
)

// CheckTarget returns a state.RefusedError with everything that is wrong with a target that
// somebody typed elsewhere than into the config, by the rules of the config. The caps are
// those of the config: nothing else raises them.
func (c Config) CheckTarget(t state.Target) error {
	found := []error{t.Spec.CheckCap(c.Scan.MaxAddresses), c.CheckProfile(t.Profile), checkOwner(t.Owner), checkTypedSSH(t.SSH)}
	if t.Vantage != "" {
		found = append(found, CheckVantage(t.Vantage))
	}
	for _, tag := range t.Tags {
		found = append(found, checkTag(tag))
	}
	if len(t.Tags) > maxTags {
		found = append(found, fmt.Errorf("%d tags: a target has at most %d", len(t.Tags), maxTags))
	}
	for _, spec := range t.Exclude {
		found = append(found, CheckExclusion(spec))
	}
	var reasons []string
	for _, err := range found {
		if err != nil {
			reasons = append(reasons, err.Error())
		}
	}
	if len(reasons) > 0 {
		return &state.RefusedError{Reasons: reasons}
	}
	return nil
}

// maxTags is how many tags a typed target may have.
const maxTags = 32

func checkTag(text string) error {
	const most = 64
	if text == "" || len(text) > most || text != state.Clean(text) || strings.ContainsAny(text, " ,") {
		return fmt.Errorf("tag %s: it takes a word of 1 to %d bytes without spaces, commas and control characters", show(text), most)
	}
	return nil
}

func checkOwner(text string) error {
	const most = 254 // a mail address (RFC 5321 with erratum 1690)
	if len(text) > most || text != state.Clean(text) {
		return fmt.Errorf("owner %s: it takes a name or a mail address of at most %d bytes without control characters", show(text), most)
	}
	return nil
}

func checkTypedSSH(t state.TargetSSH) error {
	switch {
	case t.Look != state.LookAsConfig && t.Look != state.LookOn && t.Look != state.LookOff:
		return fmt.Errorf("ssh %s: it takes on or off, or nothing for what the config says", show(string(t.Look)))
	case t.User != "" && !isUser(t.User):
		return fmt.Errorf("ssh user %s: it takes the name of a user, without blanks and not beginning with a dash", show(t.User))
	}
	return nil
}
