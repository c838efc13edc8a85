// Package pdf writes a run's report as a PDF: for those who print, sign and file. It is
// a pure function of the report: the same run gives the same bytes.
package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/phpdave11/gofpdf"

	"ownmap/pipeline/state"
)

// Options say what the PDF looks like.
type Options struct {
	Brand     state.Brand
	Inventory int      // ports that the inventory lists at most; 0: all
	FontDir   string   // TrueType fonts for characters that OwnMap's own has not; empty: such are escaped
	Notices   []string // what a reader should know of how the report was made
}

// Renderer writes PDFs. It is safe for concurrent use.
type Renderer struct {
	options Options
}

// New returns a renderer.
func New(options Options) *Renderer { return &Renderer{options} }

// Write writes the PDF of a run. It writes nothing unless the whole is a valid PDF; a
// library that panics is an error.
func (r *Renderer) Write(w io.Writer, report state.Report) error {
	content, err := r.render(report)
	if err != nil {
		return fmt.Errorf("PDF of run %d: %w", report.Run.ID, err)
	}
	_, err = w.Write(content)
	return err
}

func (r *Renderer) render(report state.Report) ([]byte, error) {
	content, err := r.options.render(report)
	if err == nil || r.options.FontDir == "" {
		return content, err
	}
	// A broken font is seen only when it is drawn: it must not cost the report.
	plain := r.options
	plain.FontDir = ""
	plain.Notices = append(slices.Clone(plain.Notices), "The fonts in "+r.options.FontDir+" cannot be used: what OwnMap's own font lacks is written as its code, \\u{65e5}.")
	if content, again := plain.render(report); again == nil {
		return content, nil
	}
	return nil, err
}

func (o Options) render(report state.Report) (content []byte, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			content, err = nil, fmt.Errorf("%v\n%s", fault, debug.Stack())
		}
	}()
	settle()
	d, err := o.compose(report)
	if err != nil {
		return nil, err
	}
	blank, err := d.blank(report, o.Brand)
	if err != nil {
		return nil, err
	}
	if content, err = d.fill(blank, finished(report.Run)); err != nil {
		return nil, err
	}
	return content, validate(content)
}

// settle brings two libraries to their senses: pdfcpu is not to make a folder in the
// user's home, and gofpdf is to write fonts and pictures in the same order each time.
var settle = sync.OnceFunc(func() {
	api.DisableConfigDir()
	gofpdf.SetDefaultCatalogSort(true)
})

// validate says whether a PDF is whole (ISO 32000-1), by another library than the one
// that made it.
func validate(content []byte) error {
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	conf.Optimize, conf.OptimizeBeforeWriting = false, false
	if !bytes.HasSuffix(bytes.TrimSpace(content), []byte("%%EOF")) {
		return errors.New("the PDF has no end")
	}
	if err := api.Validate(bytes.NewReader(content), conf); err != nil {
		return fmt.Errorf("the PDF is not valid: %w", err)
	}
	return nil
}
