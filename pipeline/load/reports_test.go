package load

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestReadBrand reads a brand as users write it, with the picture from its file.
func TestReadBrand(t *testing.T) {
	t.Parallel()
	const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><rect width="120" height="40"/></svg>`
	dir := t.TempDir()
	file(t, dir, "logo.svg", svg, 0o644)
	file(t, dir, "bad.svg", strings.Replace(svg, "<rect", "<script/><rect", 1), 0o644)
	read := func(logo string) (Config, error) {
		return Read(file(t, dir, "ownmap.yaml", "reports:\n  organisation: Übung & Söhne\n  accent: \"#7A1FA2\"\n  time_zone: Asia/Tokyo\n  logo: "+logo+"\n", 0o644), noEnv)
	}
	c, err := read("logo.svg")
	if err != nil {
		t.Fatal(err)
	}
	brand := c.Reports.Brand()
	if brand.Organisation != "Übung & Söhne" || brand.Logo.Ext() != "svg" || brand.Logo.Width != 120 || string(brand.Logo.Data) != svg {
		t.Errorf("the brand is %+v", brand)
	}
	if brand.Accent.Light != "#7a1fa2" || brand.Accent.Dark == "" || brand.Accent.Dark == brand.Accent.Light {
		t.Errorf("the accent is %+v", brand.Accent)
	}
	if at := time.Date(2026, 11, 28, 20, 0, 0, 0, time.UTC).In(c.Reports.Zone()); at.Format(time.DateTime) != "2026-11-29 05:00:00" {
		t.Errorf("the zone is %v", c.Reports.Zone())
	}
	for logo, want := range map[string]string{
		"bad.svg": "ownmap.yaml:5: reports.logo: " + dir + "/bad.svg is an SVG with the element script", "none.png": "ownmap.yaml:5: reports.logo: open " + dir + "/none.png",
	} {
		if _, err := read(logo); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", logo, err, want)
		}
	}
	if _, err := os.Stat(c.Reports.Logo); err != nil {
		t.Errorf("the path of the logo is not whole: %v", err)
	}
}
