package web

// confirmView asks before something is done that cannot be undone.
type confirmView struct {
	Title, Text string
	Section     string
	Action      string // address of the form, without the base
	Fields      []hidden
	Button      string
	Back        string // address, without the base
}

// hidden is a field that nobody types into.
type hidden struct{ Name, Value string }

func (v confirmView) title() string   { return v.Title }
func (v confirmView) section() string { return v.Section }
