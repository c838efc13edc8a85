package load

import "fmt"

// NotTargetError says that a run was narrowed to something that no target holds.
type NotTargetError struct {
	Entry string // canonical
	Like  string // the target that was meant, perhaps; or empty
}

// Error names the entry and how to make it a target.
func (e *NotTargetError) Error() string {
	text := fmt.Sprintf("%s is not a target; add it with `ownmap targets add %s`", e.Entry, e.Entry)
	if e.Like != "" {
		text += fmt.Sprintf("; did you mean %s?", e.Like)
	}
	return text
}

// ExcludedError says that a run was narrowed to something that is excluded.
type ExcludedError struct {
	Entry string // canonical
	By    string // the exclusion, if there is one that holds all of the entry
}

// Error names the entry and the exclusion.
func (e *ExcludedError) Error() string {
	if e.By == "" {
		return e.Entry + " is excluded; see exclude in ownmap.yaml and on the web page, and `ownmap targets list`"
	}
	return fmt.Sprintf("%s is excluded by %s; see exclude in ownmap.yaml and on the web page, and `ownmap targets list`", e.Entry, e.By)
}

// NoTagError says that a run was narrowed to a tag that no target has.
type NoTagError struct {
	Tag  string
	Tags []string // that targets have, sorted
}

// Error names the tag and the remedy.
func (e *NoTagError) Error() string {
	text := "no target has the tag " + show(e.Tag)
	if len(e.Tags) == 0 {
		return text + "; give one with `ownmap targets add HOST --tag NAME`"
	}
	return text + ": " + remedy(e.Tag, e.Tags)
}
