package pdf

import (
	"strconv"

	"ownmap/pipeline/state"
)

// The colours of the page. All but the last three are dark enough to be read on paper,
// in grey too.

func ink() color   { return color{23, 32, 44} }
func muted() color { return color{86, 97, 115} }
func bad() color   { return color{179, 38, 30} }
func warn() color  { return color{138, 81, 0} }
func good() color  { return color{28, 107, 58} }
func cool() color  { return color{43, 92, 138} }
func hair() color  { return color{214, 220, 228} }
func shade() color { return color{238, 241, 245} }

func plain() style { return style{size: 8, color: ink()} }
func small() style { return style{size: 7.5, color: muted()} }

// accent is the colour of headings: the brand's, else OwnMap's own.
func accent(brand state.Brand) color {
	hex := brand.Accent.Light
	if len(hex) != 7 {
		return cool()
	}
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	if err != nil {
		return cool()
	}
	return color{uint8(n >> 16), uint8(n >> 8), uint8(n)}
}

// moodColor is the colour of a mood, which always stands beside its words.
func moodColor(m state.Mood) color {
	switch m {
	case state.MoodDisagree, state.MoodChanged:
		return bad()
	case state.MoodPartial:
		return warn()
	case state.MoodBaseline, state.MoodWaiting:
		return cool()
	case state.MoodCalm:
	}
	return good()
}

func severityColor(s state.Severity) color {
	switch s {
	case state.Critical, state.High:
		return bad()
	case state.Medium:
		return warn()
	case state.Low:
		return cool()
	case state.Info:
	}
	return muted()
}
