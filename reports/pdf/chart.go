package pdf

import (
	"fmt"
	"slices"

	"codeberg.org/go-fonts/dejavu/dejavusans"
	"github.com/go-analyze/charts"
	"github.com/golang/freetype/truetype"

	"ownmap/pipeline/state"
)

// The chart is so many pixels wide, enough for print.
const (
	chartWidth = 1600
	chartText  = 19
)

// trend draws the open and the unapproved ports over the runs as a PNG of so many pixels
// in height, or nothing where there is no more than one run. The lines differ by more
// than colour: what is unapproved has dots.
func trend(runs []state.RunSummary, height int) ([]byte, error) {
	if len(runs) < 2 {
		return nil, nil
	}
	open, waiting, labels := make([]float64, len(runs)), make([]float64, len(runs)), make([]string, len(runs))
	for i, r := range runs {
		open[i], waiting[i], labels[i] = float64(r.Open), float64(r.Unapproved), r.StartedAt.Format("2006-01-02")
	}
	font, err := truetype.Parse(dejavusans.TTF)
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	hex := func(c color) charts.Color { return charts.ColorRGB(c[0], c[1], c[2]) }
	const intervals = 4 // of the axis
	label := charts.FontStyle{FontSize: chartText, FontColor: hex(muted()), Font: font}
	last := runs[len(runs)-1]
	o := charts.NewLineChartOptionWithData([][]float64{open, waiting})
	o.Theme = charts.MakeTheme(charts.ThemeOption{
		AxisStrokeColor: hex(hair()), AxisSplitLineColor: hex(hair()), BackgroundColor: charts.ColorWhite, TextColor: hex(muted()),
		SeriesColors: []charts.Color{hex(cool()), hex(bad())},
	})
	o.Padding = charts.NewBoxEqual(8)
	o.SeriesList[0].Symbol, o.SeriesList[1].Symbol = charts.Symbol{Shape: charts.SymbolSquare, Size: 0.5}, charts.Symbol{Shape: charts.SymbolDot, Size: 4.5}
	o.LineStrokeWidth = 3.5
	o.XAxis.Labels, o.XAxis.LabelFontStyle, o.XAxis.LabelCount, o.XAxis.BoundaryGap = labels, label, 6, new(false)
	o.YAxis[0].LabelFontStyle, o.YAxis[0].Min, o.YAxis[0].LabelCount = label, new(0.0), intervals+1
	o.YAxis[0].Max = new(float64(intervals * step(open, intervals)))
	o.YAxis[0].ValueFormatter = func(v float64) string { return fmt.Sprintf("%.0f", v) }
	o.Legend.SeriesNames = []string{fmt.Sprintf("%d open", last.Open), fmt.Sprintf("%d unapproved", last.Unapproved)}
	o.Legend.FontStyle = charts.FontStyle{FontSize: chartText + 1, FontColor: hex(ink()), Font: font}
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputPNG, Width: chartWidth, Height: height, Font: font})
	if err := p.LineChart(o); err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	png, err := p.Bytes()
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	return png, nil
}

// step returns a round number, the least of which so many reach the
// highest value: there is no half of a port.
func step(values []float64, intervals int) int {
	highest := int(slices.Max(values))
	for magnitude := 1; ; magnitude *= 10 {
		for _, m := range []int{1, 2, 3, 4, 5, 6, 8} {
			if intervals*m*magnitude >= highest {
				return m * magnitude
			}
		}
	}
}
