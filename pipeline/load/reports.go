package load

import (
	"time"

	"gopkg.in/yaml.v3"

	"ownmap/pipeline/state"
)

// Reports says what all reports look like.
type Reports struct {
	Organisation string `yaml:"organisation"` // whose reports they are; empty: not named
	Logo         string `yaml:"logo"`         // absolute; a PNG or an SVG
	Accent       string `yaml:"accent"`       // "#0b57a4"; empty: OwnMap's own
	TimeZone     string `yaml:"time_zone"`    // of all dates that people read
	Templates    string `yaml:"templates"`    // absolute; a folder whose files go before the built-in templates
	Inventory    int    `yaml:"inventory"`    // ports that the PDF lists at most; 0: all
	Fonts        string `yaml:"fonts"`        // absolute; a folder of TrueType fonts for the PDF

	logo   state.Logo
	accent state.Accent
	line   int // of logo
}

// Mail says how reports are mailed.
type Mail struct {
	Subject string `yaml:"subject"` // SubjectConstant or SubjectCounts
}

// The subjects of mails.
const (
	SubjectConstant = "constant" // the same in every mail, so that they are one thread
	SubjectCounts   = "counts"   // the verdict with its counts
)

// Metrics says where numbers for a monitoring system are written.
type Metrics struct {
	Textfile string `yaml:"textfile"` // absolute; for the textfile collector of Prometheus' node exporter
}

// Brand is whose reports they are.
func (r Reports) Brand() state.Brand {
	return state.Brand{Organisation: r.Organisation, Logo: r.logo, Accent: r.accent}
}

// Zone is the time zone of all dates that people read.
func (r Reports) Zone() *time.Location {
	if zone, err := time.LoadLocation(r.TimeZone); err == nil { // the parser saw to it
		return zone
	}
	return time.UTC
}

// maxInventory guards against a PDF of a hundred thousand pages.
const maxInventory = 1_000_000

func (p *parser) reports(node *yaml.Node) {
	r := &p.config.Reports
	p.fields(node, "reports",
		key{"organisation", func(n *yaml.Node) { p.name(n, "reports.organisation", &r.Organisation) }},
		key{"logo", func(n *yaml.Node) { p.path(n, "reports.logo", &r.Logo); r.line = n.Line }},
		key{"accent", func(n *yaml.Node) { p.accent(n, r) }},
		key{"time_zone", func(n *yaml.Node) { p.timeZone(n, "reports.time_zone", &r.TimeZone) }},
		key{"templates", func(n *yaml.Node) { p.path(n, "reports.templates", &r.Templates) }},
		key{"inventory", func(n *yaml.Node) { p.whole(n, "reports.inventory", 0, maxInventory, &r.Inventory) }},
		key{"fonts", func(n *yaml.Node) { p.path(n, "reports.fonts", &r.Fonts) }},
	)
}

// name reads a line of text for people.
func (p *parser) name(node *yaml.Node, what string, into *string) {
	const most = 80
	text, ok := p.text(node, what)
	switch {
	case !ok:
	case len(text) > most || text != state.Clean(text):
		p.add(node.Line, "%s %s: it takes a line of at most %d bytes without control characters", what, show(text), most)
	default:
		*into = text
	}
}

func (p *parser) accent(node *yaml.Node, r *Reports) {
	text, ok := p.text(node, "reports.accent")
	if !ok || text == "" {
		return
	}
	accent, err := state.ParseAccent(text)
	if err != nil {
		p.add(node.Line, "reports.accent: %s", err)
		return
	}
	r.Accent, r.accent = text, accent
}

// readLogo reads the picture that the config names.
func (p *parser) readLogo() {
	r := &p.config.Reports
	if r.Logo == "" {
		return
	}
	data, _, err := readFile(r.Logo, maxConfig)
	if err != nil {
		p.add(r.line, "reports.logo: %s; correct the path, or the rights of the file", err)
		return
	}
	if r.logo, err = state.ParseLogo(data); err != nil {
		p.add(r.line, "reports.logo: %s %s", r.Logo, err)
	}
}

func (p *parser) mail(node *yaml.Node) {
	p.fields(node, "mail", key{"subject", func(n *yaml.Node) {
		text, ok := p.text(n, "mail.subject")
		known := []string{SubjectConstant, SubjectCounts}
		switch {
		case !ok || text == "":
		case text != SubjectConstant && text != SubjectCounts:
			p.add(n.Line, "mail.subject: unknown subject %s: %s", show(text), remedy(text, known))
		default:
			p.config.Mail.Subject = text
		}
	}})
}

func (p *parser) metrics(node *yaml.Node) {
	p.fields(node, "metrics", key{"textfile", func(n *yaml.Node) { p.path(n, "metrics.textfile", &p.config.Metrics.Textfile) }})
}
