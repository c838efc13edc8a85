package main

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/net/html"

	"ownmap/pipeline/lab/browser"
	"ownmap/pipeline/lab/demo"
	"ownmap/pipeline/state"
	"ownmap/reports/site"
)

// pictureHeight is how much of a long page a picture shows, in pixels.
const pictureHeight = 1000

// TestPictures makes the pictures of the documentation from the demo network. With
// OWNMAP_PICTURES set (`make pictures`) it stores them; else it holds that those in the
// documentation show something, and that those of the PDF are of the same pages: the
// packages of the reports have tests of their pages in a browser.
func TestPictures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	network := demo.Nights(49)
	look := appearance{brand: state.Brand{Organisation: "Example Ltd"}, inventory: 2000, archive: "https://ownmap.example.org/archive/"}
	if err := look.site(filepath.Join(dir, "archive"), network, site.Retention{Runs: 2}).Build(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mail, document bytes.Buffer
	if err := look.mail(&mail, network.At(49)); err != nil {
		t.Fatal(err)
	}
	if err := look.pdf(&document, network.At(49)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "mail.html"), htmlOf(t, mail.Bytes()))
	write(t, filepath.Join(dir, "report.pdf"), document.Bytes())
	if out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "80", "-png", "-f", "1", "-l", "2", filepath.Join(dir, "report.pdf"), filepath.Join(dir, "page")).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v: %s", err, out)
	}
	page := func(name, _ string, _ browser.View) image.Image {
		return decode(t, read(t, filepath.Join("../../reports", name)))
	}
	if os.Getenv("OWNMAP_PICTURES") != "" {
		b := browser.Start(t)
		page = func(_, file string, view browser.View) image.Image {
			return decode(t, b.Open(t, "file://"+filepath.Join(dir, file), view).Picture(t))
		}
	}
	const index, host, run, mails, phone = "site/testdata/index.png", "site/testdata/host-dark.png", "site/testdata/run-phone.png", "email/testdata/mail.png", "email/testdata/mail-phone.png"
	for name, picture := range map[string]image.Image{
		index:                      page(index, "archive/index.html", browser.View{}),
		host:                       page(host, "archive/host/01/1.html", browser.View{Dark: true}),
		run:                        page(run, "archive/run/49.html", browser.View{Width: 390}),
		mails:                      page(mails, "mail.html", browser.View{Width: 800}),
		phone:                      page(phone, "mail.html", browser.View{Width: 390, Dark: true}),
		"pdf/testdata/cover.png":   decode(t, read(t, filepath.Join(dir, "page-1.png"))),
		"pdf/testdata/changes.png": decode(t, read(t, filepath.Join(dir, "page-2.png"))),
	} {
		file := filepath.Join("../../reports", name)
		picture = cropped(picture)
		if n := colours(picture); n < 12 {
			t.Errorf("%s shows next to nothing: %d colours", name, n)
		}
		if os.Getenv("OWNMAP_PICTURES") != "" {
			write(t, file, encoded(t, picture))
			continue
		}
		if kept := decode(t, read(t, file)); kept.Bounds().Dx() != picture.Bounds().Dx() || kept.Bounds().Dy()*10 < picture.Bounds().Dy()*8 {
			t.Errorf("%s is %v, and the page is %v now: run `make pictures`", name, kept.Bounds(), picture.Bounds())
		}
	}
}

// htmlOf returns the HTML of a mail.
func htmlOf(t *testing.T, mail []byte) []byte {
	t.Helper()
	var found []byte
	for _, part := range partsOf(t, "mail", mail) {
		if part.html {
			found = part.text
		}
	}
	if _, err := html.Parse(bytes.NewReader(found)); err != nil || len(found) < 1000 {
		t.Fatalf("the mail has %d bytes of HTML: %v", len(found), err)
	}
	return found
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func decode(t *testing.T, content []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

func encoded(t *testing.T, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func cropped(picture image.Image) image.Image {
	bounds := picture.Bounds()
	bounds.Max.Y = min(bounds.Max.Y, bounds.Min.Y+pictureHeight)
	part := image.NewRGBA(bounds)
	draw.Draw(part, bounds, picture, bounds.Min, draw.Src)
	return part
}

func colours(picture image.Image) int {
	seen := map[[3]uint32]bool{}
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y += 3 {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x += 3 {
			r, g, b, _ := picture.At(x, y).RGBA()
			seen[[3]uint32{r >> 12, g >> 12, b >> 12}] = true
		}
	}
	return len(seen)
}
