package email

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
	"time"

	"ownmap/pipeline/state"
)

// whichRun says which run this is.
func whichRun(r state.Report) string {
	const minute = "2006-01-02 15:04"
	text := fmt.Sprintf("Run %d of %s %s", r.Run.ID, r.Run.StartedAt.Format(minute), zone(r.Run.StartedAt))
	if took := r.Run.Took(); took != "" {
		text += ", took " + took
	}
	if scanner := r.Run.Scanner.String(); scanner != "" {
		text += ", " + scanner
	}
	if len(r.Run.Only) > 0 {
		text += ", only " + strings.Join(r.Run.Only, " ")
	}
	if r.Previous != nil {
		text += fmt.Sprintf(", compared with run %d of %s", r.Previous.ID, r.Previous.StartedAt.Format(minute))
	}
	return say(text, longNote)
}

func zone(t time.Time) string { return t.Location().String() }

// tiles are the numbers that a reader looks for first.
func tiles(r state.Report, counts string, waiting []state.Waiting, told []state.Finding) []tile {
	all, oldest := 0, r.Run.StartedAt
	for _, w := range waiting {
		all += w.All
		if w.Oldest.Before(oldest) {
			oldest = w.Oldest
		}
	}
	changes := tile{strconv.Itoa(len(r.Changes)), plural(len(r.Changes), "change", "changes"), counts}
	if r.Run.Baseline {
		changes = tile{"–", "changes", "baseline"}
	}
	unapproved := tile{strconv.Itoa(all), "unapproved", ""}
	if all > 0 {
		unapproved.Note = "oldest " + state.Age(oldest, r.Run.StartedAt)
		if unapproved.Note == "oldest new" {
			unapproved.Note = "all new"
		}
	}
	list := []tile{changes, unapproved}
	if r.Inside.Hosts > 0 || len(told) > 0 {
		inside := tile{strconv.Itoa(len(told)), plural(len(told), "disagreement", "disagreements"), ""}
		if grave := r.Grave(); grave > 0 {
			inside.Note = strconv.Itoa(grave) + " grave"
		}
		list = append(list, inside)
	}
	hosts := tile{strconv.Itoa(r.Coverage.Answered), "of " + state.Count(r.Coverage.Hosts, "host", "hosts"), "answered"}
	return append(list, hosts)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// outlook is what only Outlook on Windows reads: comments, which html/template would
// take out of a template.
type outlook struct{ Style, Open, Close, Else, End template.HTML }

// forOutlook gives Outlook, which knows no largest width, a table of that width.
func forOutlook() outlook {
	return outlook{
		Style: `<!--[if mso]><style>.preheader { mso-hide: all; }</style><![endif]-->`,
		Open:  `<!--[if mso]><table role="presentation" align="center" width="720" cellpadding="0" cellspacing="0" border="0"><tr><td width="720"><![endif]-->`,
		Close: `<!--[if mso]></td></tr></table><![endif]-->`,
		Else:  `<!--[if !mso]><!-->`,
		End:   `<!--<![endif]-->`,
	}
}

func newButton(words, link string, accent state.Accent) *button {
	shape := `<!--[if mso]><v:roundrect xmlns:v="urn:schemas-microsoft-com:vml" xmlns:w="urn:schemas-microsoft-com:office:word" href="` + html.EscapeString(link) +
		`" style="height:40px;v-text-anchor:middle;width:280px" arcsize="14%" stroke="f" fillcolor="` + html.EscapeString(accent.Light) +
		`"><w:anchorlock/><center style="color:#ffffff;font-family:Segoe UI,Arial,sans-serif;font-size:15px;font-weight:bold">` + html.EscapeString(words) +
		`</center></v:roundrect><![endif]-->`
	return &button{Words: words, Link: link, Shape: template.HTML(shape)} //nolint:gosec // both texts are escaped
}
