package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"ownmap/pipeline/alert"
	"ownmap/pipeline/load"
	"ownmap/pipeline/state"
	"ownmap/reports/email"
	"ownmap/reports/export"
	"ownmap/reports/pdf"
	"ownmap/reports/short"
	"ownmap/reports/site"
	"ownmap/reports/text"
	"ownmap/templates"
)

// appearance is what reports look like, as the config says; the zero value is how they
// look without one.
type appearance struct {
	brand     state.Brand
	templates *templates.Set // nil: the built-in ones
	inventory int            // ports that the PDF lists at most; 0: all
	fonts     string         // folder of more fonts for the PDF
	subject   string         // of mails
	archive   string         // URL of the archive; empty: nobody said
}

func appearanceOf(c load.Config) appearance {
	return appearance{
		brand: c.Reports.Brand(), templates: templates.New(c.Reports.Templates), inventory: c.Reports.Inventory, fonts: c.Reports.Fonts,
		subject: c.Mail.Subject, archive: c.Archive.URL,
	}
}

func (l appearance) set() *templates.Set {
	if l.templates == nil {
		return templates.New("")
	}
	return l.templates
}

// page returns the address of a run's page in the archive; empty: it has none that
// others could open.
func (l appearance) page(run int64) string {
	if l.archive == "" {
		return ""
	}
	return site.New(site.Options{BaseURL: l.archive}).RunPath(run)
}

func (l appearance) pdf(w io.Writer, report state.Report) error {
	return pdf.New(pdf.Options{Brand: l.brand, Inventory: l.inventory, FontDir: l.fonts, Notices: l.set().Notices()}).Write(w, report)
}

// anyPDF is pdf for the archive, which no fault of a library is to hold up: in place of
// a PDF that cannot be made stands one that says so.
func (l appearance) anyPDF(w io.Writer, report state.Report) error {
	fault := l.pdf(w, report)
	if fault == nil {
		return nil
	}
	why, _, _ := strings.Cut(fault.Error(), "\n")
	cover := state.Report{Run: report.Run, Previous: report.Previous, Coverage: report.Coverage}
	notices := append(l.set().Notices(), "This PDF could not be made whole: "+why+". The pages of the archive have all of the run.")
	return pdf.New(pdf.Options{Brand: l.brand, Notices: notices}).Write(w, cover)
}

// site returns the archive in a folder, read at a URL if there is one.
func (l appearance) site(dir string, source site.Source, keep site.Retention) *site.Site {
	return site.New(site.Options{
		Dir: dir, BaseURL: l.archive, Source: source, Templates: l.set(), Brand: l.brand, Version: buildVersion(), Keep: keep,
		Formats: []site.Format{{Ext: "pdf", Write: l.anyPDF}, {Ext: "json", Write: export.CompactJSON}, {Ext: "csv", Write: export.CSV}},
	})
}

// unsent is who a mail is from that nobody sends: one to look at.
const unsent = "ownmap@localhost"

// mailOptions is what all mails have in common, but for who sends them.
func (l appearance) mailOptions() email.Options {
	options := email.Options{Templates: l.set(), Brand: l.brand, Subject: email.Subjects(cmp.Or(l.subject, load.SubjectConstant))}
	if l.archive != "" {
		options.Links.Host = site.New(site.Options{BaseURL: l.archive}).HostPath
	}
	return options
}

// mail writes the mail of a run as a file, to be looked at.
func (l appearance) mail(w io.Writer, report state.Report) error {
	options := l.mailOptions()
	options.From = unsent
	mailer, err := email.New(options)
	if err != nil {
		return err
	}
	message := state.Message{
		ID: fmt.Sprintf("run-%d.file", report.Run.ID), Kind: alert.KindOf(report), Recipient: unsent, At: report.Run.StartedAt, Report: &report,
		Links: state.MessageLinks{Run: l.page(report.Run.ID)},
	}
	if report.Run.FinishedAt != nil {
		message.At = *report.Run.FinishedAt
	}
	out, err := mailer.Render(message)
	if err != nil {
		return err
	}
	_, err = out.WriteTo(w)
	return err
}

// message writes a short message.
func (l appearance) message(w io.Writer, report state.Report) error {
	words, err := short.New(short.Options{Templates: l.set(), Organisation: l.brand.Organisation}).Render(
		state.Message{Kind: alert.KindOf(report), Report: &report, Links: state.MessageLinks{Run: l.page(report.Run.ID)}})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, words+"\n")
	return err
}

func (l appearance) html(w io.Writer, report state.Report) error {
	return site.Standalone(w, report, l.set(), l.brand)
}

// reportFormat is a form in which `ownmap report` writes a run.
type reportFormat struct {
	names []string // the first is the one to show
	ext   string   // of a file of that form
	write func(io.Writer, state.Report) error
}

// reportFormats returns the forms that there are, in the order in which help names
// them.
func (a *app) reportFormats(l appearance) []reportFormat {
	return []reportFormat{
		{[]string{"text"}, "txt", func(w io.Writer, r state.Report) error { return text.Report(w, r, a.textOptions()) }},
		{[]string{"html"}, "html", l.html},
		{[]string{"pdf"}, "pdf", l.pdf},
		{[]string{"eml"}, "eml", l.mail},
		{[]string{"short"}, "txt", l.message},
		{[]string{"markdown", "md"}, "md", export.Markdown},
		{[]string{"json"}, "json", export.JSON},
		{[]string{"csv"}, "csv", export.CSV},
		{[]string{"nmap"}, "xml", export.NmapXML},
		{[]string{"ndiff"}, "xml", export.ChangesXML},
	}
}

// formatNames lists the formats: "text, html or csv".
func (a *app) formatNames() string {
	var names []string
	for _, f := range a.reportFormats(appearance{}) {
		names = append(names, f.names[0])
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
