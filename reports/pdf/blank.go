package pdf

import (
	"fmt"

	"github.com/johnfercher/go-tree/node"
	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/page"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/extension"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/core/entity"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"github.com/johnfercher/maroto/v2/pkg/repository"

	"ownmap/pipeline/state"
)

// blank has maroto make the document: its pages with the pictures on them, and the fonts
// with the characters that are drawn, which stand on one more page at the end.
func (d *document) blank(report state.Report, brand state.Brand) ([]byte, error) {
	fonts, err := d.fonts.custom()
	if err != nil {
		return nil, err
	}
	title := fmt.Sprintf("OwnMap report: run %d of %s", report.Run.ID, report.Run.StartedAt.Format("2006-01-02"))
	m := maroto.New(config.NewBuilder().
		WithDimensions(pageWidth, pageHeight).
		WithLeftMargin(0).WithTopMargin(0).WithRightMargin(0).WithBottomMargin(0).
		WithSequentialMode().WithCompression(false).
		WithCustomFonts(fonts).
		WithDefaultFont(&props.Font{Family: d.fonts.regular.family, Style: fontstyle.Normal, Size: 8}).
		WithTitle(title, true).WithAuthor(d.fonts.shown(brand.Organisation, false), true).WithCreator("OwnMap", true).
		WithSubject(d.fonts.shown(report.Verdict(), false), true).
		WithCreationDate(finished(report.Run)).
		Build())
	for _, s := range d.sheets {
		add(m, func(provider core.Provider) { place(provider, s.images) })
	}
	add(m, d.fonts.specimen)
	made, err := m.Generate()
	if err != nil {
		return nil, err
	}
	return made.GetBytes(), nil
}

// add adds a page.
func add(m core.Maroto, draw component) {
	m.AddPages(page.New().Add(row.New(pageHeight).Add(col.New(12).Add(draw))))
}

// component draws a page: a core.Component.
type component func(core.Provider)

// SetConfig is part of core.Component.
func (c component) SetConfig(*entity.Config) {}

// GetStructure is part of core.Component.
func (c component) GetStructure() *node.Node[core.Structure] {
	return node.New(core.Structure{Type: "page"})
}

// GetHeight is part of core.Component.
func (c component) GetHeight(core.Provider, *entity.Cell) float64 { return pageHeight }

// Render is part of core.Component.
func (c component) Render(provider core.Provider, _ *entity.Cell) { c(provider) }

func place(provider core.Provider, pictures []picture) {
	for _, p := range pictures {
		provider.AddImageFromBytes(p.data, &entity.Cell{X: p.x, Y: p.y, Width: p.width, Height: p.height}, &props.Rect{Percent: 100, Center: true}, extension.Png)
	}
}

// specimen draws each character of each face once: what gofpdf does not see drawn it does
// not embed.
func (f *fonts) specimen(provider core.Provider) {
	const endless = 1e9 // millimetres: maroto breaks what is wider
	for _, of := range f.drawn() {
		provider.AddText(string(of.characters()), &entity.Cell{Width: endless, Height: pageHeight},
			&props.Text{Family: of.family, Style: of.style(), Size: 8, Align: align.Left})
	}
}

// custom returns the fonts of the document.
func (f *fonts) custom() ([]*entity.CustomFont, error) {
	all := repository.New()
	for _, of := range f.drawn() {
		all.AddUTF8FontFromBytes(of.family, of.style(), of.data)
	}
	return all.Load()
}

func (f *face) style() fontstyle.Type {
	if f.bold {
		return fontstyle.Bold
	}
	return fontstyle.Normal
}
