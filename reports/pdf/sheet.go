package pdf

import (
	"github.com/johnfercher/go-tree/node"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/extension"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/consts/linestyle"
	"github.com/johnfercher/maroto/v2/pkg/consts/orientation"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/core/entity"
	"github.com/johnfercher/maroto/v2/pkg/props"
)

// color is red, green and blue, 0 to 255.
type color [3]int

func (c color) props() *props.Color { return &props.Color{Red: c[0], Green: c[1], Blue: c[2]} }

// The page, in millimetres: A4, landscape, for tables are wide.
const (
	pageWidth, pageHeight = 297.0, 210.0
	marginX               = 14.0
	top, bottom           = 19.0, 194.0 // of what stands between head and foot
	inner                 = pageWidth - 2*marginX
)

// sheet is a page on which everything has its place. Maroto draws it: its own rows and
// columns neither break long words nor repeat the head of a table.
type sheet struct {
	bars   []bar
	words  []word
	images []picture
}

// bar is a filled rectangle.
type bar struct {
	x, y, width, height float64
	color               color
}

// word is a run at its place; y is its baseline.
type word struct {
	x, y  float64
	run   run
	style style
}

// picture is a PNG that fills its place.
type picture struct {
	x, y, width, height float64
	data                []byte
}

// SetConfig is part of core.Component.
func (s *sheet) SetConfig(*entity.Config) {}

// GetStructure is part of core.Component.
func (s *sheet) GetStructure() *node.Node[core.Structure] {
	return node.New(core.Structure{Type: "sheet"})
}

// GetHeight is part of core.Component: a sheet is a page.
func (s *sheet) GetHeight(core.Provider, *entity.Cell) float64 { return pageHeight }

// Render is part of core.Component.
func (s *sheet) Render(provider core.Provider, _ *entity.Cell) {
	for _, b := range s.bars {
		// A filled rectangle is a thick line through its middle.
		provider.AddLine(&entity.Cell{X: b.x, Y: b.y, Width: b.width, Height: b.height}, &props.Line{
			Color: b.color.props(), Style: linestyle.Solid, Thickness: b.height, Orientation: orientation.Horizontal, OffsetPercent: 50, SizePercent: 100,
		})
	}
	for _, p := range s.images {
		provider.AddImageFromBytes(p.data, &entity.Cell{X: p.x, Y: p.y, Width: p.width, Height: p.height}, &props.Rect{Percent: 100, Center: true}, extension.Png)
	}
	heights := make(map[float64]float64) // by size; all faces of a size have the same
	for _, w := range s.words {
		set := &props.Text{Family: w.run.face.family, Style: fontstyle.Normal, Size: w.style.size, Align: align.Left, Color: w.style.color.props()}
		if w.run.face.bold {
			set.Style = fontstyle.Bold
		}
		// Maroto adds the height of the font to y, and breaks what is wider than the cell.
		height, known := heights[set.Size]
		if !known {
			height = provider.GetFontHeight(&props.Font{Family: set.Family, Style: set.Style, Size: set.Size})
			heights[set.Size] = height
		}
		provider.AddText(w.run.text, &entity.Cell{X: w.x, Y: w.y - height, Width: 10 * pageWidth, Height: pageHeight}, set)
	}
}
